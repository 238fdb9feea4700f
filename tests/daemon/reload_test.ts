import assert from "node:assert/strict";
import { systemClock } from "../../src/clock.ts";
import { Failure } from "../../src/core/errors.ts";
import { BadFile } from "../../src/daemon/daemon.ts";
import { nobodyListens } from "../e2e/rig.ts";
import { ask, eventually, HubRig } from "../hub/rig.ts";
import { DaemonRig, realHub } from "./daemon_rig.ts";
import { FakeHub } from "./fake_hub.ts";

const TWO = "links:\n  a: { target: echo, rate: 100/m }\n  b: { target: echo }";

Deno.test("a reload answers with its plan, and each that changes something adds one to the generation", async () => {
  await using rig = await DaemonRig.start(TWO);
  const before = (await rig.api("GET", "/v1/status")).json.config;
  assert.equal(before.generation, 1);
  const asked = rig.hub.ask(rig.link("b").id!, "GET /?delay=60s");
  await rig.api("GET", "/healthz");
  const wanted = "links:\n  a: { target: echo, rate: 50/m }\n  c: { target: echo }";
  rig.write(wanted);
  const plan = [
    { step: "close", name: "b", changes: [], cuts: { streams: 1 } },
    {
      step: "retune",
      name: "a",
      changes: [{ key: "rate", from: "100/m", to: "50/m" }],
      cuts: { streams: 0 },
    },
    { step: "open", name: "c", changes: [], cuts: { streams: 0 } },
  ];
  const shown = await rig.api("GET", "/v1/plan");
  assert.deepEqual([shown.status, shown.json], [200, { plan, settings: [], problems: [] }]);
  assert.equal(rig.link("c"), undefined);
  const done = await rig.api("POST", "/v1/reload");
  assert.deepEqual([done.status, done.json], [200, { plan, settings: [], applied: true, problems: [] }]);
  assert.deepEqual(rig.daemon.links().map(({ name }) => name), ["a", "c"]);
  const after = (await rig.api("GET", "/v1/status")).json.config;
  assert.equal(after.generation, 2);
  assert.notEqual(after.hash, before.hash);
  assert.equal(rig.lines.some((line) => line.includes("~ a rate 100/m → 50/m")), true);
  await rig.pass(6000);
  await asked.over;
  assert.deepEqual([asked.status, asked.refused], [410, "link_removed"]);
});

Deno.test("a plan tells what is cut where a link goes or an edit ends it, and by no other retune", async () => {
  await using rig = await DaemonRig.start(
    "links:\n  a: { target: echo, ttl: 1d }\n  b: { target: echo }\n  c: { target: echo, max_uses: 5 }\n  d: { target: echo }",
  );
  const asked = ["a", "a", "b", "c", "d"].map((name) => rig.hub.ask(rig.hub.id(name), "GET /?delay=60s"));
  await rig.api("GET", "/healthz");
  await rig.leap(3_600_000);
  const said = async (yaml: string) => {
    const { plan } =
      (await rig.api("POST", "/v1/plan", JSON.stringify({ text: `version: 1\n${yaml}` }))).json;
    return plan.map(({ name, cuts }: { name: string; cuts: { streams: number } }) =>
      `${name} ${cuts.streams}`
    );
  };
  const rest = "  b: { target: echo, rate: 5/m }\n  c: { target: echo, max_uses: 1 }";
  assert.deepEqual(await said(`links:\n  a: { target: echo, ttl: 2h }\n${rest}`), [
    "d 1",
    "a 0",
    "b 0",
    "c 0",
  ]);
  assert.deepEqual(await said(`links:\n  a: { target: echo, until: 2026-01-01T00:30:00Z }\n${rest}`), [
    ...["d 1", "a 2", "b 0", "c 0"],
  ]);
  const short = `links:\n  a: { target: echo, ttl: 30m }\n${rest}`;
  assert.deepEqual(await said(short), ["d 1", "a 2", "b 0", "c 0"]);
  const { json } = await rig.reload(short);
  assert.deepEqual(json.plan.map(({ cuts }: { cuts: { streams: number } }) => cuts.streams), [1, 2, 0, 0]);
  await rig.pass(6000);
  const cut = (n: number) => asked[n].over.then(() => asked[n].refused);
  assert.deepEqual(await Promise.all([0, 1, 4].map(cut)), ["link_expired", "link_expired", "link_removed"]);
  assert.deepEqual([asked[2].status, asked[3].status], [0, 0]);
  assert.deepEqual(await said(`${short}\n  e: { target: echo }`), ["e 0"]);
});

Deno.test("an unchanged file is an empty plan and no new generation, whatever its comments and order say", async () => {
  await using rig = await DaemonRig.start(TWO);
  const same = await rig.reload(
    "# said\nlinks:\n  b: { target: 'echo' }\n  a: { rate: 100/m, target: echo }",
  );
  assert.deepEqual(same.json, { plan: [], settings: [], applied: true, problems: [] });
  assert.equal((await rig.api("GET", "/v1/status")).json.config.generation, 1);
});

Deno.test("a retune keeps what is in flight, and what the rates have counted", async () => {
  await using rig = await DaemonRig.start("links: { a: { target: echo, rate: 1/m } }");
  const id = rig.link("a").id!;
  const asked = rig.hub.ask(id, "GET /?delay=3s");
  await rig.api("GET", "/healthz");
  await rig.reload("links: { a: { target: echo, rate: 1/m, methods: [GET], paths: [/x] } }");
  assert.equal(await rig.hub.visit(id), "path_denied");
  assert.equal(await rig.hub.visit(id, "GET /x"), "rate_limited");
  await rig.pass(4000);
  await asked.over;
  assert.equal(asked.status, 200);
});

Deno.test("a link admits from its first moment, and while it changes over to another auth file", async () => {
  const yaml = (file: string) =>
    `links: { a: { target: echo, auth: { bearer: { token_file: ./${file} } } } }`;
  const fields = ["Authorization: Bearer 0123456789abcdef"];
  await using rig = await DaemonRig.start("links: { b: { target: echo } }");
  for (const file of ["one", "two"]) Deno.writeTextFileSync(`${rig.folder}/${file}`, "0123456789abcdef\n");
  for (const file of ["one", "two"]) {
    await rig.reload(yaml(file));
    await rig.hub.until(() => rig.hub.declared("a") !== undefined);
    const asked = rig.hub.ask(rig.hub.id("a"), "GET /", { fields });
    await asked.over;
    assert.equal(asked.status, 200);
  }
  await rig.restart();
  await rig.api("POST", "/v1/links", {
    name: "try",
    target: "echo",
    auth: { bearer: { tokenFile: `${rig.folder}/one` } },
  });
  const states = ["a", "try"].flatMap((name) => rig.hub.declarations(name).map(({ state }) => state));
  assert.deepEqual(new Set(states), new Set(["active"]));
});

Deno.test("a bad file changes nothing, and status shows its problems until a good one is applied", async () => {
  await using rig = await DaemonRig.start(TWO);
  const bad = await rig.reload("links:\n  a: { target: echo, rat: 5 }\n  b: { target: echo, ttl: soon }");
  assert.equal(bad.status, 422);
  assert.deepEqual([bad.json.applied, bad.json.plan], [false, []]);
  const [first, second] = bad.json.problems;
  assert.deepEqual([first.code, first.severity, first.line, first.column], ["unknown_key", "error", 3, 22]);
  assert.deepEqual([second.code, second.line], ["bad_duration", 4]);
  assert.equal(first.file, rig.file);
  assert.equal(first.source, "  a: { target: echo, rat: 5 }");
  await rig.api("POST", "/v1/reload");
  assert.equal(rig.lines.filter((line) => line.includes(":3:22:")).length, 1);
  const shown = (await rig.api("GET", "/v1/status")).json.config;
  assert.deepEqual([shown.generation, shown.problems], [1, bad.json.problems]);
  assert.deepEqual(rig.daemon.links().map(({ state }) => state), ["active", "active"]);
  await rig.reload(TWO);
  const mended = (await rig.api("GET", "/v1/status")).json.config;
  assert.deepEqual([mended.generation, mended.problems], [1, []]);
});

Deno.test("a file that is deleted is a problem, and its links run on", async () => {
  await using rig = await DaemonRig.start(TWO);
  Deno.removeSync(rig.file);
  const gone = await rig.api("POST", "/v1/reload");
  assert.deepEqual([gone.status, gone.json.problems.length], [422, 1]);
  assert.match(gone.json.problems[0].message, /there is no file/);
  assert.equal(await rig.hub.visit(rig.link("a").id!), "200");
  assert.equal((await rig.reload(TWO)).json.applied, true);
});

Deno.test("an empty file ends no running links unless that is asked for", async () => {
  await using rig = await DaemonRig.start(TWO);
  const guarded = await rig.reload("links: {}");
  assert.deepEqual([guarded.status, guarded.json.applied], [422, false]);
  assert.match(guarded.json.problems[0].message, /2 of its links run/);
  const shown = await rig.api("GET", "/v1/plan");
  assert.deepEqual([shown.json.plan, shown.json.problems.length], [[], 1]);
  assert.equal(rig.daemon.links().length, 2);
  const wrong = await rig.api("POST", "/v1/reload", { allowEmpty: 1, more: 2 });
  assert.equal(wrong.status, 422);
  assert.deepEqual(wrong.json.errors.map(({ pointer }: { pointer: string }) => pointer), [
    "/allowEmpty",
    "/more",
  ]);
  const asked = await rig.reload("links: {}", { allowEmpty: true });
  assert.deepEqual([asked.status, asked.json.plan.length], [200, 2]);
  assert.deepEqual(rig.daemon.links(), []);
});

Deno.test("a change of the file is noticed and applied without being asked for", async () => {
  await using rig = await DaemonRig.start(TWO);
  rig.write("links: { c: { target: echo } }");
  const look = async () => (await rig.pass(500), rig.link("c"));
  await eventually(look, (link) => link !== undefined);
  assert.deepEqual(rig.daemon.links().map(({ name }) => name), ["c"]);
});

Deno.test("a daemon does not start from a bad file, and says every problem once", async () => {
  const rig = DaemonRig.start("links: { a: { target: echo, rat: 5, ttl: soon } }");
  await assert.rejects(rig, (error: unknown) => error instanceof BadFile && error.problems.length === 2);
  await using warned = await DaemonRig.start("links: { a: { target: echo, until: 2020-01-01T00:00:00Z } }");
  assert.equal(warned.lines.filter((line) => / warn .*links\.yaml:2:/.test(line)).length, 1);
  assert.equal(warned.link("a").state, "expired");
});

Deno.test("control moves to another port while the daemon runs", async () => {
  await using rig = await DaemonRig.start("control: 127.0.0.1:0\nlinks: {}", { options: { control: null } });
  const before = rig.daemon.control!;
  const port = freePort();
  assert.equal((await rig.reload(`control: 127.0.0.1:${port}\nlinks: {}`)).status, 200);
  assert.equal(rig.daemon.control, `127.0.0.1:${port}`);
  assert.equal((await rig.tcp("GET", "/v1/status")).status, 200);
  await nobodyListens({ hostname: "127.0.0.1", port: Number(before.split(":")[1]) });
});

Deno.test("control that is named otherwise and is the same stays as it is", async () => {
  await using rig = await DaemonRig.start("control: 127.0.0.1:0\nlinks: {}", { options: { control: null } });
  const before = rig.daemon.control!;
  const same = await rig.reload(`control: ${before}\nlinks: {}`);
  assert.deepEqual([same.status, same.json.problems], [200, []]);
  assert.equal(rig.daemon.control, before);
  assert.equal((await rig.tcp("GET", "/v1/status")).status, 200);
});

Deno.test("a port that is taken refuses the reload at the key, and changes nothing else", async () => {
  await using rig = await DaemonRig.start("control: 127.0.0.1:0\nlinks: {}", { options: { control: null } });
  const before = rig.daemon.control!;
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const refused = await rig.reload(`links: { a: { target: echo } }\ncontrol:  127.0.0.1:${taken.addr.port}`);
  assert.equal(refused.status, 422);
  const [{ line, column, code, message }] = refused.json.problems;
  assert.deepEqual([line, column, code], [3, 11, "bad_address"]);
  assert.match(message, /it is in use/);
  assert.deepEqual([rig.daemon.links(), rig.daemon.control], [[], before]);
  assert.equal((await rig.tcp("GET", "/v1/status")).json.config.problems.length, 1);
});

Deno.test("where the hub can not listen elsewhere, control does not move either", async () => {
  await using rig = await DaemonRig.start("control: 127.0.0.1:0\nlinks: {}", { options: { control: null } });
  const before = rig.daemon.control!;
  rig.hub.unbindable = new Failure("the hub can not listen there");
  const port = freePort();
  const refused = await rig.reload(`listen: 127.0.0.1:9\ncontrol: 127.0.0.1:${port}\nlinks: {}`);
  assert.deepEqual([refused.status, refused.json.problems[0].line], [422, 2]);
  assert.equal(rig.daemon.control, before);
  await nobodyListens({ hostname: "127.0.0.1", port });
  rig.hub.unbindable = null;
  assert.equal((await rig.reload(`listen: 127.0.0.1:9\nlinks: {}\ncontrol: 127.0.0.1:0`)).status, 200);
  assert.deepEqual(rig.hub.listens, ["127.0.0.1:9"]);
});

Deno.test("links move from the embedded hub to one elsewhere, and back", async () => {
  await using elsewhere = await HubRig.start();
  await using rig = await DaemonRig.start("links: { a: { target: echo } }");
  const { id } = rig.link("a");
  const token = `${rig.folder}/token-there`;
  Deno.writeTextFileSync(token, await elsewhere.token("daemon"));
  const url = `http://127.0.0.1:${elsewhere.hub.address.port}`;
  const there = `hub: ${url}\ntoken_file: ${token}\nconnections: 1\nlinks: { a: { target: echo } }`;
  const moved = await rig.reload(there);
  assert.deepEqual([moved.status, moved.json.problems], [200, []]);
  assert.equal(rig.daemon.hub, url);
  const at = await eventually(() => rig.link("a"), ({ state }) => state === "active");
  assert.deepEqual([at.state, at.urls.length], ["active", 1]);
  assert.equal((await elsewhere.visit(at.id!)).status, 200);
  assert.equal(rig.hub.closed, true);
  rig.hub = new FakeHub();
  assert.equal((await rig.reload("links: { a: { target: echo } }")).status, 200);
  await rig.hub.until(() => rig.hub.declared("a") !== undefined);
  await rig.pass(1);
  assert.deepEqual([rig.link("a").id, rig.link("a").state], [id, "active"]);
  assert.equal(await rig.hub.visit(id!), "200");
});

Deno.test("a real hub inside the process that was left a moment ago is there again at once", async () => {
  let folder = "";
  await using rig = await DaemonRig.start("links: { a: { target: echo } }", {
    embedded: (listen) => realHub(() => folder ||= Deno.makeTempDirSync(), systemClock)(listen),
  });
  const { id, url } = rig.link("a");
  const { host, port } = new URL(url!);
  const asked = ask(Number(port), host, "GET /?delay=60s HTTP/1.1");
  await eventually(() => rig.link("a").counters.open, (open) => open === 1);
  assert.equal((await rig.reload("hub: http://127.0.0.1:9\nlinks: { a: { target: echo } }")).status, 200);
  assert.equal((await rig.reload("links: { a: { target: echo } }")).status, 200);
  await eventually(() => rig.link("a"), ({ state }) => state === "active");
  assert.equal(rig.link("a").id, id);
  const back = new URL(rig.link("a").url!);
  assert.equal((await ask(Number(back.port), back.host, "GET / HTTP/1.1")).status, 200);
  await asked;
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("a reload that is under way when the daemon ends leaves nothing behind", async () => {
  await using rig = await DaemonRig.start("control: 127.0.0.1:0\nlinks: {}", { options: { control: null } });
  const port = freePort();
  rig.write(`control: 127.0.0.1:${port}\nlinks: {}`);
  const reloading = rig.daemon.reload();
  // It has begun, and waits for the file to stand still.
  await new Promise((turn) => setTimeout(turn, 0));
  await rig.daemon.close();
  await reloading;
  await nobodyListens({ hostname: "127.0.0.1", port });
  assert.equal((await rig.daemon.reload()).applied, false);
});

Deno.test("a change that is too large for one message reaches a real hub whole", async () => {
  const paths = Array.from({ length: 60 }, (_, i) => `/${"long".repeat(12)}${i}`);
  const file = (n: number) =>
    `defaults: { paths: [${paths}] }\nlinks:\n` +
    Array.from({ length: n }, (_, i) => `  l${i}: { target: echo }`).join("\n");
  let folder = "";
  await using rig = await DaemonRig.start("links: {}", {
    embedded: (listen) => realHub(() => folder ||= Deno.makeTempDirSync(), systemClock)(listen),
  });
  await rig.reload(file(600));
  const states = () => new Set(rig.daemon.links().map(({ state, lastError }) => lastError ?? state));
  await eventually(states, (states) => !states.has("pending"));
  assert.deepEqual(states(), new Set(["active"]));
  await rig.restart();
  assert.deepEqual(states(), new Set(["active"]));
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("a thousand links are opened and retuned by one reload, and no stream drops", async () => {
  await using rig = await DaemonRig.start("links: {}");
  const file = (rate: string) =>
    "links:\n" +
    Array.from({ length: 1000 }, (_, i) => `  l${i}: { target: echo, rate: ${rate} }`).join("\n");
  const timed = async (yaml: string) => {
    rig.write(yaml);
    const begun = performance.now();
    const { plan } = await rig.daemon.reload();
    return [plan.length, performance.now() - begun];
  };
  const [opened, openMs] = await timed(file("100/m"));
  await rig.hub.until(() => rig.hub.declared("l999") !== undefined);
  await rig.pass(1);
  const asked = Array.from({ length: 50 }, (_, i) => rig.hub.ask(rig.link(`l${i}`).id!, "GET /?delay=3s"));
  const [retuned, retuneMs] = await timed(file("50/m"));
  const [same, sameMs] = await timed(file("50/m") + "\n");
  assert.deepEqual([opened, retuned, same], [1000, 1000, 0]);
  await rig.pass(4000);
  await Promise.all(asked.map(({ over }) => over));
  assert.deepEqual(new Set(asked.map(({ status }) => status)), new Set([200]));
  const shown = [openMs, retuneMs, sameMs].map((ms) => Math.round(ms - 25));
  console.log(`1,000 links, beyond the stillness of 25 ms: open, retune, same: ${shown.join(", ")} ms`);
});

/** A port that was free a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
