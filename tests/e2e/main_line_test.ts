/** The main job, end to end: links.yaml → daemon → hub → a real visitor. */
import assert from "node:assert/strict";
import { curl, eventually, nginx, packaged, Rig } from "./rig.ts";

const root = new URL("../../", import.meta.url).pathname;

Deno.test("the example configuration serves its first link as soon as the ready line is out", async () => {
  await using rig = new Rig();
  const process = rig.connectd([
    ...["run", "--config", `${root}config/links.yaml`, "--state", `${rig.folder}/state`],
    ...["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"],
  ]);
  const line = await process.until(() =>
    process.stdout.split("\n").find((text) => text.startsWith("ready "))
  );
  assert.match(line, /^ready hub=http:\/\/localhost:\d+ control=127\.0\.0\.1:\d+ links=\d+$/);
  const url = await process.until(() => /http:\/\/[a-z2-7]{13}\.localhost:\d+/.exec(process.stdout)?.[0]);
  const { status, body } = await curl(`${url}/hello?a=1`, "-H", "X-Mine: yes");
  assert.equal(status, 200);
  const seen = JSON.parse(body) as { method: string; target: string; headers: [string, string][] };
  assert.deepEqual([seen.method, seen.target], ["GET", "/hello?a=1"]);
  assert.ok(seen.headers.some(([name, value]) => name === "X-Mine" && value === "yes"));
  assert.equal(process.stdout.split("\n").filter((text) => text.startsWith("ready")).length, 1);
  assert.equal((await process.kill("SIGTERM")).code, 0);
});

Deno.test("hub and daemon as two processes serve a packaged server under the link's policy", async () => {
  const program = packaged("nginx", "nginx-light");
  if (program === null) return;
  await using rig = new Rig();
  const port = await nginx(rig, program, `location / { return 200 "nginx says $request_method $uri\\n"; }`);
  const state = `${rig.folder}/hub`;
  const hub = rig.connectd(["hub", "--listen", "127.0.0.1:0", "--state", state, "--json"]);
  const { hub: url } = await hub.ready<{ hub: string }>();
  const made = await rig.run(["token", "create", "--scope", "daemon", "--state", state, "--json"]);
  assert.equal(made.code, 0, made.stderr);
  rig.file("token", (JSON.parse(made.stdout) as { token: string }).token);
  const file = rig.file(
    "links.yaml",
    `version: 1\nhub: ${url}\ntoken_file: ./token\nlinks:\n  web:\n    target: localhost:${port}\n    methods: [GET]\n    paths: [/api]\n    rate: 3/h\n`,
  );
  const daemon = rig.connectd([
    "run",
    "--config",
    file,
    "--state",
    `${rig.folder}/daemon`,
    "--control",
    "127.0.0.1:0",
    "--json",
  ]);
  const ready = await daemon.ready<{ hub: string; links: { url: string }[] }>();
  assert.equal(ready.hub, url);
  const listed = await eventually(
    async () =>
      JSON.parse((await rig.run(["list", "--json", "--state", `${rig.folder}/daemon`])).stdout).items[0] as {
        state: string;
        url: string;
      },
    (link) => link.state === "active",
  );
  assert.match(listed.url, /^http:\/\/[a-z2-7]{13}\.localhost:\d+$/);
  assert.match((await curl(`${listed.url}/api/x`)).body, /^nginx says GET \/api\/x/);
  assert.equal((await curl(`${listed.url}/admin`)).status, 403);
  const posted = await curl(`${listed.url}/api`, "-d", "x");
  assert.equal(posted.status, 405);
  assert.match(posted.head, /\r\nAllow: GET, HEAD\r\n/i);
  assert.equal((await curl(`${listed.url}/api/../admin`, "--path-as-is")).status, 400);
  await curl(`${listed.url}/api/`);
  await curl(`${listed.url}/api/`);
  const limited = await curl(`${listed.url}/api/`);
  assert.equal(limited.status, 429);
  assert.match(limited.head, /\r\nRetry-After: \d+\r\n/i);
  assert.equal(JSON.parse(limited.body).code, "rate_limited");
  assert.equal((await curl(listed.url.replace(/\/\/[a-z2-7]+/, "//aaaaaaaaaaaaa"))).status, 404);
  assert.equal((await daemon.kill("SIGTERM")).code, 0);
  const gone = await eventually(
    () => curl(`${listed.url}/api`, "-H", "Accept: text/html"),
    ({ status }) => status === 503,
  );
  assert.match(gone.head, /text\/html/);
  assert.equal((await hub.kill("SIGTERM")).code, 0);
});

Deno.test("an edited file changes the running links, a bad one changes nothing, and an emptied one is refused", async () => {
  await using rig = new Rig();
  const { ready, file, state, process } = await rig.daemon("version: 1\nlinks:\n  one:\n    target: echo\n");
  const url = ready.links[0].url;
  assert.equal((await curl(url, "-X", "DELETE")).status, 200);
  Deno.writeTextFileSync(
    file,
    "version: 1\nlinks:\n  one:\n    target: echo\n    methods: [GET]\n  two:\n    target: echo\n",
  );
  await eventually(() => curl(url, "-X", "DELETE"), ({ status }) => status === 405);
  await process.until(() => process.stderr.includes("+ two") && process.stderr.includes("~ one"));
  Deno.writeTextFileSync(file, "version: 1\nlinks:\n  one:\n    target: echo\n    method: [GET]\n");
  await process.until(() => /links\.yaml:5:5/.test(process.stderr));
  const bad = await rig.run(["reload", "--state", state]);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /links\.yaml:5:5/);
  assert.match(bad.stderr, /did you mean "methods"/);
  assert.equal((await curl(url)).status, 200);
  Deno.writeTextFileSync(file, "version: 1\n");
  const empty = await rig.run(["reload", "--state", state]);
  assert.notEqual(empty.code, 0);
  assert.match(empty.stderr, /allow-empty/);
  assert.equal((await curl(url)).status, 200);
  assert.equal((await rig.run(["reload", "--state", state, "--allow-empty"])).code, 0);
  await eventually(() => curl(url), ({ status }) => status === 410);
});

Deno.test("a revoke holds against requests, reloads and restarts, and renew brings the same address back", async () => {
  await using rig = new Rig();
  const yaml = "version: 1\nlinks:\n  one:\n    target: echo\n    ttl: 1h\n";
  const { ready, file, state, process } = await rig.daemon(yaml);
  const url = ready.links[0].url, port = new URL(url).port;
  assert.equal((await rig.run(["revoke", "one", "--state", state])).code, 0);
  assert.equal(JSON.parse((await curl(url)).body).code, "link_revoked");
  Deno.writeTextFileSync(file, yaml.replace("1h", "2h"));
  const reload = await rig.run(["reload", "--state", state]);
  assert.match(reload.stdout + reload.stderr, /revoked/);
  assert.equal((await curl(url)).status, 410);
  await process.kill("SIGKILL");
  const again = rig.connectd([
    "run",
    "--config",
    file,
    "--state",
    state,
    "--listen",
    `127.0.0.1:${port}`,
    "--control",
    "127.0.0.1:0",
    "--json",
  ]);
  await again.ready();
  assert.equal(JSON.parse((await curl(url)).body).code, "link_revoked");
  const renewed = await rig.run(["renew", "one", "--state", state]);
  assert.equal(renewed.code, 0, renewed.stderr);
  await eventually(() => curl(url), ({ status }) => status === 200);
});
