/** Wrong tokens: slowed by address, written down, and nobody who shows a right one is in the way. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { Failures } from "../../src/hub/failures.ts";
import { dial, eventually, HubRig } from "./rig.ts";

const WRONG = `connectd_aaaaaaaa_${"a".repeat(32)}`;

Deno.test("after thirty wrong tokens a minute an address is told to wait; a right token gets in all the same", async () => {
  const clock = new TestClock();
  await using rig = await HubRig.start({ clock });
  const right = await rig.token("daemon");
  for (let i = 0; i < 30; i++) {
    const answer = i % 2 === 0
      ? (await rig.api("GET", "/v1/links", WRONG)).status
      : await dial(rig.hub.address.port, WRONG).catch((error: Error) => Number(error.message.split(" ")[1]));
    assert.equal(answer, 401);
  }
  const refused = await rig.api("GET", "/v1/links", WRONG);
  assert.deepEqual([refused.status, refused.json.code], [429, "rate_limited"]);
  assert.match(refused.head, /^retry-after: 2\r$/im);
  assert.match(refused.head, /^ratelimit: "tokens";r=0;t=2\r$/im);
  await assert.rejects(dial(rig.hub.address.port, WRONG), /^Error: HTTP\/1.1 429 /);
  assert.equal((await rig.api("POST", "/v1/device/token", undefined, { deviceCode: "x" })).status, 429);
  assert.equal((await rig.api("GET", "/v1/links", right)).status, 200);
  await (await rig.dialled(right, { clock })).hello([]);
  assert.equal((await rig.api("GET", "/v1/links")).status, 401, "who shows no token guesses none");
  clock.advance(2000);
  assert.equal((await rig.api("GET", "/v1/links", WRONG)).status, 401);
});

Deno.test("addresses are counted one by one, IPv6 by its /64", () => {
  const failures = new Failures(new TestClock());
  for (let i = 0; i < 30; i++) assert.equal(failures.wrongToken(`2001:db8::${i.toString(16)}`), null);
  assert.equal(failures.wrongToken("2001:db8::ffff")?.status, 429);
  assert.equal(failures.wrongToken("2001:db8:0:1::1"), null);
  assert.equal(failures.wrongToken("192.0.2.1"), null);
});

Deno.test("wrong codes of all addresses together are bounded", () => {
  const failures = new Failures(new TestClock());
  for (let i = 0; i < 60; i++) {
    failures.checkCodes(`192.0.2.${i}`);
    failures.wrongCode(`192.0.2.${i}`);
  }
  assert.throws(() => failures.checkCodes("192.0.2.200"), /wrong codes/);
});

Deno.test("calls with a wrong token or code are in the trail, one record for all of a minute", async () => {
  const clock = new TestClock();
  await using rig = await HubRig.start({ clock });
  const socket = rig.hub.socket!;
  for (let i = 0; i < 3; i++) await rig.api("GET", "/v1/links", WRONG);
  await rig.api("GET", "/v1/links");
  await rig.api("POST", "/v1/device/token", undefined, { deviceCode: "x" });
  clock.advance(61_000);
  const { items } = await eventually(
    async () => (await rig.api("GET", "/v1/audit?type=call.refused", undefined, undefined, socket)).json,
    ({ items }) => items.length === 2,
  );
  const counted = items.map(({ subject, data }: { subject: string; data: Record<string, unknown> }) =>
    `${subject} ${data.code} ${data.n}`
  );
  assert.deepEqual(counted.sort(), ["127.0.0.1 expired_token 1", "127.0.0.1 unauthorized 4"]);
});
