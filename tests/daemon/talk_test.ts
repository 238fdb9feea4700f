import assert from "node:assert/strict";
import { readEntry } from "../../src/config/oneoff.ts";
import { newRecord } from "../../src/core/link.ts";
import type { ManagedLink } from "../../src/daemon/managed.ts";
import { HubTalk, type TalkMeans } from "../../src/daemon/talk.ts";
import { DaemonRig } from "./daemon_rig.ts";

const HOUR = 3_600_000;

Deno.test("what a hub revokes is revoked at once and for good", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const id = rig.link("demo").id!;
  rig.hub.revoke("demo", rig.clock.now());
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "revoked");
  assert.equal(await rig.hub.visit(id), "link_revoked");
  assert.equal(rig.link("demo").state, "revoked");
  await rig.restart();
  assert.equal(rig.link("demo").state, "revoked");
});

Deno.test("a hub whose clock is behind revokes a link that was just renewed", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  await rig.api("POST", "/v1/links/demo/renew");
  rig.hub.revoke("demo", rig.clock.now() - HOUR);
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "revoked");
  assert.equal(rig.link("demo").state, "revoked");
});

Deno.test("a revocation that is told again after a renewal is settled, and the hub hears so", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const at = rig.clock.now();
  rig.hub.revoke("demo", at);
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "revoked");
  await rig.pass(1000);
  await rig.api("POST", "/v1/links/demo/renew");
  const seen = rig.hub.declarations("demo").length;
  rig.hub.revoke("demo", at);
  await rig.hub.until(() => rig.hub.declarations("demo").length >= seen + 2);
  assert.deepEqual(rig.hub.declarations("demo").slice(seen).map(({ state }) => state), ["revoked", "active"]);
  assert.equal(rig.link("demo").state, "active");
});

Deno.test("a welcome tells what was revoked meanwhile, also of a link whose id was not known", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo }, other: { target: echo } }");
  const id = rig.hub.id("demo");
  rig.hub.pending.push({ name: "demo", id, at: rig.clock.now() });
  rig.hub.drop();
  await rig.pass(2000);
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "revoked");
  assert.equal(rig.link("demo").state, "revoked");
  assert.equal(rig.link("other").state, "active");

  await using fresh = await DaemonRig.start("links: {}");
  await fresh.daemon.close();
  fresh.hub.pending.push({ name: "demo", id: "id1", at: fresh.clock.now() });
  fresh.write("links: { demo: { target: echo } }");
  await fresh.begin();
  assert.equal(fresh.link("demo").id, "id1");
  assert.equal(fresh.link("demo").state, "revoked");
});

/** The hub greets anew and tells of the revocation, which the daemon has heard of and which ends nothing. */
async function settledByWelcome(rig: DaemonRig): Promise<void> {
  const seen = rig.hub.declarations("demo").length;
  rig.hub.drop();
  await rig.pass(2000);
  // The hello, the word that it was heard, and how things stand.
  await rig.hub.until(() => rig.hub.declarations("demo").length >= seen + 3);
  const states = rig.hub.declarations("demo").slice(seen).map(({ state }) => state);
  assert.deepEqual(states, ["active", "revoked", "active"]);
  assert.equal(rig.link("demo").state, "active");
}

Deno.test("a revocation from before the last renewal is settled when a welcome tells it", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const at = rig.clock.now();
  await rig.pass(1000);
  await rig.api("POST", "/v1/links/demo/renew");
  rig.hub.pending.push({ name: "demo", id: rig.hub.id("demo"), at, activatedAt: at });
  await settledByWelcome(rig);
});

Deno.test("a hub whose clock is behind has revoked the link that it knows, also when a welcome tells it", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, ttl: 1d } }");
  await rig.pass(1000);
  await rig.api("POST", "/v1/links/demo/renew");
  await rig.hub.until(() => rig.hub.declared("demo")!.activatedAt === rig.clock.now());
  const { activatedAt } = rig.hub.declared("demo")!;
  rig.hub.pending.push({ name: "demo", id: rig.hub.id("demo"), at: activatedAt! - HOUR, activatedAt });
  rig.hub.drop();
  await rig.pass(2000);
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "revoked");
  await rig.restart();
  assert.equal(rig.link("demo").state, "revoked");
});

Deno.test("under `remote: none` no hub revokes", async () => {
  await using rig = await DaemonRig.start("remote: none\nlinks: { demo: { target: echo } }");
  const seen = rig.hub.declarations("demo").length;
  rig.hub.revoke("demo", rig.clock.now());
  await rig.hub.until(() => rig.hub.declarations("demo").length >= seen + 2);
  assert.equal(rig.hub.declared("demo")!.state, "active");
  assert.equal(rig.link("demo").state, "active");
  assert.equal(rig.lines.some((line) => line.includes("remote: none")), true);
});

Deno.test("a revocation of an id that is the link's no more is nobody's", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const { id } = rig.link("demo");
  await rig.api("POST", "/v1/links/demo/renew", { newId: true });
  rig.hub.tell({ type: "revoke", name: "demo", id: id!, at: rig.clock.now() });
  await rig.api("GET", "/v1/status");
  assert.equal(rig.link("demo").state, "active");
});

Deno.test("a link that a hub refuses is in error with the reason, and is asked for again", async () => {
  await using rig = await DaemonRig.start("links: {}");
  rig.hub.refusing.set("demo", { code: "name_taken", message: "the name hello is taken" });
  await rig.reload("links: { demo: { target: echo, subdomain: hello } }");
  await rig.pass(1);
  const { state, lastError, url } = rig.link("demo");
  assert.deepEqual([state, lastError, url], ["error", "the name hello is taken", null]);
  rig.hub.refusing.clear();
  await rig.pass(31_000);
  assert.equal(rig.link("demo").state, "active");
  assert.equal(rig.link("demo").lastError, null);
  assert.equal(rig.lines.filter((line) => line.includes("the name hello is taken")).length, 1);
});

Deno.test("visitors that a hub refused count on their link", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const id = rig.hub.id("demo");
  rig.hub.tell({
    type: "refused",
    counts: [
      { id, code: "method_denied", n: 3 },
      { id, code: "constructor", n: 5 },
      { id: "unknown", code: "method_denied", n: 1 },
    ],
  });
  rig.hub.tell({ type: "refused", counts: [{ id, code: "method_denied", n: 2 }] });
  await rig.pass(1);
  assert.deepEqual(rig.link("demo").counters.denied, { method_denied: 5 });
});

Deno.test("what changes while a hub takes its time to welcome is told to it", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo }, old: { target: echo } }");
  rig.hub.hold();
  rig.hub.drop();
  const hellos = () => rig.hub.said.filter(({ type }) => type === "hello").length;
  await rig.pass(2000);
  await rig.hub.until(() => hellos() === 2);
  await rig.daemon.revoke("demo");
  await rig.reload("links: { demo: { target: echo } }");
  rig.hub.release();
  await rig.hub.until(() => rig.hub.removals().length > 0);
  assert.equal(rig.hub.declared("demo")!.state, "revoked");
  assert.equal(hellos(), 2);
});

Deno.test("an answer to what was said of a name before is not taken for the link that has it now", async () => {
  await using rig = await DaemonRig.start("links: {}");
  await rig.daemon.create({ name: "demo", target: "echo" });
  const before = rig.link("demo").id!;
  rig.hub.hold();
  // The hub's answer to this is late.
  rig.hub.refusing.set("demo", { code: "limit", message: "too many links" });
  await rig.daemon.revoke("demo");
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "revoked");
  rig.hub.refusing.clear();
  const made = rig.daemon.create({ name: "demo", target: "echo" });
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "active");
  rig.hub.release();
  const { id } = await made;
  assert.equal(rig.lines.some((line) => line.includes("too many links")), false);
  assert.notEqual(id, before);
  assert.equal(id, rig.hub.id("demo"));
  assert.equal(await rig.hub.visit(before), "link_revoked");
});

Deno.test("a hub that goes away makes its links pending, and is told everything when it is back", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const { id } = rig.link("demo");
  rig.hub.drop();
  await rig.pass(1);
  assert.equal(rig.daemon.hubs()[0].connections, 0);
  assert.equal(rig.link("demo").state, "pending");
  await rig.pass(2000);
  assert.equal(rig.link("demo").state, "active");
  assert.equal(rig.hub.declared("demo")!.id, id);
});

Deno.test("a link that is renewed is answered when the hub has heard of it", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  await rig.daemon.revoke("demo");
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "revoked");
  await rig.pass(1);
  rig.hub.hold();
  let answered = false;
  const renewed = rig.api("POST", "/v1/links/demo/renew").finally(() => answered = true);
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "active");
  for (let turn = 0; turn < 20; turn++) await rig.api("GET", "/v1/links/demo");
  assert.equal(answered, false);
  rig.hub.release();
  assert.equal((await renewed).json.state, "active");
});

Deno.test("a link that was told twice before the hub answered has the id that the hub gave it last", async () => {
  await using rig = await DaemonRig.start("links: {}");
  rig.hub.hold();
  const made = rig.daemon.create({ name: "demo", target: "echo" });
  await rig.hub.until(() => rig.hub.declared("demo") !== undefined);
  const first = rig.hub.id("demo");
  const renewed = rig.api("POST", "/v1/links/demo/renew", { ttl: "never" });
  await rig.hub.until(() => rig.hub.declarations("demo").length === 2);
  const id = rig.hub.id("demo");
  assert.notEqual(id, first);
  const { revision } = rig.hub.said.find((said) => said.type === "links")!;
  rig.hub.tell({
    type: "granted",
    revision,
    links: [{ name: "demo", id: first, url: `http://${first}.test` }],
  });
  await rig.api("GET", "/v1/status");
  assert.notEqual(rig.link("demo").id, first);
  rig.hub.release();
  assert.deepEqual([(await made).id, (await renewed).json.id, rig.link("demo").id], [id, id, id]);
});

Deno.test("a revocation is of the link that had the subdomain then, not of one that was made since", async () => {
  await using rig = await DaemonRig.start("links: {}");
  const make = () => rig.daemon.create({ name: "demo", target: "echo", subdomain: "shop" });
  await make();
  const at = rig.clock.now();
  await rig.daemon.revoke("demo");
  await rig.pass(1000);
  await make();
  rig.hub.pending.push({ name: "demo", id: "shop", at });
  await settledByWelcome(rig);
});

Deno.test("a hub that greets by two connections, with a change in between, gives one id", () => {
  const config = { services: new Map(), hubs: [], dir: "/" } as never;
  const { entry } = readEntry({ name: "demo", target: "echo" }, {
    now: 0,
    source: "oneoff",
    config,
    dir: "/",
  });
  const link = {
    name: "demo",
    record: newRecord(entry!),
    served: { entry, failing: null, problem: null },
    since: null,
    told: new Map(),
  } as unknown as ManagedLink;
  const given: string[] = [], services: string[] = [];
  const talk = new HubTalk({
    links: () => [link],
    find: () => link,
    services: () => services,
    hubs: { status: () => [{ key: "hub" }], send: () => true, learn() {} },
    now: () => 0,
    granted: (_hub: string, _link: ManagedLink, grant: { id: string }) => given.push(grant.id),
    settled() {},
  } as unknown as TalkMeans);
  const hello = () => talk.hello("hub", 0)[0] as { revision: number };
  const welcome = (id: string, revision: number) =>
    talk.heard("hub", {
      type: "welcome",
      ...{ version: 1, hub: "hub", limits: { streams: 1 }, revoked: [], hubs: [], revision },
      links: [{ name: "demo", id, url: `http://${id}.test` }],
    });
  const first = hello().revision;
  services.push("another");
  talk.declareServices();
  const second = hello().revision;
  // To the hub it is another wish.
  assert.ok(second > first);
  welcome("id1", first);
  welcome("id2", second);
  assert.deepEqual(given, ["id2"]);
});
