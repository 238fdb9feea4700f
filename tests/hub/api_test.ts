/** The hub's API: who may do what, lists, errors, and the hub's own socket. */
import assert from "node:assert/strict";
import { HubRig, link } from "./rig.ts";

Deno.test("each scope does what it may in its workspace, and nothing crosses workspaces", async () => {
  await using rig = await HubRig.start();
  const mine = rig.attached({ workspace: "acme" });
  const [{ id }] = (await mine.hello([link("web", { policy: { methods: ["GET"] } })])).links;
  for (const scope of ["admin", "daemon", "member", "viewer"] as const) {
    const own = await rig.token(scope, "acme"), foreign = await rig.token(scope, "other");
    assert.deepEqual((await rig.api("GET", "/v1/links", own)).json.items.map((l: { id: string }) => l.id), [
      id,
    ]);
    assert.deepEqual((await rig.api("GET", "/v1/links", foreign)).json, { items: [], nextCursor: null });
    assert.equal((await rig.api("GET", `/v1/links/${id}`, own)).json.name, "web");
    assert.equal((await rig.api("GET", `/v1/links/${id}`, foreign)).json.code, "not_found");
    assert.equal((await rig.api("GET", "/v1/sessions", own)).json.items[0].daemon, "daemon-1");
    assert.deepEqual((await rig.api("GET", "/v1/sessions", foreign)).json.items, []);
    assert.equal(
      (await rig.api("DELETE", `/v1/links/${id}`, foreign)).status,
      scope === "viewer" ? 403 : 404,
    );
    const tokens = await rig.api("GET", "/v1/tokens", own);
    assert.equal(tokens.status, scope === "admin" ? 200 : 403);
    const made = await rig.api("POST", "/v1/tokens", own, { scope: "viewer" });
    assert.equal(made.status, scope === "admin" ? 201 : 403);
  }
  assert.equal((await rig.visit(id)).status, 200);
  const viewer = await rig.token("viewer", "acme"), member = await rig.token("member", "acme");
  assert.equal((await rig.api("DELETE", `/v1/links/${id}`, viewer)).json.code, "forbidden");
  assert.equal((await rig.api("DELETE", `/v1/links/${id}`, member)).json.state, "revoked");
});

Deno.test("a link in the API says what the hub knows", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  const expiresAt = Date.now() + 3_600_000;
  const [{ id }] = (await daemon.hello([link("web", { expiresAt, policy: { methods: ["GET"] } })])).links;
  await rig.visit(id);
  await rig.visit(id, "POST / HTTP/1.1\r\nContent-Length: 0");
  const { json } = await rig.api("GET", `/v1/links/${id}`, await rig.token("viewer"));
  const url = `http://${id}.localhost:${rig.hub.address.port}`;
  assert.deepEqual([json.name, json.id, json.url, json.state], ["web", id, url, "active"]);
  assert.deepEqual([json.daemon, json.workspace], ["daemon-1", "default"]);
  assert.equal(json.expiresAt, new Date(expiresAt).toISOString());
  assert.deepEqual(json.policy.methods, ["GET"]);
  const { allowed, denied, bytesOut, open } = json.counters;
  assert.deepEqual([allowed, denied, bytesOut, open], [1, { method_denied: 1 }, `/ of ${id}`.length, 0]);
});

Deno.test("lists come by pages, and a cursor goes on where the page ended", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  const names = Array.from({ length: 25 }, (_, i) => `l${String(i).padStart(2, "0")}`);
  await daemon.hello(names.toReversed().map((name) => link(name)));
  const token = await rig.token("viewer");
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `&cursor=${cursor}`;
    const { json } = await rig.api("GET", `/v1/links?limit=10${query}`, token);
    assert.ok(json.items.length <= 10);
    seen.push(...json.items.map((l: { name: string }) => l.name));
    cursor = json.nextCursor;
  } while (cursor !== null);
  assert.deepEqual(seen, names);
  for (const bad of ["limit=0", "limit=1001", "limit=x", "cursor=%00"]) {
    assert.equal((await rig.api("GET", `/v1/links?${bad}`, token)).status, 422, bad);
  }
});

Deno.test("every error is a problem document with the request's id", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  for (
    const [method, path, token, body, status, code] of [
      ["GET", "/v1/links", undefined, undefined, 401, "unauthorized"],
      ["GET", "/v1/nothing", undefined, undefined, 401, "unauthorized"],
      ["GET", "/v1/nothing", admin, undefined, 404, "not_found"],
      ["GET", "/nothing", undefined, undefined, 404, "not_found"],
      ["POST", "/v1/links/x", admin, {}, 405, "method_not_allowed"],
      ["DELETE", "/healthz", undefined, undefined, 405, "method_not_allowed"],
      ["GET", "/v1/links/nosuch", admin, undefined, 404, "not_found"],
      ["DELETE", "/v1/tokens/nosuch", admin, undefined, 404, "not_found"],
      ["POST", "/v1/tokens", admin, undefined, 415, "unsupported_media_type"],
      ["POST", "/v1/tokens", admin, "{", 400, "not_json"],
      ["POST", "/v1/tokens", admin, "[]", 422, "invalid"],
      ["POST", "/v1/tokens", admin, "x".repeat(70_000), 413, "body_too_large"],
      ["POST", "/v1/tokens", admin, { scope: "viewer", workspace: "other" }, 403, "forbidden"],
    ] as const
  ) {
    const answer = await rig.api(method, path, token, body);
    assert.deepEqual([answer.status, answer.json?.code], [status, code], `${method} ${path}`);
    assert.match(answer.head, /content-type: application\/problem\+json/i);
    const id = /x-request-id: (\S+)/i.exec(answer.head)?.[1];
    assert.equal(answer.json.requestId, id);
    assert.equal(answer.json.status, status);
  }
  const wrong = await rig.api("POST", "/v1/tokens", admin, {
    scope: "root",
    name: "No Name",
    ttl: "soon",
    x: 1,
  });
  assert.deepEqual(
    wrong.json.errors.map(({ pointer }: { pointer: string }) => pointer),
    ["/x", "/scope", "/ttl", "/name"],
  );
  assert.match((await rig.api("PUT", "/v1/tokens", admin, {})).head, /allow: GET, POST, HEAD/i);
});

Deno.test("a token is made, works, is listed without its secret, and is revoked", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  const made = await rig.api("POST", "/v1/tokens", admin, { scope: "daemon", name: "laptop", ttl: "1h" });
  assert.equal(made.status, 201);
  const { token, id, expiresAt } = made.json;
  assert.match(made.head, new RegExp(`location: /v1/tokens/${id}`, "i"));
  assert.ok(Date.parse(expiresAt) > Date.now() + 3_500_000);
  assert.equal((await rig.api("POST", "/v1/tokens", admin, { scope: "daemon", name: "laptop" })).status, 409);
  const daemon = await rig.dialled(token);
  await daemon.hello([]);
  const { body } = await rig.api("GET", "/v1/tokens", admin);
  assert.ok(body.includes(`"laptop"`) && !body.includes(token) && !body.includes("hash"));
  const revoked = await rig.api("DELETE", `/v1/tokens/${id}`, admin);
  assert.deepEqual([revoked.status, typeof revoked.json.revokedAt], [200, "string"]);
  await daemon.end();
  assert.equal((await rig.api("GET", "/v1/links", token)).status, 401);
});

Deno.test("no cache keeps an answer", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  const [{ id }] = (await rig.attached().hello([link("web")])).links;
  const { json } = await rig.api("POST", "/v1/tokens", admin, { scope: "viewer" });
  for (
    const [method, path] of [
      ["GET", `/v1/links/${id}`],
      ["GET", "/v1/sessions"],
      ["GET", "/v1/nothing"],
      ["DELETE", `/v1/links/${id}`],
      ["DELETE", `/v1/tokens/${json.id}`],
    ]
  ) {
    const { head } = await rig.api(method, path, admin);
    assert.match(head, /^cache-control: no-store\r$/im, `${method} ${path}`);
  }
});

Deno.test("the hub's own socket takes no token and is its owner's only", async () => {
  await using rig = await HubRig.start();
  const path = rig.hub.socket!;
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  const call = (method: string, target: string, body?: unknown) =>
    rig.api(method, target, undefined, body, path);
  const made = await call("POST", "/v1/tokens", { scope: "admin", workspace: "acme" });
  assert.equal(made.status, 201);
  assert.equal((await rig.api("GET", "/v1/tokens", made.json.token)).json.items[0].workspace, "acme");
  assert.equal((await call("GET", "/v1/tokens")).json.items.length, 1);
  assert.equal((await call("DELETE", `/v1/tokens/${made.json.id}`)).status, 200);
  assert.equal((await call("GET", "/v1/links")).status, 200);
});

Deno.test("a change that can not be stored is 503, and nothing has changed", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  rig.diskFull = true;
  assert.equal((await rig.api("DELETE", `/v1/links/${id}`, admin)).json.code, "store_unavailable");
  assert.equal((await rig.api("POST", "/v1/tokens", admin, { scope: "viewer" })).status, 503);
  assert.equal((await daemon.change([link("api")])).links[0].refused.code, "store_unavailable");
  assert.equal((await rig.visit(id)).status, 200);
  rig.diskFull = false;
  assert.equal(typeof (await daemon.change([link("api")])).links[0].id, "string");
});
