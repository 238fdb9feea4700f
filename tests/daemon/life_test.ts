import assert from "node:assert/strict";
import { systemClock } from "../../src/clock.ts";
import { ask, eventually } from "../hub/rig.ts";
import { DaemonRig, realHub } from "./daemon_rig.ts";

const HOUR = 3_600_000;

Deno.test("ttl counts from the first activation", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, ttl: 1h } }");
  const { state, activatedAt, expiresAt, url } = rig.link("demo");
  assert.equal(state, "active");
  assert.equal(url, `http://${rig.hub.id("demo")}.localhost:8080`);
  assert.equal(Date.parse(expiresAt!) - Date.parse(activatedAt!), HOUR);
  await rig.hub.until(() => rig.hub.declared("demo")!.expiresAt === Date.parse(expiresAt!));
});

Deno.test("a link that no hub has granted is pending, and its ttl has not begun", async () => {
  await using rig = await DaemonRig.start("links: {}");
  rig.hub.hold();
  const reloaded = rig.reload("links: { demo: { target: echo, ttl: 1h } }");
  await reloaded;
  assert.equal(rig.link("demo").state, "pending");
  await rig.leap(2 * HOUR);
  assert.equal(rig.link("demo").state, "pending");
  rig.hub.release();
  await rig.pass(1);
  assert.equal(rig.link("demo").state, "active");
});

Deno.test("a link ends when its time is over, and is cut and told everywhere", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, ttl: 1h } }");
  const id = rig.hub.id("demo");
  assert.equal(await rig.hub.visit(id), "200");
  const ended = rig.daemon.ended("demo");
  rig.clock.jump(HOUR);
  // At once, before anything was noticed by a timer.
  assert.equal(await rig.hub.visit(id), "link_expired");
  await rig.pass(1000);
  assert.equal(rig.link("demo").state, "expired");
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "expired");
  await ended;
});

Deno.test("a restart neither extends nor revives a link", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, ttl: 1h } }");
  const before = rig.link("demo");
  await rig.leap(HOUR / 2);
  await rig.restart();
  assert.equal(rig.link("demo").activatedAt, before.activatedAt);
  assert.equal(rig.link("demo").expiresAt, before.expiresAt);
  assert.equal(rig.link("demo").id, before.id);
  await rig.leap(HOUR / 2);
  assert.equal(rig.link("demo").state, "expired");
  await rig.restart();
  assert.equal(rig.link("demo").state, "expired");
  assert.equal(rig.hub.declared("demo")!.state, "expired");
  assert.equal(await rig.hub.visit(rig.hub.id("demo")), "link_expired");
});

Deno.test("a link that expired while no daemon ran is expired from the beginning", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, ttl: 1h } }");
  await rig.daemon.close();
  rig.clock.jump(2 * HOUR);
  await rig.restart();
  assert.equal(rig.hub.declarations("demo")[0].state, "expired");
  assert.equal(rig.link("demo").state, "expired");
});

Deno.test("an edited ttl keeps the activation: a shorter one acts at once, a longer one brings the link back", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, ttl: 10h } }");
  const { activatedAt, id } = rig.link("demo");
  await rig.leap(2 * HOUR);
  await rig.reload("links: { demo: { target: echo, ttl: 1h } }");
  assert.equal(rig.link("demo").state, "expired");
  assert.equal(await rig.hub.visit(id!), "link_expired");
  await rig.reload("links: { demo: { target: echo, ttl: 3h } }");
  assert.equal(rig.link("demo").state, "active");
  assert.equal(rig.link("demo").activatedAt, activatedAt);
  assert.equal(Date.parse(rig.link("demo").expiresAt!) - Date.parse(activatedAt!), 3 * HOUR);
  assert.equal(await rig.hub.visit(id!), "200");
  assert.equal(rig.hub.declared("demo")!.state, "active");
});

Deno.test("an expired link stays so when the clock is set back", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, ttl: 1h } }");
  await rig.leap(HOUR);
  await rig.leap(-HOUR);
  assert.equal(rig.link("demo").state, "expired");
  await rig.restart();
  assert.equal(rig.link("demo").state, "expired");
});

Deno.test("renew begins the link anew, with its own ttl or another", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, ttl: 1h } }");
  const { id } = rig.link("demo");
  await rig.leap(HOUR);
  const renewed = await rig.api("POST", "/v1/links/demo/renew");
  assert.equal(renewed.status, 200);
  assert.equal(renewed.json.state, "active");
  assert.equal(renewed.json.id, id);
  assert.equal(Date.parse(renewed.json.expiresAt) - rig.clock.now(), HOUR);
  assert.equal(await rig.hub.visit(id!), "200");
  const longer = await rig.api("POST", "/v1/links/demo/renew", { ttl: "5h" });
  assert.equal(Date.parse(longer.json.expiresAt) - rig.clock.now(), 5 * HOUR);
  await rig.restart();
  assert.equal(rig.link("demo").expiresAt, longer.json.expiresAt);
  const never = await rig.api("POST", "/v1/links/demo/renew", { ttl: "never" });
  assert.equal(never.json.expiresAt, null);
});

Deno.test("ended settles for the present life of a link, not for one before a renewal", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, ttl: 1h } }");
  await rig.leap(HOUR);
  await rig.daemon.ended("demo");
  await rig.api("POST", "/v1/links/demo/renew");
  let over = false;
  const ended = rig.daemon.ended("demo").then(() => over = true);
  await rig.pass(1);
  assert.equal(over, false);
  await rig.api("DELETE", "/v1/links/demo");
  await ended;
});

Deno.test("a link with `until` is renewed by a ttl only", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, until: 2026-01-01T01:00:00Z } }");
  await rig.leap(HOUR);
  assert.equal(rig.link("demo").state, "expired");
  const refused = await rig.api("POST", "/v1/links/demo/renew");
  assert.equal(refused.status, 422);
  assert.equal(refused.json.errors[0].pointer, "/ttl");
  const renewed = await rig.api("POST", "/v1/links/demo/renew", { ttl: "2h" });
  assert.equal(renewed.status, 200);
  assert.equal(renewed.json.state, "active");
  assert.equal(Date.parse(renewed.json.expiresAt) - rig.clock.now(), 2 * HOUR);
  await rig.reload("links: { demo: { target: echo, until: 2026-01-01T09:00:00Z } }");
  assert.equal(rig.link("demo").expiresAt, "2026-01-01T09:00:00.000Z");
});

Deno.test("renew with a new id leaves the old one ended for good", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const { id } = rig.link("demo");
  const renewed = await rig.api("POST", "/v1/links/demo/renew", { newId: true });
  assert.notEqual(renewed.json.id, id);
  assert.equal(renewed.json.state, "active");
  assert.equal(await rig.hub.visit(renewed.json.id), "200");
  assert.equal(await rig.hub.visit(id!), "link_removed");
  await rig.restart();
  assert.equal(rig.link("demo").id, renewed.json.id);
  assert.equal(rig.hub.declared("demo")!.newId, false);
  assert.equal(await rig.hub.visit(id!), "link_removed");
});

Deno.test("who asks for a new id is answered when the hub has given it", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  rig.hub.hold();
  let answered = false;
  const renewing = rig.api("POST", "/v1/links/demo/renew", { newId: true }).finally(() => answered = true);
  await rig.hub.until(() => rig.hub.declared("demo")!.newId);
  // What is asked for later is stored later.
  await rig.api("DELETE", "/v1/links/demo");
  assert.equal(answered, false);
  rig.hub.release();
  assert.equal((await renewing).json.id, rig.hub.id("demo"));
});

Deno.test("a link that wants a subdomain can not have another id", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, subdomain: hello } }");
  const refused = await rig.api("POST", "/v1/links/demo/renew", { newId: true });
  assert.equal(refused.status, 422);
  assert.equal(refused.json.errors[0].pointer, "/newId");
  assert.equal(rig.link("demo").id, "hello");
});

Deno.test("a revocation is durable, can be repeated, and wins over restart and reload", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const id = rig.link("demo").id!;
  const first = await rig.api("DELETE", "/v1/links/demo");
  assert.equal(first.status, 200);
  assert.equal(first.json.state, "revoked");
  assert.equal(await rig.hub.visit(id), "link_revoked");
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "revoked");
  await rig.pass(2000);
  const again = await rig.api("DELETE", "/v1/links/demo");
  assert.equal(again.status, 200);
  assert.equal(again.json.revokedAt, first.json.revokedAt);
  await rig.restart();
  assert.equal(rig.link("demo").state, "revoked");
  assert.equal(await rig.hub.visit(id), "link_revoked");
  await rig.reload("links: { demo: { target: echo, ttl: 5h } }");
  assert.equal(rig.link("demo").state, "revoked");
  const renewed = await rig.api("POST", "/v1/links/demo/renew");
  assert.equal(renewed.json.state, "active");
  assert.equal(renewed.json.revokedAt, null);
  assert.equal(await rig.hub.visit(id), "200");
});

Deno.test("a reload that touches a revoked link warns at its entry, as long as the file says so", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  await rig.api("DELETE", "/v1/links/demo");
  const touched = await rig.reload("links:\n  demo: { target: echo, ttl: 5h }");
  assert.equal(touched.json.applied, true);
  const [warning, ...rest] = touched.json.problems;
  assert.deepEqual(rest, []);
  assert.deepEqual([warning.code, warning.severity, warning.line, warning.column], [
    "revoked",
    "warning",
    3,
    3,
  ]);
  // The watch sees the same change a moment later.
  const same = await rig.api("POST", "/v1/reload");
  assert.deepEqual(same.json.plan, []);
  const status = await rig.api("GET", "/v1/status");
  assert.deepEqual(status.json.config.problems, [warning]);
  await rig.api("POST", "/v1/links/demo/renew");
  assert.deepEqual((await rig.api("POST", "/v1/reload")).json.problems, []);
});

Deno.test("an entry that was removed answers so, and carries on with its record when it is put back", async () => {
  await using rig = await DaemonRig.start(
    "links: { demo: { target: echo, ttl: 2h }, other: { target: echo } }",
  );
  const before = rig.link("demo");
  await rig.reload("links: { other: { target: echo } }");
  assert.equal(await rig.hub.visit(before.id!), "link_removed");
  await rig.hub.until(() => rig.hub.removals().length > 0);
  assert.deepEqual(rig.hub.removals(), [{ name: "demo", id: before.id, reason: "removed" }]);
  await rig.restart();
  assert.equal(await rig.hub.visit(before.id!), "link_removed");
  await rig.leap(HOUR);
  await rig.reload("links: { demo: { target: echo, ttl: 2h }, other: { target: echo } }");
  assert.equal(rig.link("demo").activatedAt, before.activatedAt);
  assert.equal(rig.hub.declared("demo")!.id, before.id);
  assert.equal(await rig.hub.visit(before.id!), "200");
});

Deno.test("a revoked link that was removed stays revoked, and comes back revoked with a warning", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo }, other: { target: echo } }");
  const id = rig.link("demo").id!;
  await rig.api("DELETE", "/v1/links/demo");
  await rig.reload("links: { other: { target: echo } }");
  assert.equal(await rig.hub.visit(id), "link_revoked");
  assert.equal(rig.hub.removals()[0].reason, "revoked");
  await rig.restart();
  assert.equal(await rig.hub.visit(id), "link_revoked");
  const back = await rig.reload("links: { demo: { target: echo }, other: { target: echo } }");
  assert.equal(rig.link("demo").state, "revoked");
  assert.deepEqual(back.json.problems.map(({ code }: { code: string }) => code), ["revoked"]);
});

Deno.test("what is in flight when a link ends has its drain to finish, then it is cut", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: 'echo', drain: 5s } }");
  const asked = rig.hub.ask(rig.link("demo").id!, "GET /?delay=60s");
  await rig.api("GET", "/healthz");
  assert.equal((await rig.api("GET", "/v1/links/demo")).json.counters.open, 1);
  await rig.api("DELETE", "/v1/links/demo");
  await rig.pass(4000);
  assert.equal(asked.code, null);
  assert.equal(asked.status, 0);
  await rig.pass(2000);
  await asked.over;
  assert.deepEqual([asked.status, asked.refused], [410, "link_revoked"]);
});

Deno.test("a link that is renewed while it drains keeps what is in flight", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: 'echo' } }");
  const asked = rig.hub.ask(rig.link("demo").id!, "GET /?delay=20s");
  await rig.api("DELETE", "/v1/links/demo");
  await rig.pass(3000);
  await rig.api("POST", "/v1/links/demo/renew");
  await rig.pass(20_000);
  await asked.over;
  assert.equal(asked.status, 200);
});

Deno.test("a link whose credentials can not be read is in error everywhere, until they can be", async () => {
  await using rig = await DaemonRig.start(
    "links: { demo: { target: echo, auth: { bearer: { token_file: ./partner } } } }",
  );
  const { state, lastError, id } = rig.link("demo");
  assert.equal(state, "error");
  assert.match(lastError!, /partner/);
  assert.equal(rig.hub.declared("demo")!.state, "error");
  assert.equal(await rig.hub.visit(id!), "link_unavailable");
  Deno.writeTextFileSync(`${rig.folder}/partner`, "a-token-of-many-letters\n");
  await eventually(async () => (await rig.pass(500), rig.link("demo").state), (state) => state === "active");
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "active");
  assert.equal(await rig.hub.visit(id!), "auth_required");
  assert.match(
    rig.lines.join("\n"),
    /link is in error: there is no file .*partner.*\n.*in order again/,
  );
  await rig.restart();
  assert.equal(rig.link("demo").state, "active");
  assert.equal(rig.lines.filter((line) => line.includes("in order again")).length, 1);
});

Deno.test("a subdomain that moves to another link stays with it whatever becomes of the first", async () => {
  await using rig = await DaemonRig.start(
    "links: { a: { target: echo, subdomain: hello }, b: { target: echo } }",
  );
  await rig.reload("links: { a: { target: echo, subdomain: bye }, b: { target: echo, subdomain: hello } }");
  await rig.hub.until(() => rig.hub.id("b") === "hello");
  await rig.pass(1);
  assert.equal(await rig.hub.visit("hello"), "200");
  await rig.api("POST", "/v1/links/a/renew");
  assert.equal(await rig.hub.visit("hello"), "200");
  await rig.reload("links: { b: { target: echo, subdomain: hello } }");
  assert.equal(await rig.hub.visit("hello"), "200");
  assert.equal(await rig.hub.visit("bye"), "link_removed");
});

Deno.test("rates of an hour and more carry on over a restart", async () => {
  await using rig = await DaemonRig.start(
    "links: { demo: { target: echo, rate: 2/h }, quick: { target: echo, rate: 2/m } }",
  );
  for (const name of ["demo", "quick"]) {
    const id = rig.link(name).id!;
    assert.deepEqual(
      [await rig.hub.visit(id), await rig.hub.visit(id), await rig.hub.visit(id)],
      ["200", "200", "rate_limited"],
    );
  }
  await rig.restart();
  assert.equal(await rig.hub.visit(rig.link("demo").id!), "rate_limited");
  assert.equal(await rig.hub.visit(rig.link("quick").id!), "200");
  await rig.daemon.close();
  rig.clock.jump(HOUR / 2);
  await rig.restart();
  assert.equal(await rig.hub.visit(rig.link("demo").id!), "200");
});

Deno.test("at a real hub a link keeps its id, ends and comes back", async () => {
  let folder = "";
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }", {
    embedded: (listen) => {
      folder ||= Deno.makeTempDirSync({ prefix: "connectd-hub-" });
      return realHub(() => folder, systemClock)(listen);
    },
  });
  const { id, url, state } = rig.link("demo");
  assert.equal(state, "active");
  const { host, port } = new URL(url!);
  const visit = async () => (await ask(Number(port), host, "GET / HTTP/1.1")).status;
  assert.equal(await visit(), 200);
  await rig.api("DELETE", "/v1/links/demo");
  assert.equal(await visit(), 410);
  await rig.api("POST", "/v1/links/demo/renew");
  assert.equal(await visit(), 200);
  await rig.restart();
  assert.equal(rig.link("demo").id, id);
  Deno.removeSync(folder, { recursive: true });
});
