/** What the hub could not store is stored when there is room again, and no clock that is set back revives what ended. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { Failure } from "../../src/core/errors.ts";
import { managed, service } from "./managed.ts";
import { eventually, HubRig, link, pass } from "./rig.ts";

const HOUR = 3_600_000, DAY = 24 * HOUR;

Deno.test("what a daemon said while the hub's disk was full is stored when there is room, and said once", async () => {
  const clock = new TestClock(Date.now());
  await using rig = await HubRig.start({ clock });
  const names = Array.from({ length: 20 }, (_, i) => `l${i}`);
  const daemon = rig.attached();
  const { links } = await daemon.hello(names.map((name) => link(name)));
  rig.diskFull = true;
  await daemon.change(names.map((name) => link(name, { state: "revoked" })));
  const [{ id }] = links;
  assert.equal((await rig.visit(id)).status, 410);
  const said = () => rig.lines.filter((line) => line.includes("could not be stored"));
  await eventually(() => said().length, (lines) => lines > 0);
  await pass(clock, 5_000);
  assert.equal(said().length, 1, said().join("\n"));
  rig.diskFull = false;
  await pass(clock, 2_000);
  // Nothing is asked of the daemon any more: the hub knows by itself after a restart.
  await rig.hub.close();
  await rig.begin({ clock });
  for (const { id } of links) assert.equal((await rig.visit(id)).json.code, "link_revoked");
});

Deno.test("a token that expired stays so when the clock is set back, over a restart too", async () => {
  const clock = new TestClock(Date.now());
  await using rig = await HubRig.start({ clock });
  const token = await rig.token("viewer", "default", DAY / 2), lasting = await rig.token("viewer");
  const status = async (token: string) => (await rig.api("GET", "/v1/links", token)).status;
  assert.equal(await status(token), 200);
  clock.jump(DAY);
  await pass(clock, 1_000);
  clock.jump(-DAY);
  assert.deepEqual([await status(token), await status(lasting)], [401, 200]);
  await rig.hub.close();
  await rig.begin({ clock });
  assert.deepEqual([await status(token), await status(lasting)], [401, 200]);
});

Deno.test("a token that expired while the disk was full stays so once there is room", async () => {
  const clock = new TestClock(Date.now());
  await using rig = await HubRig.start({ clock });
  const token = await rig.token("viewer", "default", DAY / 2);
  rig.diskFull = true;
  clock.jump(DAY);
  await pass(clock, 2_000);
  rig.diskFull = false;
  await pass(clock, 1_000);
  clock.jump(-DAY);
  await rig.hub.close();
  await rig.begin({ clock });
  assert.equal((await rig.api("GET", "/v1/links", token)).status, 401);
});

for (const full of [false, true]) {
  const when = full ? "while the disk was full " : "";
  Deno.test(`a share that expired ${when}stays so when the clock is set back, over a restart too`, async () => {
    const clock = new TestClock(Date.now());
    await using rig = await HubRig.start({ clock });
    await managed(rig, [service("db", { access: "private", remote: false })]);
    const member = await rig.token("member");
    const share = { services: ["db"], expires: "12h" };
    const { id, code } = (await rig.api("POST", "/v1/shares", member, share)).json;
    const seen = async () => [
      (await rig.api("POST", "/v1/shares/join", member, { code })).status,
      (await rig.api("GET", `/v1/shares/${id}`, member)).json.state,
    ];
    rig.diskFull = full;
    clock.jump(DAY);
    await pass(clock, 2_000);
    rig.diskFull = false;
    await pass(clock, 1_000);
    clock.jump(-DAY);
    assert.deepEqual(await seen(), [404, "expired"]);
    await rig.hub.close();
    await rig.begin({ clock });
    assert.deepEqual(await seen(), [404, "expired"]);
  });
}

Deno.test("a share that expired while the hub was away stays so when the clock is set back", async () => {
  const clock = new TestClock(Date.now());
  await using rig = await HubRig.start({ clock });
  await managed(rig, [service("db", { access: "private", remote: false })]);
  const member = await rig.token("member");
  const { code } = (await rig.api("POST", "/v1/shares", member, { services: ["db"], expires: "12h" })).json;
  await rig.hub.close();
  clock.jump(DAY);
  await rig.begin({ clock });
  clock.jump(-DAY);
  assert.equal((await rig.api("POST", "/v1/shares/join", member, { code })).status, 404);
});

for (const heard of [false, true]) {
  const when = heard ? "the hub has not heard of its renewal" : "the hub does not know that it was heard of";
  Deno.test(`a link that is revoked again while ${when} is revoked, over a restart of the hub`, async () => {
    const clock = new TestClock(Date.now());
    await using rig = await HubRig.start({ clock });
    const admin = await rig.token("admin");
    const daemon = rig.attached();
    const [{ id }] = (await daemon.hello([link("web")])).links;
    const revoke = async () => (await rig.api("DELETE", `/v1/links/${id}`, admin)).json;
    const { revokedAt } = await revoke();
    await daemon.until(({ type }) => type === "revoke");
    if (heard) await daemon.change([link("web", { state: "revoked" })]);
    clock.jump(1_000);
    // Here somebody renews it at the daemon.
    const renewedAt = clock.now();
    clock.jump(1_000);
    assert.equal((await revoke()).revokedAt, revokedAt);
    const told = () => daemon.messages.filter(({ type, at }) => type === "revoke" && at > renewedAt).length;
    await eventually(told, (times) => times === 1);
    // The second one is lost on its way.
    await rig.hub.close();
    await rig.begin({ clock });
    const { revoked } = await rig.attached({ instance: "instance-2" }).hello([link("web")]);
    assert.equal(revoked.length, 1);
    assert.ok(revoked[0].at > renewedAt);
    assert.equal((await rig.visit(id)).json.code, "link_revoked");
  });
}

/** How a daemon comes back that was away when its link was revoked here: what it says, whether that is the link still. */
const RETURNS: readonly [what: string, o: Parameters<typeof link>[1], same: boolean][] = [
  ["under another subdomain", { subdomain: "shop", activatedAt: 5 }, true],
  ["with a wish for a fresh id, of a renewal", { newId: true, activatedAt: 7 }, true],
  ["with another link of its name, which has not begun yet", { newId: true, activatedAt: null }, false],
];
for (const [what, said, same] of RETURNS) {
  Deno.test(`a revocation goes with its link, not with the address: its daemon comes back ${what}`, async () => {
    await using rig = await HubRig.start();
    const admin = await rig.token("admin");
    const daemon = rig.attached();
    const [{ id: before }] = (await daemon.hello([link("web", { activatedAt: 5 })])).links;
    daemon.leave();
    await daemon.end();
    const revokedAt = Date.parse((await rig.api("DELETE", `/v1/links/${before}`, admin)).json.revokedAt);
    const back = rig.attached({ instance: "instance-2" });
    const { links: [{ id }], revoked } = await back.hello([link("web", { ...said, id: before })]);
    assert.notEqual(id, before);
    const told = { name: "web", id, at: revokedAt, activatedAt: 5 };
    assert.deepEqual(revoked, same ? [told] : []);
    assert.equal((await rig.visit(before)).json.code, "link_revoked");
    if (!same) return assert.equal((await rig.visit(id)).status, 200);
    await rig.hub.close();
    await rig.begin();
    assert.equal((await rig.visit(id)).json.code, "link_revoked", "over a restart, too");
    const again = rig.attached({ instance: "instance-3" });
    const now = { ...said, id, newId: false };
    assert.deepEqual((await again.hello([link("web", now)])).revoked, [told]);
    await again.change([link("web", { ...now, state: "revoked" })]);
    await again.change([link("web", now)]);
    assert.equal((await rig.visit(id)).status, 200, "it was heard of, and the link renewed since");
  });
}

Deno.test("a daemon that has heard of a revocation, and of a wish for a fresh id since, gets one that is live", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web", { activatedAt: 5 })])).links;
  await rig.api("DELETE", `/v1/links/${id}`, admin);
  await daemon.change([], [{ name: "web", id, reason: "revoked" }]);
  const { links: [fresh] } = await daemon.change([link("web", { newId: true, activatedAt: 7 })]);
  assert.equal((await rig.visit(fresh.id)).status, 200);
  assert.equal((await rig.visit(id)).json.code, "link_revoked");
});

Deno.test("a link that changes its address before its daemon has heard of a revocation is told it with the new one", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  const daemon = rig.attached();
  const [{ id: before }] = (await daemon.hello([link("web", { activatedAt: 5 })])).links;
  await rig.api("DELETE", `/v1/links/${before}`, admin);
  const { links: [{ id }] } = await daemon.change([link("web", { subdomain: "shop", activatedAt: 5 })]);
  const { activatedAt } = await daemon.until((message) => message.type === "revoke" && message.id === id);
  assert.equal(activatedAt, 5);
});

Deno.test("a link that was out of its file when its daemon was told of a revocation is told again as it is put back", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  const [{ id }] = (await rig.attached().hello([link("web", { activatedAt: 5 })])).links;
  await rig.api("DELETE", `/v1/links/${id}`, admin);
  const daemon = rig.attached({ instance: "instance-2" });
  await daemon.hello([]);
  await daemon.change([link("web", { id, activatedAt: 5 })]);
  const { type: _, ...told } = await daemon.until(({ type }) => type === "revoke");
  assert.deepEqual([told.name, told.id, told.activatedAt], ["web", id, 5]);
  assert.equal((await rig.visit(id)).json.code, "link_revoked");
});

Deno.test("of two at once who revoke a link neither is answered before it is stored", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  const [{ id }] = (await rig.attached().hello([link("web")])).links;
  rig.diskFull = true;
  const answers = await Promise.all([1, 2].map(() => rig.api("DELETE", `/v1/links/${id}`, admin)));
  assert.deepEqual(answers.map(({ status }) => status), [503, 503]);
  assert.equal((await rig.visit(id)).status, 200);
});

/** A link whose revocation the hub is about to store. `fail`: the disk does not take it. */
async function revokedInVain(rig: HubRig) {
  const admin = await rig.token("admin"), daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const { promise: until, reject } = Promise.withResolvers<never>(), begun = Promise.withResolvers<void>();
  rig.held = { bucket: "names", until, begun: () => begun.resolve() };
  const answer = rig.api("DELETE", `/v1/links/${id}`, admin);
  await begun.promise;
  return { id, admin, daemon, refused: { answer, fail: () => reject(new Failure("the disk is full")) } };
}

Deno.test("a revocation that was stored holds, where one just before it could not be", async () => {
  const clock = new TestClock(Date.now());
  await using rig = await HubRig.start({ clock });
  const { id, admin, daemon, refused } = await revokedInVain(rig);
  const stored = rig.api("DELETE", `/v1/links/${id}`, admin);
  for (let turn = 0; turn < 20; turn++) await rig.api("GET", `/v1/links/${id}`, admin);
  refused.fail();
  assert.deepEqual([(await refused.answer).status, (await stored).status], [503, 200]);
  // It was declared before the daemon heard.
  await daemon.change([link("web")]);
  assert.equal((await rig.visit(id)).json.code, "link_revoked");
  await rig.hub.close();
  await rig.begin({ clock });
  assert.equal((await rig.visit(id)).json.code, "link_revoked");
});

Deno.test("of a revocation that could not be stored nothing is left, whatever the daemon said meanwhile", async () => {
  const clock = new TestClock(Date.now());
  await using rig = await HubRig.start({ clock });
  const { id, admin, daemon, refused } = await revokedInVain(rig);
  await daemon.change([link("web", { expiresAt: clock.now() + DAY })]);
  refused.fail();
  assert.equal((await refused.answer).status, 503);
  await rig.hub.close();
  await rig.begin({ clock });
  const { json } = await rig.api("GET", `/v1/links/${id}`, admin);
  assert.deepEqual([json.state, json.revokedAt], ["offline", null]);
});

Deno.test("a daemon that was away is told which life of a link was revoked, not the one it has begun since", async () => {
  const clock = new TestClock(Date.now());
  await using rig = await HubRig.start({ clock });
  const admin = await rig.token("admin");
  const activatedAt = clock.now() + HOUR;
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web", { activatedAt })])).links;
  const { revokedAt } = (await rig.api("DELETE", `/v1/links/${id}`, admin)).json;
  const told = { name: "web", id, at: Date.parse(revokedAt), activatedAt };
  const { type: _, ...heard } = await daemon.until(({ type }) => type === "revoke");
  assert.deepEqual(heard, told);
  await rig.hub.close();
  await rig.begin({ clock });
  const again = rig.attached({ instance: "instance-2" });
  const { revoked } = await again.hello([link("web", { activatedAt: activatedAt + HOUR })]);
  assert.deepEqual(revoked, [told]);
});
