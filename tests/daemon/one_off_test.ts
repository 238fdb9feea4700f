import assert from "node:assert/strict";
import { systemClock } from "../../src/clock.ts";
import { ask, eventually } from "../hub/rig.ts";
import { DaemonRig, realHub } from "./daemon_rig.ts";

const HOUR = 3_600_000;
const pointers = (json: { errors: { pointer: string }[] }) => json.errors.map(({ pointer }) => pointer);

Deno.test("a one-off is made with 24h, answers with its URL, and survives a restart", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const made = await rig.api("POST", "/v1/links", { name: "quick", target: "echo", methods: ["GET"] });
  assert.equal(made.status, 201);
  assert.match(made.head, /^location: \/v1\/links\/quick\r$/im);
  const { json } = made;
  assert.equal(json.source, "oneoff");
  assert.equal(json.state, "active");
  assert.equal(json.url, `http://${rig.hub.id("quick")}.localhost:8080`);
  assert.equal(Date.parse(json.expiresAt) - Date.parse(json.activatedAt), 24 * HOUR);
  assert.equal(await rig.hub.visit(json.id, "POST /"), "method_denied");
  await rig.restart();
  const after = rig.link("quick");
  assert.deepEqual([after.id, after.expiresAt, after.source], [json.id, json.expiresAt, "oneoff"]);
  assert.equal(await rig.hub.visit(json.id, "POST /"), "method_denied");
});

Deno.test("a name that a link has is taken, and the name of an ended one-off is free for another link", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const first = await rig.api("POST", "/v1/links", { name: "quick", target: "echo" });
  for (const name of ["demo", "quick"]) {
    const taken = await rig.api("POST", "/v1/links", { name, target: "echo" });
    assert.deepEqual([taken.status, taken.json.code], [409, "name_taken"]);
  }
  await rig.api("DELETE", "/v1/links/demo");
  assert.equal((await rig.api("POST", "/v1/links", { name: "demo", target: "echo" })).status, 409);
  await rig.api("DELETE", "/v1/links/quick");
  const second = await rig.api("POST", "/v1/links", { name: "quick", target: "echo" });
  assert.equal(second.status, 201);
  assert.notEqual(second.json.id, first.json.id);
  assert.equal(await rig.hub.visit(first.json.id), "link_revoked");
  assert.equal(await rig.hub.visit(second.json.id), "200");
  await rig.leap(24 * HOUR);
  assert.equal((await rig.api("POST", "/v1/links", { name: "quick", target: "echo" })).status, 201);
});

Deno.test("a one-off stands on the file's services and defaults", async () => {
  await using rig = await DaemonRig.start(
    "defaults: { ttl: 2h }\nservices: { api: echo, inner: { target: echo, access: private } }\nlinks: {}",
  );
  const made = await rig.api("POST", "/v1/links", { name: "quick", target: "api" });
  assert.deepEqual([made.json.service, made.json.target], ["api", "echo"]);
  assert.equal(Date.parse(made.json.expiresAt) - Date.parse(made.json.activatedAt), 2 * HOUR);
  const refused = await rig.api("POST", "/v1/links", { name: "in", target: "inner" });
  assert.deepEqual([refused.status, pointers(refused.json)], [422, ["/target"]]);
});

Deno.test("what is wrong with a one-off is pointed at, all of it", async () => {
  await using rig = await DaemonRig.start(null);
  const post = (body: unknown, fields: string[] = []) => rig.api("POST", "/v1/links", body, fields);
  const wrong = await post({ name: "Quick", target: "echo", paths: ["/ok", "nope"], ttl: "soon", hello: 1 });
  assert.equal(wrong.status, 422);
  assert.deepEqual(pointers(wrong.json).sort(), ["/hello", "/name", "/paths/1", "/ttl"]);
  const missing = await post({ name: "quick" });
  assert.deepEqual([missing.status, pointers(missing.json)], [422, ["/target"]]);
  const passed = await post({ name: "quick", target: "echo", until: "2020-01-01T00:00:00Z" });
  assert.deepEqual([passed.status, pointers(passed.json)], [422, ["/until"]]);
  assert.equal((await post("[]")).status, 422);
  assert.equal((await post("{")).status, 400);
  assert.equal((await post("{}", ["Content-Type: text/plain"])).status, 415);
  assert.equal((await rig.api("POST", "/v1/links")).status, 415);
  const large = await post({ name: "quick", target: "echo", paths: ["/" + "x".repeat(70_000)] });
  assert.deepEqual([large.status, large.json.code], [413, "body_too_large"]);
  assert.deepEqual(rig.daemon.links(), []);
});

Deno.test("a one-off is no business of the file, until the file names it", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const { json } = await rig.api("POST", "/v1/links", { name: "quick", target: "echo", ttl: "never" });
  assert.deepEqual((await rig.api("POST", "/v1/reload")).json.plan, []);
  const named = await rig.reload("links: { demo: { target: echo }, quick: { target: echo } }");
  assert.deepEqual(
    named.json.plan.map(({ step, name }: { step: string; name: string }) => [step, name]),
    [["close", "quick"], ["open", "quick"]],
  );
  await rig.pass(1);
  assert.equal(rig.link("quick").source, "file");
  assert.equal(await rig.hub.visit(json.id), "link_removed");
  assert.notEqual(rig.link("quick").id, json.id);
  const gone = await rig.reload("links: { demo: { target: echo } }");
  assert.deepEqual(gone.json.plan.map(({ step }: { step: string }) => step), ["close"]);
  assert.equal(rig.link("quick"), undefined);
});

Deno.test("at a real hub an entry, a one-off of its name, and the entry put back have each their own id", async () => {
  let folder = "";
  await using rig = await DaemonRig.start("links: { demo: { target: echo }, other: { target: echo } }", {
    embedded: (listen) => realHub(() => folder ||= Deno.makeTempDirSync(), systemClock)(listen),
  });
  const whole = Deno.readTextFileSync(rig.file).replace("version: 1\n", "");
  const { id, url } = rig.link("demo");
  await rig.reload("links: { other: { target: echo } }");
  const quick = await rig.daemon.create({ name: "demo", target: "echo" });
  assert.notEqual(quick.id, id);
  await rig.reload(whole);
  await eventually(() => rig.link("demo"), ({ state }) => state === "active");
  assert.equal(rig.link("demo").id, id);
  const { port } = new URL(url!);
  const visit = async (host: string) => (await ask(Number(port), host, "GET / HTTP/1.1")).status;
  assert.deepEqual([await visit(`${id}.localhost`), await visit(`${quick.id}.localhost`)], [200, 410]);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("an entry takes over the name and the subdomain of a one-off", async () => {
  await using rig = await DaemonRig.start("links: { other: { target: echo } }");
  const { id } = await rig.daemon.create({ name: "demo", target: "echo", subdomain: "hello" });
  await rig.reload("links: { other: { target: echo }, demo: { target: echo, subdomain: hello } }");
  await eventually(() => rig.link("demo"), ({ state }) => state === "active");
  assert.deepEqual([rig.link("demo").source, rig.link("demo").id], ["file", id]);
  assert.equal(await rig.hub.visit(id!), "200");
});

Deno.test("one-offs that ended long ago are forgotten, at a start and when another one is made", async () => {
  await using rig = await DaemonRig.start(null);
  for (const name of ["a", "b", "c"]) await rig.daemon.create({ name, target: "echo" });
  await rig.leap(25 * HOUR);
  assert.deepEqual(rig.daemon.links().map(({ state }) => state), ["expired", "expired", "expired"]);
  await rig.api("POST", "/v1/links/c/renew", { ttl: "never" });
  await rig.leap(8 * 24 * HOUR);
  await rig.daemon.create({ name: "d", target: "echo" });
  assert.deepEqual(rig.daemon.links().map(({ name }) => name), ["c", "d"]);
  await rig.leap(25 * HOUR);
  await rig.daemon.close();
  rig.clock.jump(8 * 24 * HOUR);
  await rig.restart({ file: null });
  assert.deepEqual(rig.daemon.links().map(({ name }) => name), ["c"]);
});

Deno.test("an expired one-off comes back by renew", async () => {
  await using rig = await DaemonRig.start(null);
  const { id } = await rig.daemon.create({ name: "quick", target: "echo", ttl: "1h" });
  await rig.leap(HOUR);
  const renewed = await rig.api("POST", "/v1/links/quick/renew");
  assert.deepEqual([renewed.json.state, renewed.json.id], ["active", id]);
});
