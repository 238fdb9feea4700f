/** The document of the hub's API is the truth: every operation is run against it. */
import assert from "node:assert/strict";
import { apiOperations } from "../../src/hub/api.ts";
import type { HubState } from "../../src/hub/state.ts";
import type { Scope } from "../../src/hub/tokens.ts";
import { ApiDocument, type Row, runRows } from "../openapi.ts";
import { Folder } from "../config/read.ts";
import { hubFile } from "./file_rig.ts";
import { obeyAll, service } from "./managed.ts";
import { eventually, HubRig, link } from "./rig.ts";

const JSON_TYPE = "Content-Type: application/json";

/** A call that has seen something else than there is. */
const stale = (path: string, body?: Record<string, unknown>) => ({
  path,
  ...(body === undefined ? {} : { body }),
  fields: [...(body === undefined ? [] : [JSON_TYPE]), 'If-Match: "x"'],
  status: 412,
});

/** The rows of each operation, run in this order against one hub; `{id}` is a link's, `{managed}` one's that may be changed here, `{share}` and `{code}` a share's, `{token}` a token's, codes are of logins. */
const ROWS: Record<string, Row[]> = {
  "GET /healthz": [{ status: 200 }],
  "GET /readyz": [{ status: 200 }],
  "GET /v1/tls/ask": [
    { path: "/v1/tls/ask?domain=api.example.com", status: 200 },
    { path: "/v1/tls/ask?domain=other.example.com", status: 404 },
  ],
  "GET /v1/links": [
    { status: 200 },
    { path: "/v1/links?limit=1", status: 200 },
    { path: "/v1/links?limit=x", status: 422 },
  ],
  "GET /v1/links/:id": [{ path: "/v1/links/{id}", status: 200 }, { path: "/v1/links/no", status: 404 }],
  "DELETE /v1/links/:id": [stale("/v1/links/{id}"), { path: "/v1/links/{id}", status: 200 }, {
    path: "/v1/links/no",
    status: 404,
  }],
  "POST /v1/links": [
    { body: { service: "web", name: "made", ttl: "1h" }, status: 201 },
    { body: { service: "own" }, status: 403 },
    { body: { service: "no" }, status: 422 },
    { body: "x".repeat(70_000), status: 413 },
    { body: "{}", fields: ["Content-Type: text/plain"], status: 415 },
  ],
  "PATCH /v1/links/:id": [
    { path: "/v1/links/{managed}", body: { paths: ["/a"] }, fields: [JSON_TYPE, "If-Match: *"], status: 200 },
    {
      path: "/v1/links/{managed}",
      body: { paths: ["/a"] },
      fields: [JSON_TYPE, 'If-Match: "x"'],
      status: 412,
    },
    { path: "/v1/links/{managed}", body: { paths: ["/a"] }, status: 428 },
    { path: "/v1/links/{managed}", body: { target: "x" }, fields: [JSON_TYPE, "If-Match: *"], status: 422 },
    { path: "/v1/links/no", body: {}, status: 404 },
    { path: "/v1/links/{managed}", body: "x".repeat(70_000), status: 413 },
    { path: "/v1/links/{managed}", body: "{}", fields: ["Content-Type: text/plain"], status: 415 },
  ],
  "POST /v1/links/:id/renew": [
    stale("/v1/links/{managed}/renew", { ttl: "1h" }),
    { path: "/v1/links/{managed}/renew", body: { ttl: "1h" }, status: 200 },
    { path: "/v1/links/{id}/renew", status: 403 },
    { path: "/v1/links/no/renew", status: 404 },
    { path: "/v1/links/{managed}/renew", body: { x: 1 }, status: 422 },
    { path: "/v1/links/{managed}/renew", body: "x".repeat(70_000), status: 413 },
    { path: "/v1/links/{managed}/renew", body: "{}", fields: ["Content-Type: text/plain"], status: 415 },
  ],
  "GET /v1/links/:id/logs": [
    { path: "/v1/links/{id}/logs", status: 200 },
    { path: "/v1/links/no/logs", status: 404 },
    { path: "/v1/links/{id}/logs?cursor=*", status: 422 },
  ],
  "GET /v1/services": [{ status: 200 }, { path: "/v1/services?limit=0", status: 422 }],
  "GET /v1/services/:name": [
    { path: "/v1/services/web", status: 200 },
    { path: "/v1/services/no", status: 404 },
    { path: "/v1/services/web?limit=0", status: 422 },
  ],
  "POST /v1/shares": [
    { body: { services: ["db"], requireApproval: true }, status: 201 },
    { body: { services: ["db", "no"] }, status: 422 },
    { body: "x".repeat(70_000), status: 413 },
    { status: 415 },
  ],
  "GET /v1/shares": [{ status: 200 }, { path: "/v1/shares?limit=0", status: 422 }],
  "GET /v1/shares/:id": [{ path: "/v1/shares/{share}", status: 200 }, { path: "/v1/shares/no", status: 404 }],
  "POST /v1/shares/join": [
    { body: { code: "{code}" }, status: 200 },
    { body: { code: "none" }, status: 404 },
    { body: {}, status: 422 },
    { body: "x".repeat(70_000), status: 413 },
    { status: 415 },
  ],
  "POST /v1/shares/:id/approve": [
    stale("/v1/shares/{share}/approve", { member: "{admin}" }),
    { path: "/v1/shares/{share}/approve", body: { member: "{admin}" }, status: 200 },
    { path: "/v1/shares/{share}/approve", body: { member: "no" }, status: 422 },
    { path: "/v1/shares/no/approve", body: { member: "no" }, status: 404 },
    { path: "/v1/shares/no/approve", body: "x".repeat(70_000), status: 413 },
    { path: "/v1/shares/no/approve", status: 415 },
  ],
  "DELETE /v1/shares/:id": [
    stale("/v1/shares/{share}"),
    { path: "/v1/shares/{share}", status: 200 },
    { path: "/v1/shares/no", status: 404 },
  ],
  "GET /v1/events": [
    { path: "/v1/events?requests=true", status: 200 },
    { fields: ["Last-Event-ID: x"], status: 400 },
  ],
  "GET /v1/sessions": [{ status: 200 }, { path: "/v1/sessions?cursor=*", status: 422 }],
  "GET /v1/tokens": [{ status: 200 }, { path: "/v1/tokens?limit=0", status: 422 }],
  "POST /v1/tokens": [
    { body: "{", status: 400 },
    { body: { scope: "viewer", name: "eyes", ttl: "1h" }, status: 201 },
    { body: { scope: "viewer", name: "eyes" }, status: 409 },
    { body: "x".repeat(70_000), status: 413 },
    { status: 415 },
    { body: { scope: "root" }, status: 422 },
    { body: { scope: "viewer", workspace: "other" }, status: 403 },
  ],
  "POST /v1/tokens/:id/rotate": [
    stale("/v1/tokens/{token}/rotate", {}),
    { path: "/v1/tokens/{token}/rotate", status: 200 },
    { path: "/v1/tokens/{token}/rotate", body: { overlap: "1d" }, status: 200 },
    { path: "/v1/tokens/no/rotate", status: 404 },
    { path: "/v1/tokens/no/rotate", body: "{", status: 400 },
    { path: "/v1/tokens/no/rotate", body: "x".repeat(70_000), status: 413 },
    { path: "/v1/tokens/no/rotate", body: "{}", fields: ["Content-Type: text/plain"], status: 415 },
    { path: "/v1/tokens/{token}/rotate", body: { overlap: "never" }, status: 422 },
  ],
  "POST /v1/device": [
    { status: 200 },
    { body: { scope: "daemon" }, status: 200 },
    { body: { scope: "admin" }, status: 422 },
    { body: "x".repeat(70_000), status: 413 },
    { body: "{}", fields: ["Content-Type: text/plain"], status: 415 },
  ],
  "POST /v1/device/lookup": [
    { body: { userCode: "{userCode}" }, status: 200 },
    { body: { userCode: "none" }, status: 404 },
    { body: {}, status: 422 },
    { body: "x".repeat(70_000), status: 413 },
    { status: 415 },
  ],
  "POST /v1/device/approve": [
    { body: { userCode: "{userCode}", name: "phone" }, status: 200 },
    { body: { userCode: "{userCode}" }, status: 404 },
    { body: { userCode: 1 }, status: 422 },
    { body: "x".repeat(70_000), status: 413 },
    { status: 415 },
  ],
  "POST /v1/device/deny": [
    { body: { userCode: "{otherUserCode}" }, status: 200 },
    { body: { userCode: "none" }, status: 404 },
    { body: { userCode: "none", why: "x" }, status: 422 },
    { body: "x".repeat(70_000), status: 413 },
    { status: 415 },
  ],
  "POST /v1/device/token": [
    { body: { deviceCode: "{deviceCode}" }, status: 200 },
    { body: { deviceCode: "{deviceCode}" }, status: 400 },
    { body: {}, status: 422 },
    { body: "x".repeat(70_000), status: 413 },
    { status: 415 },
  ],
  "GET /v1/tokens/:id": [
    { path: "/v1/tokens/{adminId}", status: 200 },
    { path: "/v1/tokens/no", status: 404 },
  ],
  "DELETE /v1/tokens/:id": [stale("/v1/tokens/{token}"), { path: "/v1/tokens/{token}", status: 200 }, {
    path: "/v1/tokens/no",
    status: 404,
  }],
  "GET /v1/audit": [
    { path: "/v1/audit?type=link&link=web", status: 200 },
    { path: "/v1/audit?limit=0", status: 422 },
    { path: "/v1/audit?cursor=*", status: 422 },
  ],
  "GET /v1/audit/head": [{ status: 200 }],
  "POST /v1/audit/verify": [
    { body: "{", status: 400 },
    { body: "x".repeat(70_000), status: 413 },
    { body: "{}", fields: ["Content-Type: text/plain"], status: 415 },
    { status: 200 },
    { body: { heads: [] }, status: 200 },
    { body: { heads: [{ seq: 1 }] }, status: 422 },
  ],
  "GET /metrics": [{ as: "metrics", status: 200 }, { status: 403 }],
  "GET /v1/status": [{ as: "socket", status: 200 }, { status: 403 }],
  "POST /v1/reload": [
    { as: "socket", status: 200 },
    { as: "socket, of a bad file", status: 422 },
    { status: 403 },
  ],
  "POST /v1/backup": [{ as: "socket", status: 200 }, { status: 403 }],
  "GET /v1/openapi.json": [{ status: 200 }],
};

/** A store that fails: api_test.ts; a hub that ends: drain_test.ts; two tokens of one name: tokens_test.ts. */
const ELSEWHERE = [409, 503];

Deno.test("every operation of the hub answers as its document says, right calls and wrong ones", async () => {
  using folder = new Folder();
  const path = folder.file("hub.yaml", "version: 1\n");
  // Every domain leads to its token.
  const prover = {
    txt: () => Promise.resolve([]),
    http: (_: string, path: string) => Promise.resolve(path.slice(-26)),
  };
  await using rig = await HubRig.start({ file: await hubFile(path), prover });
  const admin = await rig.token("admin"), operations = apiOperations({} as HubState);
  const daemon = rig.attached();
  const [{ id }, { id: managed }] = (await daemon.hello([
    link("web", {
      domain: "api.example.com",
      policy: { methods: ["GET"], rate: [{ count: 5, perMs: 60_000, burst: 5, perIp: false }] },
    }),
    link("managed", { service: "web" }),
  ], { services: [service("web"), service("own", { remote: false }), service("db", { access: "private" })] }))
    .links;
  void obeyAll(daemon);
  await rig.visit(id);
  await eventually(
    () => rig.api("GET", "/v1/tls/ask?domain=api.example.com"),
    ({ status }) => status === 200,
  );
  const document = new ApiDocument((await rig.api("GET", "/v1/openapi.json", admin)).json);
  const names: Record<string, string> = { id, managed, token: "eyes", ...await namesOf(rig, admin) };
  await runRows(
    document,
    operations,
    ROWS,
    ELSEWHERE,
    async (method, path, { body, as, status, fields = [] }) => {
      const fill = (text: string) => text.replaceAll(/\{(\w+)\}/g, (written, name) => names[name] ?? written);
      const named = fill(path);
      if (typeof body === "object") body = JSON.parse(fill(JSON.stringify(body)));
      if (as?.startsWith("socket")) {
        if (as.includes("bad")) folder.file("hub.yaml", "version: 2\n");
        return await rig.api(method, named, undefined, body, rig.hub.socket!);
      }
      const token = as === undefined ? admin : await rig.token(as as Scope);
      // A stream of events has no end: its head is asked for.
      const how = path.startsWith("/v1/events") && status === 200 ? "HEAD" : method;
      const answer = await rig.api(how, named, token, body, rig.hub.address.port, fields);
      if (path === "/v1/shares" && answer.status === 201) {
        Object.assign(names, { share: answer.json.id, code: answer.json.code });
      }
      if (path === "/v1/device" && answer.status === 200) {
        const { userCode, deviceCode } = answer.json;
        if ("userCode" in names) names.otherUserCode = userCode;
        else Object.assign(names, { userCode, deviceCode });
      }
      return answer;
    },
  );
  for (const { method, path, open, scopes } of operations) {
    const name = `${method} ${path}`;
    const bare = await rig.api(method, path);
    if (open) assert.notEqual(bare.status, 401, name);
    else assert.equal(bare.status, 401, name);
    document.check(name, bare);
    if (open || scopes.includes("viewer")) continue;
    const viewer = await rig.api(method, path, await rig.token("viewer"));
    assert.equal(viewer.status, 403, name);
    document.check(name, viewer);
  }
});

/** Name and id of the token that is `secret`. */
async function namesOf(rig: HubRig, secret: string): Promise<{ admin: string; adminId: string }> {
  const { items } = (await rig.api("GET", "/v1/tokens", secret)).json;
  const { id, name } = items.find(({ id }: { id: string }) => secret.includes(`_${id}_`));
  return { admin: name, adminId: id };
}
