/** The verbs that say what is decided and what a reload would do, as a person reads them; the daemon's clock stands still. */
import assert from "node:assert/strict";
import { DaemonRig } from "../daemon/daemon_rig.ts";
import { Rig } from "./rig.ts";

const LINKS = `links:
  demo:
    target: echo
    methods: [GET]
    paths:
      - /api
    rate: [2/m, 100/d per ip]
    ttl: 2h
  trial:
    target: echo
    paths: [/api]
    shadow: true`;

Deno.test("explain shows the verdict, the rule with its line, every step and the counters, whatever the verdict", async () => {
  await using rig = new Rig();
  await using served = await DaemonRig.start(LINKS);
  for (let i = 0; i < 2; i++) await served.hub.visit(served.hub.id("demo"), "GET /api");
  const at = ["--state", served.state];
  const [refused, shadow, json, over] = await Promise.all([
    rig.run(["explain", "GET", "/api", "--link", "demo", "--from", "192.0.2.7", ...at]),
    rig.run(["explain", "GET", `http://${served.hub.id("trial")}.localhost:8080/x`, ...at]),
    rig.run(["explain", "GET", "/a\u202eb", "--link", "demo", "--json", ...at]),
    rig.run(["explain", "POST", "/x", "--link", "demo", "--control", served.daemon.control!, ...at]),
  ]);
  assert.deepEqual([refused.code, refused.stderr], [0, ""]);
  assert.equal(
    refused.stdout,
    `demo refuses it: 429 rate_limited
  by rate 2/m, 100/d per ip
  ${served.file}:8: rate: [2/m, 100/d per ip]

RESULT  STEP         FOUND
✓ pass  request      it is well-formed
✓ pass  link         it is active until 2026-01-01T02:00:00.000Z, for 2h more
– skip  allow_ips    every address is let in
– skip  auth         no credential is asked for
✓ pass  methods      GET is let through
– skip  upgrade      no WebSocket is asked for
✓ pass  paths        "/api" fits /api
– skip  max_body     a body of any length is let through
✗ deny  rate         2/m: none left, the next comes in 30s; 100/d per ip: 98 of 100 left for 192.0.2.7
– skip  max_streams  not asked

COUNTER  LIMIT         LEFT FOR 192.0.2.7  NEXT
rate     2/m           0 of 2              in 30s
rate     100/d per ip  98 of 100           now
`,
  );
  assert.match(
    shadow.stdout,
    /^trial is in shadow and lets it through; it would refuse it: 403 path_denied\n/,
  );
  assert.doesNotMatch(shadow.stdout, /COUNTER/);
  assert.deepEqual([json.code, over.code], [0, 0], json.stderr + over.stderr);
  const { verdict, code, steps } = JSON.parse(json.stdout);
  assert.deepEqual([verdict, code, steps.length], ["deny", "bad_request", 10]);
  assert.match(over.stdout, /^demo refuses it: 405 method_denied\n {2}by methods GET\n/);
  assert.equal(served.link("demo").counters.allowed, 2);
});

Deno.test("explain says which link is meant where it can, and asks where it can not", async () => {
  await using rig = new Rig();
  await using served = await DaemonRig.start(LINKS);
  const cases: [args: string[], code: number, stderr: RegExp][] = [
    [["GET", "/api"], 2, /does not say which link[^]*--link: demo, trial\n/],
    [["GET", "/api", "--link", "demmo"], 1, /no link "demmo"\n.*did you mean demo\?/],
    [["GET", "http://nobody.localhost:8080/"], 1, /url: is no link of this daemon/],
    [["GET", "api"], 2, /neither a URL nor a path/],
    [["GET"], 2, /needs METHOD URL-or-PATH/],
    [["GET", "/", "--from", "localhost"], 2, /--from: "localhost" is no address/],
    [["GET", "/", "--state", `${rig.folder}/nobody`], 1, /no daemon answers/],
  ];
  await Promise.all(cases.map(async ([args, code, stderr]) => {
    const at = args.includes("--state") ? [] : ["--state", served.state];
    const run = await rig.run(["explain", ...args, ...at]);
    assert.deepEqual([run.code, run.stdout], [code, ""], args.join(" "));
    assert.match(run.stderr, stderr);
  }));
  await served.reload("links:\n  only: { target: echo }");
  const only = await rig.run(["explain", "GET", "/", "--state", served.state]);
  assert.match(only.stdout, /^only lets it through\n/, only.stderr);
});

Deno.test("list and status show links in shadow, and what each would have refused", async () => {
  await using rig = new Rig();
  await using served = await DaemonRig.start(LINKS);
  for (const line of ["GET /x", "GET /y", "GET /a//b", "GET /api"]) {
    assert.equal(await served.hub.visit(served.hub.id("trial"), line), "200");
  }
  const at = ["--state", served.state];
  const [list, status] = await Promise.all([rig.run(["list", ...at]), rig.run(["status", ...at])]);
  assert.match(list.stdout, /^trial +active .* 4 +0 +shadow: 3 would have been refused$/m);
  assert.match(list.stdout, /^demo +active .* 0 +0$/m);
  assert.match(
    status.stdout,
    /\n\nLINK IN SHADOW +WOULD HAVE REFUSED\ntrial +path_denied 2, path_ambiguous 1\n$/,
  );
});

Deno.test("plan shows what a reload then does, with what each step cuts, and asks nothing", async () => {
  await using rig = new Rig();
  await using served = await DaemonRig.start(LINKS);
  const asked = ["demo", "trial", "trial"].map((name) =>
    served.hub.ask(served.hub.id(name), "GET /api?delay=60s")
  );
  await served.api("GET", "/healthz");
  served.write("links:\n  demo: { target: echo, rate: 3/m, ttl: 2h }\n  fresh: { target: echo }");
  const at = ["--state", served.state];
  const shown = "- trial (cuts 2 streams)\n" +
    "~ demo methods GET → none, paths /api → none, rate 2/m, 100/d per ip → 3/m\n+ fresh\n";
  const plan = await rig.run(["plan", ...at]);
  assert.deepEqual([plan.code, plan.stdout, plan.stderr], [0, shown, ""]);
  const inJson = JSON.parse((await rig.run(["plan", "--json", ...at])).stdout);
  assert.deepEqual(inJson.plan.map(({ cuts }: { cuts: unknown }) => cuts), [
    ...[{ streams: 2 }, { streams: 0 }, { streams: 0 }],
  ]);
  assert.deepEqual(served.daemon.links().map(({ name }) => name), ["demo", "trial"]);
  const reload = await rig.run(["reload", ...at]);
  assert.deepEqual([reload.code, reload.stdout, reload.stderr], [0, shown, ""]);
  assert.deepEqual(served.daemon.links().map(({ name }) => name), ["demo", "fresh"]);
  await served.pass(6000);
  await Promise.all([asked[1].over, asked[2].over]);
  assert.deepEqual(asked.map(({ status }) => status), [0, 410, 410]);
});
