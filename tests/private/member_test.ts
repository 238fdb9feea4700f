/** A member at a hub whose daemon is away, refuses it, or is said to. */
import assert from "node:assert/strict";
import { systemClock } from "../../src/clock.ts";
import { connectHub } from "../../src/daemon/connect.ts";
import { Session } from "../../src/wire/session.ts";
import type { StreamSink } from "../../src/wire/stream.ts";
import { HubRig } from "../hub/rig.ts";
import { Metrics } from "../metrics/read.ts";

const DB = { name: "db", kind: "tcp", access: "private", remote: false, port: null } as const;
const FIELDS = { https: false, link: "db", address: "", requestId: "", host: "" };
const QUIET: StreamSink = { head() {}, data() {}, end() {}, reset() {}, writable() {} };

/** A member's session with the hub of `rig`. */
async function memberOf(rig: HubRig): Promise<Session> {
  const tokenFile = `${rig.folder}/member.token`;
  Deno.writeTextFileSync(tokenFile, await rig.token("member"), { mode: 0o600 });
  const hub = { url: `http://localhost:${rig.hub.address.port}`, tokenFile, caFile: null, plain: false };
  const wire = await connectHub(hub, tokenFile, systemClock, 5_000, { path: "/v1/reach", scope: "member" });
  const handler = { open: () => QUIET, control() {}, draining() {}, closed() {} };
  return new Session(wire, "dialler", handler, systemClock, { streams: 1 });
}

Deno.test("a connection that ended and was cut while it waited is over once a daemon has what it sent", async () => {
  await using rig = await HubRig.start();
  const member = await memberOf(rig);
  const stream = member.open({ ...FIELDS, kind: "tcp" }, QUIET);
  stream.send(new Uint8Array(100), 0, 100);
  stream.end();
  stream.reset("member_left");
  // Refused at once: what went before it is there.
  const refused = Promise.withResolvers<string>();
  member.open({ ...FIELDS, kind: "http" }, { ...QUIET, reset: refused.resolve });
  assert.equal(await refused.promise, "not_allowed");
  const daemon = rig.attached();
  await daemon.hello([], { services: [DB] });
  while (daemon.opened.length === 0) await daemon.happens();
  const { body } = await rig.api("GET", "/metrics", undefined, undefined, `${rig.folder}/hub.sock`);
  const metrics = new Metrics(body);
  assert.equal(metrics.value("connectd_hub_reaches_total"), 1);
  assert.equal(metrics.value("connectd_hub_reaches_open"), 0);
  assert.equal(metrics.value("connectd_hub_reach_bytes_total", { direction: "in" }), 100);
  member.close("done", "the test ends");
});

Deno.test("that a daemon refused a member the trail says where the daemon did, whatever the member says", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  await daemon.hello([], { services: [DB] });
  const member = await memberOf(rig);
  for (const by of ["member", "daemon"]) {
    const seen = daemon.opened.length, cut = Promise.withResolvers<string>();
    const stream = member.open({ ...FIELDS, kind: "tcp" }, { ...QUIET, reset: cut.resolve });
    while (daemon.opened.length === seen) await daemon.happens();
    if (by === "member") {
      const heard = daemon.happens();
      stream.reset("not_allowed");
      await heard;
    } else {
      daemon.opened[seen].reset("target_refused");
      await cut.promise;
    }
  }
  member.close("done", "the test ends");
  // The trail is told at the latest when the hub ends.
  await rig.hub.close();
  await rig.begin();
  const { json } = await rig.api("GET", "/v1/audit", undefined, undefined, `${rig.folder}/hub.sock`);
  const refused = json.items.filter(({ type }: { type: string }) => type === "service.refused");
  assert.deepEqual(refused.map(({ data }: { data: { code: string } }) => data.code), ["target_refused"]);
});

Deno.test("what a member sent while it waited goes to no daemon once its token was revoked", async () => {
  await using rig = await HubRig.start();
  const member = await memberOf(rig);
  const cut = Promise.withResolvers<string>();
  const stream = member.open({ ...FIELDS, kind: "tcp" }, { ...QUIET, reset: cut.resolve });
  stream.send(new Uint8Array(100), 0, 100);
  stream.end();
  const refused = Promise.withResolvers<string>();
  member.open({ ...FIELDS, kind: "http" }, { ...QUIET, reset: refused.resolve });
  await refused.promise;
  const [{ id }] = rig.hub.tokens.list(null);
  await rig.hub.tokens.revoke(id, null);
  await cut.promise;
  const daemon = rig.attached();
  await daemon.hello([], { services: [DB] });
  // What the hub tells it of members comes before the answer to what it says next.
  await daemon.change([]);
  assert.deepEqual(daemon.opened.map(({ open: { link } }) => link), []);
});
