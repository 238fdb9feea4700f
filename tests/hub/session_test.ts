/** Sessions: who may have one, which instance holds it, what becomes of names, revocations and the hub's end. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import type { Stream } from "../../src/wire/stream.ts";
import { ask, dial, eventually, HubRig, link, type Message, pass, respond } from "./rig.ts";

Deno.test("a tunnel is for a valid token of the right scope, and for an upgrade", async () => {
  await using rig = await HubRig.start();
  const { port } = rig.hub.address;
  await assert.rejects(dial(port, null), /^Error: HTTP\/1\.1 401 [^]*WWW-Authenticate: Bearer/);
  await assert.rejects(dial(port, "connectd_aaaaaaaa_" + "a".repeat(32)), /HTTP\/1\.1 401 /);
  await assert.rejects(dial(port, await rig.token("viewer")), /HTTP\/1\.1 403 /);
  await assert.rejects(dial(port, await rig.token("member")), /HTTP\/1\.1 403 /);
  const { status, json } = await rig.api("GET", "/v1/tunnel", await rig.token("daemon"));
  assert.deepEqual([status, json.code], [426, "upgrade_required"]);
  const daemon = await rig.dialled(await rig.token("daemon"));
  assert.equal((await daemon.hello([link("web")])).links.length, 1);
});

Deno.test("a hub has so many sessions and no more", async () => {
  await using rig = await HubRig.start({ limits: { ...DEFAULT_LIMITS, sessions: 1 } });
  const token = await rig.token("daemon");
  const daemon = await rig.dialled(token);
  await daemon.hello([]);
  await assert.rejects(dial(rig.hub.address.port, token), /HTTP\/1\.1 503 /);
});

Deno.test("a revoked token's sessions end at once, an expired one's within a second", async () => {
  const clock = new TestClock(Date.now());
  await using rig = await HubRig.start({ clock });
  const revoked = await rig.dialled(await rig.token("daemon"), { daemon: "d1" });
  const expiring = await rig.dialled(await rig.token("daemon", "default", 60_000), { daemon: "d2" });
  await revoked.hello([link("web")]);
  await expiring.hello([link("api")]);
  const [{ id }] = rig.hub.tokens.list(null).filter(({ expiresAt }) => expiresAt === null);
  await rig.hub.tokens.revoke(id, null);
  await revoked.end();
  assert.equal(revoked.messages.at(-1)!.reason, "revoked_token");
  await pass(clock, 59_000);
  assert.equal(expiring.ended, null);
  await pass(clock, 2_000);
  await expiring.end();
  assert.equal(expiring.messages.at(-1)!.reason, "revoked_token");
});

Deno.test("two connections of one instance join, a new instance takes the place of the old", async () => {
  await using rig = await HubRig.start();
  const a = rig.attached({ connection: 0 }), b = rig.attached({ connection: 1 });
  const [{ id }] = (await a.hello([link("web")])).links;
  assert.equal((await b.hello([link("web")])).links[0].id, id);
  assert.equal(a.ended, null);
  const other = rig.attached({ instance: "instance-2" });
  assert.equal((await other.hello([link("web")])).links[0].id, id);
  for (const old of [a, b]) {
    await old.end();
    assert.equal(old.messages.at(-1)!.reason, "replaced");
  }
  assert.equal((await rig.visit(id)).status, 200);
});

Deno.test("a link keeps its id over reconnects and restarts of the hub, and its end too", async () => {
  await using rig = await HubRig.start();
  const links = [link("web"), link("old"), link("done", { expiresAt: 1, state: "expired" }), link("cut")];
  const daemon = rig.attached();
  const first = (await daemon.hello(links)).links;
  const [web, old, done, cut] = first.map(({ id }: { id: string }) => id);
  await daemon.change([], [
    { name: "old", id: old, reason: "removed" },
    { name: "cut", id: cut, reason: "revoked" },
  ]);
  const codes = async () =>
    await Promise.all([old, done, cut].map(async (id) => (await rig.visit(id)).json.code));
  const ended = ["link_removed", "link_expired", "link_revoked"];
  assert.deepEqual(await codes(), ended);
  daemon.leave();
  await rig.hub.close();
  await rig.begin();
  assert.deepEqual(await codes(), ended);
  const again = rig.attached();
  const declared = [link("old"), link("web"), link("done")];
  assert.deepEqual((await again.hello(declared)).links.map(({ id }: { id: string }) => id), [old, web, done]);
  assert.equal((await rig.visit(old)).status, 200);
});

Deno.test("a link that a connected daemon stops declaring is removed at once", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web"), link("api")])).links;
  const again = rig.attached({ instance: "instance-2" });
  await again.hello([link("api")]);
  assert.equal((await rig.visit(id)).json.code, "link_removed");
});

Deno.test("a fresh id on request, and the old one stays 410", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const [{ id: fresh }] = (await daemon.change([link("web", { newId: true })])).links;
  assert.notEqual(fresh, id);
  assert.equal((await rig.visit(id)).status, 410);
  assert.equal((await rig.visit(fresh)).status, 200);
  assert.equal((await daemon.change([link("web", { id: fresh })])).links[0].id, fresh);
  // Once more over a second connection: what was told already is not done again.
  const second = rig.attached({ connection: 1 });
  assert.equal((await second.hello([link("web", { newId: true })], { revision: 3 })).links[0].id, fresh);
});

Deno.test("a change in several messages is applied as a whole, and by a second connection not again", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached({ connection: 0 }), second = rig.attached({ connection: 1 });
  const [{ id: old }] = (await daemon.hello([link("old")])).links;
  await second.hello([link("old")]);
  const remove = [{ name: "old", id: old, reason: "removed" }];
  const parts = [{ set: [], remove, more: true }, { set: [link("web")], remove: [], more: true }, {
    set: [link("api")],
    remove: [],
    more: false,
  }];
  for (const part of parts) daemon.session.control({ type: "links", revision: 2, ...part });
  const granted = (of: string) => (message: Message) =>
    message.type === "granted" &&
    message.links.some((grant) => grant.name === of && "id" in grant);
  const [{ id }] = (await daemon.until(granted("web"))).links;
  await daemon.until(granted("api"));
  assert.equal((await rig.visit(old)).json.code, "link_removed");
  assert.equal((await rig.visit(id)).status, 200);
  for (const part of parts) second.session.control({ type: "links", revision: 2, ...part });
  assert.equal((await second.until(granted("web"))).links[0].id, id);
});

Deno.test("nobody gets an id by naming it", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const thief = rig.attached({ workspace: "evil", daemon: "daemon-1" });
  const answer = await thief.hello([link("web", { id }), link("sub", { subdomain: id })]);
  assert.notEqual(answer.links[0].id, id);
  assert.equal(answer.links[1].refused.code, "name_taken");
  assert.equal((await rig.visit(id)).body, `/ of ${id}`);
});

Deno.test("a subdomain is given once, and reserved and bad ones never", async () => {
  const clock = new TestClock(Date.now());
  await using rig = await HubRig.start({ clock });
  const daemon = rig.attached();
  const answer = await daemon.hello([
    link("demo", { subdomain: "demo" }),
    link("www", { subdomain: "www" }),
    link("hub", { subdomain: "hub" }),
    link("idn", { subdomain: "xn--bcher-kva" }),
    link("twice", { subdomain: "demo" }),
  ]);
  assert.equal(answer.links[0].url, `http://demo.localhost:${rig.hub.address.port}`);
  const codes = answer.links.slice(1).map((one: Message) => one.refused.code);
  assert.deepEqual(codes, ["bad_name", "bad_name", "bad_name", "name_taken"]);
  const wish = [link("demo", { subdomain: "demo" })];
  const foreign = rig.attached({ workspace: "evil", daemon: "d9" });
  assert.equal((await foreign.hello(wish)).links[0].refused.code, "name_taken");
  const mate = rig.attached({ daemon: "d2" });
  assert.equal((await mate.hello(wish)).links[0].refused.code, "name_taken");
  daemon.leave();
  await daemon.end();
  assert.equal((await mate.change(wish)).links[0].refused.code, "name_taken");
  await pass(clock, 60_000);
  assert.equal((await foreign.change(wish)).links[0].refused.code, "name_taken");
  assert.equal((await mate.change(wish)).links[0].id, "demo");
  const back = rig.attached({ instance: "instance-2" });
  assert.equal((await back.hello(wish)).links[0].refused.code, "name_taken");
});

Deno.test("a link that is renamed takes its subdomain along", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  await daemon.hello([link("one", { subdomain: "demo" })]);
  const granted = await daemon.change(
    [link("two", { subdomain: "demo" })],
    [{ name: "one", id: "demo", reason: "removed" }],
  );
  assert.equal(granted.links[0].id, "demo");
  assert.equal((await rig.visit("demo")).status, 200);
});

Deno.test("a revoke at the hub is told to the daemon, and holds until the daemon has heard and renews", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const revoked = await rig.api("DELETE", `/v1/links/${id}`, admin);
  assert.deepEqual([revoked.status, revoked.json.state], [200, "revoked"]);
  assert.ok(Date.parse(revoked.json.revokedAt) > 0);
  const told = await daemon.until(({ type }) => type === "revoke");
  assert.deepEqual([told.name, told.id, told.at], ["web", id, Date.parse(revoked.json.revokedAt)]);
  assert.equal((await rig.visit(id)).json.code, "link_revoked");
  // A change that crossed with it does not lift it.
  await daemon.change([link("web")]);
  assert.equal((await rig.visit(id)).json.code, "link_revoked");
  await daemon.change([link("web", { state: "revoked" })]);
  await daemon.change([link("web")]);
  assert.equal((await rig.visit(id)).status, 200);
});

Deno.test("a daemon that was away learns of a revoke in its welcome, over restarts of both", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  daemon.leave();
  await daemon.end();
  assert.equal((await rig.api("DELETE", `/v1/links/${id}`, admin)).status, 200);
  assert.equal((await rig.api("DELETE", `/v1/links/${id}`, admin)).status, 200);
  await rig.hub.close();
  await rig.begin();
  assert.equal((await rig.visit(id)).json.code, "link_revoked");
  const again = rig.attached({ instance: "instance-2" });
  const { revoked } = await again.hello([link("web")]);
  assert.deepEqual(revoked.map((one: Message) => [one.name, one.id]), [["web", id]]);
  assert.equal((await rig.visit(id)).json.code, "link_revoked");
  await again.change([link("web", { state: "revoked" })]);
  const third = rig.attached({ instance: "instance-3" });
  assert.deepEqual((await third.hello([link("web", { state: "revoked" })])).revoked, []);
});

Deno.test("a thousand links are declared in a few messages, and answered in few", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  const all = Array.from({ length: 3000 }, (_, i) => link(`l${i}`));
  const parts = [all.slice(0, 1000), all.slice(1000, 2000), all.slice(2000)];
  const welcomed = daemon.hello(parts[0], { more: true });
  daemon.session.control({ type: "links", revision: 1, set: parts[1], remove: [], more: true });
  daemon.session.control({ type: "links", revision: 1, set: parts[2], remove: [], more: false });
  const welcome = await welcomed;
  await eventually(
    () => welcome.links.length + (daemon.messages.find(({ type }) => type === "granted")?.links.length ?? 0),
    (n) => n === 3000,
  );
  assert.equal((await rig.visit(welcome.links[1999].id)).status, 200);
});

Deno.test("a hub that ends asks daemons to dial elsewhere, finishes what is in flight and refuses the rest", async () => {
  await using rig = await HubRig.start();
  const hold: Stream[] = [];
  const daemon = rig.attached({ serve: (stream) => void hold.push(stream) });
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const visit = rig.visit(id);
  await eventually(() => hold.length, (n) => n === 1);
  const drained = rig.hub.drain(20_000);
  await eventually(() => daemon.drained, (drained) => drained);
  // Whoever is connected before it closes is served.
  const { port } = rig.hub.address;
  const knock = () =>
    Deno.connect({ hostname: "127.0.0.1", port }).then((conn) => (conn.close(), true), () => false);
  await eventually(knock, (open) => !open);
  await assert.rejects(rig.visit(id));
  respond(hold[0], "in time");
  assert.equal((await visit).body, "in time");
  await drained;
  assert.equal(daemon.ended, null);
  await rig.hub.close();
  await daemon.end();
});

Deno.test("a hub without a token starts, admits nobody, and says how to make the first", async () => {
  await using rig = await HubRig.start();
  assert.match(rig.lines.join("\n"), /`connectd token create --scope admin --state \/.*`/);
  assert.equal((await rig.api("GET", "/v1/links")).status, 401);
  assert.equal((await rig.api("GET", "/healthz")).status, 200);
});

Deno.test("a hub that listens elsewhere keeps its links and tells their new URLs", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const before = rig.hub.address.port;
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  await assert.rejects(rig.hub.rebind({ hostname: "127.0.0.1", port }), /it is in use/);
  taken.close();
  assert.equal(rig.hub.address.port, before);
  await rig.hub.rebind({ hostname: "127.0.0.1", port: 0 });
  const granted = await daemon.until(({ type }) => type === "granted");
  assert.equal(granted.links[0].url, `http://${id}.localhost:${rig.hub.address.port}`);
  assert.equal((await rig.visit(id)).status, 200);
});

Deno.test("a hub that listens elsewhere takes nobody at the old place, and finishes what is in flight there", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached({ serve() {} });
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const visits = [];
  for (let n = 1; n <= 2; n++) {
    const { port } = rig.hub.address;
    visits.push(rig.visit(id));
    await eventually(() => daemon.opened.length, (opened) => opened === n);
    await rig.hub.rebind({ hostname: "127.0.0.1", port: 0 });
    // Refused, or reset where the kernel had it in the queue already.
    await assert.rejects(ask(port, "localhost", "GET /healthz HTTP/1.1"));
  }
  respond(daemon.opened[0], "late");
  const drained = rig.hub.drain(20_000);
  respond(daemon.opened[1], "later");
  await drained;
  const answers = await Promise.all(visits);
  assert.deepEqual(answers.map(({ status, body }) => [status, body]), [[200, "late"], [200, "later"]]);
});

Deno.test("an expiry that no calendar holds ends its daemon's session, and spoils no list of links", async () => {
  await using rig = await HubRig.start();
  const stranger = rig.attached({ workspace: "other" });
  const hello = stranger.hello([link("web", { expiresAt: Number.MAX_SAFE_INTEGER })]);
  await assert.rejects(hello, /^Error: the session ended: protocol_error .*expiresAt/);
  const { status } = await rig.api("GET", "/v1/links", undefined, undefined, rig.hub.socket!);
  assert.equal(status, 200);
});
