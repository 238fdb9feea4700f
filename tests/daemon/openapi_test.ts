/** The document of the control API is the truth: every operation is run against it. */
import assert from "node:assert/strict";
import { controlOperations } from "../../src/daemon/control/api.ts";
import type { ControlState } from "../../src/daemon/control/state.ts";
import { ApiDocument, type Row, runRows } from "../openapi.ts";
import { DaemonRig } from "./daemon_rig.ts";

const FILE = `links:
  demo: { target: echo, ttl: 1h, methods: [GET], rate: [10/s, 5/m per ip], auth: { basic: { file: ./users } } }
  dated: { target: echo, until: 2030-01-01T00:00:00Z }
  gone: { target: echo }
services:
  api: localhost:3000`;

/** A bcrypt of "secret". */
const USERS = "alice:$2y$05$WMWW1G0O1/5f5Vh8Z1ZJ7.7S7tDPgSKDUWQwRkgkiBBpzNRwlNpmy\n";

const BODIES: Row[] = [
  { body: "{", status: 400 },
  { body: "{}", fields: ["Content-Type: text/plain"], status: 415 },
  { body: "x".repeat(70_000), status: 413 },
  { body: "[]", status: 422 },
  { body: { "no/such~member": 1 }, status: 422 },
];

/** The rows of each operation, run in this order against one daemon. */
const ROWS: Record<string, Row[]> = {
  "GET /healthz": [{ status: 200 }],
  "GET /v1/status": [{ status: 200 }],
  "GET /v1/audit": [
    { path: "/v1/audit?type=link&link=web", status: 200 },
    { path: "/v1/audit?limit=0", status: 422 },
    { path: "/v1/audit?cursor=*", status: 422 },
  ],
  "GET /v1/audit/head": [{ status: 200 }],
  "POST /v1/audit/verify": [
    ...BODIES,
    { status: 200 },
    { body: { heads: [] }, status: 200 },
    { body: { heads: [{ seq: 1 }] }, status: 422 },
  ],
  "GET /v1/plan": [{ status: 200 }],
  "POST /v1/plan": [
    // A whole file may come.
    ...BODIES.filter(({ status }) => status !== 413),
    { body: "x".repeat(4 * 1024 * 1024 + 1), status: 413 },
    { body: { text: "version: 1\nlisten: 127.0.0.1:1\nlinks: { a: { target: echo } }\n" }, status: 200 },
    { body: { text: "links: [" }, status: 200 },
    { body: {}, status: 422 },
    { body: { text: 5 }, status: 422 },
  ],
  "POST /v1/reload": [...BODIES, { status: 200 }, { body: { allowEmpty: true }, status: 200 }],
  "GET /v1/links": [
    { path: "/v1/links?limit=1", status: 200 },
    { path: "/v1/links?limit=0", status: 422 },
    { path: "/v1/links?cursor=*", status: 422 },
  ],
  "GET /v1/links/:name": [
    { path: "/v1/links/demo", status: 200 },
    { path: "/v1/links/no", status: 404 },
    { path: "/v1/links/%00", status: 404 },
  ],
  "POST /v1/links": [
    ...BODIES,
    { body: { name: "try", target: "localhost:3000", ttl: "1h", maxBody: 5, rate: ["1/s"] }, status: 201 },
    { body: { name: "try", target: "echo" }, status: 409 },
  ],
  "GET /v1/services": [
    { status: 200 },
    { path: "/v1/services?limit=0", status: 422 },
  ],
  "POST /v1/services": [
    ...BODIES,
    { body: { name: "db", target: "tcp://localhost:5432", allow: ["laptop"] }, status: 201 },
    { body: { name: "db", target: "tcp://localhost:5432", allow: ["laptop"] }, status: 201 },
    { body: { name: "db", target: "localhost:5433" }, status: 409 },
    { body: { name: "cache", target: "echo", allow: [] }, status: 422 },
  ],
  "GET /v1/services/:name": [
    { path: "/v1/services/api", status: 200 },
    { path: "/v1/services/no", status: 404 },
  ],
  "DELETE /v1/services/:name": [
    { path: "/v1/services/db", status: 200 },
    { path: "/v1/services/db", status: 404 },
    { path: "/v1/services/api", status: 409 },
  ],
  "DELETE /v1/links/:name": [
    { path: "/v1/links/gone", status: 200 },
    { path: "/v1/links/gone", status: 200 },
    { path: "/v1/links/no", status: 404 },
  ],
  "POST /v1/links/:name/renew": [
    ...BODIES.map((row) => ({ ...row, path: "/v1/links/demo/renew" })),
    { path: "/v1/links/demo/renew", status: 200 },
    { path: "/v1/links/gone/renew", body: { ttl: "2h", newId: true }, status: 200 },
    { path: "/v1/links/dated/renew", status: 422 },
    { path: "/v1/links/no/renew", status: 404 },
  ],
  "POST /v1/explain": [
    ...BODIES,
    { body: { method: "GET", path: "/", link: "demo", headers: { X: ["1", "2"] } }, status: 200 },
    { body: { method: "GET", path: "/", link: "gone", from: "2001:db8::1" }, status: 200 },
    { body: { method: "PUT", url: "http://nowhere.example/" }, status: 422 },
  ],
  "GET /v1/logs": [
    { path: "/v1/logs?limit=1&link=demo&status=2xx&code=x&since=2026-01-01T00:00:00Z", status: 200 },
    { path: "/v1/logs?link=demo", status: 200 },
    { path: "/v1/logs?status=20", status: 422 },
    { path: "/v1/logs?since=yesterday", status: 422 },
    { path: "/v1/logs?cursor=AAAA", status: 422 },
  ],
  "GET /v1/requests": [
    { path: "/v1/requests?limit=1&link=demo&status=2xx&code=x&method=GET&path=a", status: 200 },
    { path: "/v1/requests?status=20", status: 422 },
  ],
  "GET /v1/requests/:id": [
    { path: "/v1/requests/asked", status: 200 },
    { path: "/v1/requests/no", status: 404 },
  ],
  "POST /v1/requests/:id/replay": [
    ...BODIES.filter(({ status }) => status !== 413).map((row) => ({
      ...row,
      path: "/v1/requests/asked/replay",
    })),
    { path: "/v1/requests/asked/replay", body: "x".repeat(1_100_000), status: 413 },
    { path: "/v1/requests/asked/replay", status: 200 },
    { path: "/v1/requests/asked/replay", body: { via: "target", edit: { target: "/b" } }, status: 200 },
    { path: "/v1/requests/no/replay", status: 404 },
  ],
  "GET /v1/events": [
    { path: "/v1/events?requests=true", status: 200 },
    { fields: ["Last-Event-ID: x"], status: 400 },
  ],
  "POST /v1/sign-in": [{ status: 201 }],
  "GET /metrics": [{ status: 200 }],
  "GET /openapi.json": [{ status: 200 }],
};

/** A store that fails: tests/daemon/life_test.ts; a session that asks for another: the tests of sign-in. */
const ELSEWHERE = [403, 503];

const table = () => controlOperations({} as ControlState);

async function started(): Promise<DaemonRig> {
  const rig = await DaemonRig.start(null);
  Deno.writeTextFileSync(`${rig.folder}/users`, USERS);
  rig.write(FILE);
  await rig.restart({ file: rig.file });
  await rig.hub.ask(rig.hub.id("demo"), "GET /", { requestId: "asked" }).over;
  return rig;
}

async function documentOf(rig: DaemonRig): Promise<ApiDocument> {
  return new ApiDocument((await rig.tcp("GET", "/openapi.json")).json);
}

Deno.test("every operation answers as the document says, right calls and wrong ones", async () => {
  await using rig = await started();
  const document = await documentOf(rig);
  await runRows(document, table(), ROWS, ELSEWHERE, (method, path, { body, fields, status }) =>
    // A stream of events has no end: its head is asked for.
    rig.tcp(path.startsWith("/v1/events") && status === 200 ? "HEAD" : method, path, {
      body,
      fields: [rig.bearer, ...fields ?? []],
    }));
  const refused = await rig.reload("links: { demo: { target: echo, nonsense: 1 } }");
  assert.equal(refused.status, 422);
  document.check("POST /v1/reload", refused);
  document.check("GET /v1/status", await rig.tcp("GET", "/v1/status"));
  document.check("GET /v1/plan", await rig.tcp("GET", "/v1/plan"));
});

Deno.test("what is refused before any operation is documented for each", async () => {
  await using rig = await DaemonRig.start("links: {}");
  const document = await documentOf(rig);
  for (const { method, path, open } of table()) {
    const name = `${method} ${path}`;
    const bare = await rig.tcp(method, path, { fields: [] });
    assert.equal(bare.status, open ? 200 : 401, name);
    document.check(name, bare);
    const { security } = document.json.paths[path.replaceAll(/:(\w+)/g, "{$1}")][method.toLowerCase()];
    assert.deepEqual(security ?? document.json.security, open ? [] : [{ token: [] }], name);
    for (
      const [call, status] of [
        [{ host: "evil.example" }, 421],
        [{ fields: [rig.bearer, "Origin: https://evil.example"] }, 403],
        [{ fields: [rig.bearer, `X: ${"x".repeat(70_000)}`] }, 431],
        [{ fields: [rig.bearer, "Broken"] }, 400],
      ] as const
    ) {
      const answer = await rig.tcp(method, path, call);
      assert.equal(answer.status, status, name);
      document.check(name, answer);
    }
    const long = await rig.tcp(method, `${path}?${"x".repeat(20_000)}`);
    assert.equal(long.status, 414, name);
    document.check(name, long);
  }
});

Deno.test("what the document says of a link's body is what the daemon takes", async () => {
  await using rig = await DaemonRig.start("links: {}");
  const document = await documentOf(rig);
  const { schema } = document.json.paths["/v1/links"].post.requestBody.content["application/json"];
  for (
    const [body, valid] of [
      [{ name: "a", target: "echo" }, true],
      [{ name: "b", target: "echo", allowIps: ["10.0.0.0/8"], maxStreams: 5, upgrade: false }, true],
      [{ name: "c", target: "echo", allow_ips: ["10.0.0.0/8"] }, false],
      [{ name: "Not A Name", target: "echo" }, false],
      [{ target: "echo" }, false],
      [{ name: "d", target: "echo", maxStreams: 0 }, false],
      [{ name: "e", target: "echo", paths: [] }, false],
    ] as const
  ) {
    assert.equal(document.valid(schema, body), valid, JSON.stringify(body));
    assert.equal((await rig.api("POST", "/v1/links", body)).status, valid ? 201 : 422, JSON.stringify(body));
  }
});
