import assert from "node:assert/strict";
import { controlOperations, createControlApi } from "../../src/daemon/control/api.ts";
import type { ControlState } from "../../src/daemon/control/state.ts";
import { createLog } from "../../src/log.ts";
import { DaemonRig } from "./daemon_rig.ts";

Deno.test("over TCP everything but health needs the token", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  for (
    const fields of [[], ["Authorization: Bearer wrong"], [`${rig.bearer}x`], ["Authorization: Basic eA=="]]
  ) {
    for (const path of ["/v1/status", "/v1/links", "/nothing", "/healthz/"]) {
      const refused = await rig.tcp("GET", path, { fields });
      assert.deepEqual([refused.status, refused.json.code], [401, "unauthorized"], `${path} ${fields}`);
      assert.match(refused.head, /^www-authenticate: Bearer/im);
    }
    assert.deepEqual((await rig.tcp("GET", "/healthz", { fields })).status, 200);
  }
  assert.equal((await rig.tcp("DELETE", "/v1/links/demo", { fields: [] })).status, 401);
  assert.equal(rig.link("demo").state, "active");
  assert.equal((await rig.tcp("GET", "/v1/status")).status, 200);
});

Deno.test("only names of this machine are answered to, and no page of another origin", async () => {
  await using rig = await DaemonRig.start("links: {}");
  const port = rig.daemon.control!.split(":")[1];
  for (const name of ["127.0.0.1", "localhost", "LocalHost", "[::1]", "connectd.localhost"]) {
    assert.equal((await rig.tcp("GET", "/v1/status", { host: `${name}:${port}` })).status, 200, name);
  }
  for (
    const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", "localhost:1", `127.0.0.1.:${port}`]
  ) {
    const refused = await rig.tcp("GET", "/healthz", { host });
    assert.deepEqual([refused.status, refused.json.code], [421, "wrong_host"], host);
  }
  for (
    const origin of ["https://evil.example", "null", `https://127.0.0.1:${port}`, `http://localhost:${port}`]
  ) {
    const refused = await rig.tcp("GET", "/healthz", { fields: [rig.bearer, `Origin: ${origin}`] });
    assert.deepEqual([refused.status, refused.json.code], [403, "foreign_origin"], origin);
  }
  const own = await rig.tcp("GET", "/v1/status", {
    fields: [rig.bearer, `Origin: http://127.0.0.1:${port}`],
  });
  assert.equal(own.status, 200);
});

Deno.test("token and socket are their owner's alone, and the socket asks for no token", async () => {
  await using rig = await DaemonRig.start("links: {}");
  assert.equal(Deno.statSync(rig.daemon.socket!).mode! & 0o777, 0o600);
  assert.equal(Deno.statSync(`${rig.state}/control.token`).mode! & 0o777, 0o600);
  assert.equal(Deno.statSync(rig.state).mode! & 0o777, 0o700);
  assert.equal((await rig.api("GET", "/v1/status", undefined, ["Origin: http://x.example"])).status, 200);
  const { socket } = rig.daemon;
  const token = rig.bearer;
  await rig.restart();
  assert.deepEqual([rig.daemon.socket, rig.bearer], [socket, token]);
});

Deno.test("the token for figures is its owner's alone, outlasts a restart, and is good for figures and nothing else", async () => {
  await using rig = await DaemonRig.start("links: { a: { target: echo } }");
  const file = `${rig.state}/metrics.token`;
  assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
  const fields = [`Authorization: Bearer ${Deno.readTextFileSync(file).trim()}`];
  assert.notEqual(fields[0], rig.bearer);
  await rig.restart();
  const asked = async (method: string, path: string) => (await rig.tcp(method, path, { fields })).status;
  assert.equal(await asked("GET", "/metrics"), 200);
  assert.equal(await asked("HEAD", "/metrics"), 200);
  const others = controlOperations({} as ControlState)
    .filter(({ path, open }) => path !== "/metrics" && open !== true)
    .map(({ method, path }) => [method, path.replace(":name", "a").replace(":id", "x")]);
  assert.ok(others.length > 20);
  for (
    const [method, path] of [...others, ["GET", "/"], ["GET", "/openapi.json"], [
      "GET",
      "/metrics/",
    ]]
  ) assert.equal(await asked(method, path), 401, `${method} ${path}`);
  assert.equal(rig.link("a").state, "active");
  const foreign = { fields: [...fields, "Origin: http://evil.example"] };
  assert.equal((await rig.tcp("GET", "/metrics", foreign)).status, 403);
});

Deno.test("status has the shape that is documented", async () => {
  await using rig = await DaemonRig.start("links: { a: { target: echo }, b: { target: echo } }");
  await rig.api("DELETE", "/v1/links/b");
  const { json } = await rig.api("GET", "/v1/status");
  assert.deepEqual(Object.keys(json), [
    ...["version", "instance", "startedAt", "config", "hubs", "links", "shadowed"],
  ]);
  assert.deepEqual(Object.keys(json.config), ["file", "generation", "appliedAt", "hash", "problems"]);
  assert.deepEqual(Object.keys(json.hubs[0]), ["url", "state", "connections", "rttMs", "lastError", "since"]);
  assert.deepEqual([json.config.file, json.config.appliedAt], [rig.file, "2026-01-01T00:00:00.000Z"]);
  assert.deepEqual(json.links, { active: 1, revoked: 1 });
  assert.deepEqual([json.hubs[0].state, json.hubs[0].connections], ["connected", 1]);
});

Deno.test("status shows the links in shadow, and how often each would have refused what", async () => {
  await using rig = await DaemonRig.start(
    "defaults: { shadow: true }\nlinks:\n  a: { target: echo, methods: [GET], paths: [/x] }\n  b: { target: echo }\n" +
      "  c: { target: echo, shadow: false, methods: [GET] }",
  );
  for (const line of ["GET /", "GET /y", "PUT /", "GET /x"]) {
    assert.equal(await rig.hub.visit(rig.hub.id("a"), line), "200");
  }
  assert.equal(await rig.hub.visit(rig.hub.id("c"), "PUT /"), "method_denied");
  const { json } = await rig.api("GET", "/v1/status");
  assert.deepEqual(json.shadowed, { a: { path_denied: 2, method_denied: 1 }, b: {} });
  const { counters } = (await rig.api("GET", "/v1/links/a")).json;
  assert.deepEqual([counters.allowed, counters.denied, counters.shadowed], [4, {}, json.shadowed.a]);
});

Deno.test("a link has the shape that is documented", async () => {
  await using rig = await DaemonRig.start(
    "services: { api: echo }\nlinks: { a: { target: api, ttl: 1h, methods: [POST], paths: [/x], rate: 5/m } }",
  );
  const { json } = await rig.api("GET", "/v1/links/a");
  const id = rig.hub.id("a"), url = `http://${id}.localhost:8080`;
  const { policy, ...rest } = json;
  assert.deepEqual(rest, {
    name: "a",
    id,
    url,
    urls: [{ hub: "http://localhost:8080", id, url, state: "active", lastError: null }],
    target: "echo",
    service: "api",
    state: "active",
    source: "file",
    activatedAt: "2026-01-01T00:00:00.000Z",
    expiresAt: "2026-01-01T01:00:00.000Z",
    revokedAt: null,
    uses: null,
    domain: null,
    counters: { allowed: 0, denied: {}, shadowed: {}, bytesIn: 0, bytesOut: 0, open: 0 },
    lastError: null,
  });
  assert.deepEqual([policy.methods, policy.paths, policy.drain], [["POST"], ["/x"], "5s"]);
});

Deno.test("lists come by pages in the order of names", async () => {
  const links = Array.from({ length: 7 }, (_, i) => `l${6 - i}: { target: echo }`).join(", ");
  await using rig = await DaemonRig.start(`links: { ${links} }`);
  const names: string[][] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const { json } = await rig.api("GET", `/v1/links?limit=3${cursor && `&cursor=${cursor}`}`);
    names.push(json.items.map(({ name }: { name: string }) => name));
    cursor = json.nextCursor;
  }
  assert.deepEqual(names, [["l0", "l1", "l2"], ["l3", "l4", "l5"], ["l6"]]);
  const whole = await rig.api("GET", "/v1/links?limit=1000");
  assert.deepEqual([whole.json.items.length, whole.json.nextCursor], [7, null]);
  for (const query of ["limit=0", "limit=1001", "limit=x", "cursor=*"]) {
    assert.equal((await rig.api("GET", `/v1/links?${query}`)).status, 422, query);
  }
});

Deno.test("what does not exist is 404, and a method that is not possible is 405 with Allow", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  for (
    const [method, path] of [["GET", "/v1/links/no"], ["DELETE", "/v1/links/no"], ["GET", "/v1/nothing"]]
  ) {
    const { status, json, head } = await rig.api(method, path);
    assert.deepEqual([status, json.code], [404, "not_found"], path);
    assert.match(head, /^content-type: application\/problem\+json/im);
    assert.match(head, /^x-request-id: \S+/im);
    assert.deepEqual(Object.keys(json), ["type", "title", "status", "code", "detail", "requestId"]);
  }
  assert.equal((await rig.api("GET", "/v1/links/no")).json.detail, 'There is no link "no".');
  assert.equal((await rig.api("POST", "/v1/links/no/renew")).status, 404);
  for (
    const [method, path, allow] of [
      ["DELETE", "/v1/links", "GET, POST, HEAD"],
      ["PUT", "/v1/links/demo", "GET, DELETE, HEAD"],
      ["GET", "/v1/reload", "POST"],
      ["POST", "/v1/status", "GET, HEAD"],
    ]
  ) {
    const { status, head } = await rig.api(method, path);
    assert.equal(status, 405, path);
    assert.equal(/^allow: (.*)\r$/im.exec(head)?.[1], allow);
  }
  const head = await rig.api("HEAD", "/v1/links/demo");
  assert.deepEqual([head.status, head.body], [200, ""]);
});

Deno.test("a renewal that can not be read is pointed at, and renews nothing", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, ttl: 1h } }");
  const { expiresAt } = rig.link("demo");
  await rig.pass(2000);
  for (
    const [body, pointer] of [
      [{ ttl: "soon" }, "/ttl"],
      [{ ttl: "0s" }, "/ttl"],
      [{ ttl: null }, "/ttl"],
      [{ ttl: ["1h"] }, "/ttl"],
      [{ newId: "yes" }, "/newId"],
      [{ "a/b~c": 1 }, "/a~1b~0c"],
    ] as const
  ) {
    const { status, json } = await rig.api("POST", "/v1/links/demo/renew", body);
    assert.deepEqual([status, json.errors?.[0]?.pointer], [422, pointer], JSON.stringify(body));
  }
  assert.equal((await rig.api("POST", "/v1/links/demo/renew", "{")).status, 400);
  assert.equal(rig.link("demo").expiresAt, expiresAt);
});

Deno.test("an error that nobody expected is logged, and tells a caller nothing", async () => {
  const lines: string[] = [];
  const state = {
    status() {
      throw new Error("the inside");
    },
  } as unknown as ControlState;
  const app = createControlApi(state, () => {}, createLog({ write: (line) => lines.push(line) }));
  const answer = await app.fetch(new Request("http://x/v1/status"), { local: true, requestId: "r1" });
  const text = await answer.text();
  assert.equal(answer.status, 500);
  assert.equal(text.includes("the inside"), false);
  assert.equal(lines.some((line) => line.includes("the inside")), true);
});
