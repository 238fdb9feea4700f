/** What daemon and hub tell Prometheus is what happened. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { eventually, HubRig, link } from "../hub/rig.ts";
import { Metrics } from "./read.ts";
import { MetricsRig } from "./rig.ts";

const LINKS = `links:
  open: { target: echo }
  posts: { target: echo, methods: [POST], max_uses: 9 }
  shadow: { target: echo, methods: [POST], shadow: true, ttl: 1h }
  broken: { target: "127.0.0.1:1" }`;

Deno.test("requests are counted by link, by status and by code, and their bytes and times with them", async () => {
  await using rig = await MetricsRig.start(LINKS);
  const before = await rig.read();
  assert.equal(before.find("connectd_requests_total").length, 0, "no request, no series");
  assert.equal(before.value("connectd_requests_admitted_total", { link: "open" }), 0);

  await rig.visit("open", "POST /?bytes=1000 HTTP/1.1\r\nContent-Length: 5", "hello");
  await rig.visit("open", "GET /?status=503 HTTP/1.1");
  await rig.visit("posts");
  await rig.visit("shadow");
  await rig.visit("broken");
  const over = (read: Metrics) =>
    read.find("connectd_request_duration_seconds_count").reduce((sum, { value }) => sum + value, 0);
  // What a hub refuses for a link it reports about once a second.
  const read = await eventually(
    () => rig.read(),
    (read) => over(read) === 4 && read.find("connectd_requests_refused_total").length > 0,
  );

  const total = (link: string, status: string) => read.value("connectd_requests_total", { link, status });
  assert.deepEqual([total("open", "2xx"), total("open", "5xx"), total("shadow", "2xx")], [1, 1, 1]);
  assert.deepEqual([total("broken", "5xx"), total("broken", "2xx")], [1, 0]);
  const refused = read.find("connectd_requests_refused_total");
  assert.deepEqual(refused.map(({ labels, value }) => [labels.link, labels.code, value]), [
    ["posts", "method_denied", 1],
  ]);
  assert.equal(read.value("connectd_requests_shadowed_total", { link: "shadow", code: "method_denied" }), 1);
  assert.equal(read.value("connectd_target_failures_total", { link: "broken", code: "target_refused" }), 1);
  assert.equal(read.value("connectd_requests_admitted_total", { link: "open" }), 2);
  assert.equal(read.value("connectd_request_body_bytes_total", { link: "open" }), 5);
  assert.ok(read.value("connectd_response_body_bytes_total", { link: "open" }) >= 1000);
  assert.equal(read.value("connectd_requests_open", { link: "open" }), 0);
  assert.equal(read.value("connectd_target_response_seconds_count", { link: "open" }), 2);
  assert.equal(read.find("connectd_target_response_seconds_count", { link: "broken" })[0]?.value, 0);
  const expires = read.value("connectd_link_expires_timestamp_seconds", { link: "shadow" });
  assert.ok(Math.abs(expires - Date.now() / 1000 - 3600) < 60);
  assert.equal(
    read.find("connectd_link_expires_timestamp_seconds").length,
    1,
    "those without an end have none",
  );

  const left = read.find("connectd_link_uses_left").map(({ labels, value }) => [labels.link, value]);
  assert.deepEqual(left, [["posts", 9]], "what was refused is no use");

  // The hub refused the GET on `posts` itself, and handed on the rest.
  assert.equal(read.value("connectd_hub_requests_total"), 4);
  assert.equal(read.value("connectd_hub_requests_refused_total", { code: "method_denied" }), 1);
  assert.equal(read.value("connectd_hub_daemons", { state: "online" }), 1);
  assert.equal(read.value("connectd_hub_sessions"), 1);
  assert.equal(read.value("connectd_hub_names"), 4);
});

Deno.test("a request of many seconds, and one that is upgraded, count when they are over", async () => {
  await using rig = await MetricsRig.start(LINKS);
  const { host, port } = new URL(rig.daemon.link("open").url!);
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const head = ["GET / HTTP/1.1", `Host: ${host}`, "Connection: Upgrade", "Upgrade: websocket"];
  head.push("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
  await socket.write(new TextEncoder().encode(head.join("\r\n") + "\r\n\r\n"));
  await socket.read(new Uint8Array(4096));
  const open = await eventually(
    () => rig.read(),
    (read) => read.value("connectd_requests_open", { link: "open" }) === 1,
  );
  assert.equal(open.value("connectd_hub_requests_open"), 1);
  socket.close();
  const over = await eventually(() => rig.read(), (read) => read.find("connectd_requests_total").length > 0);
  assert.equal(over.value("connectd_requests_total", { status: "1xx" }), 1);
  assert.equal(
    over.value("connectd_request_duration_seconds_count"),
    0,
    "it lasted as long as somebody wished",
  );
  assert.equal(over.value("connectd_target_response_seconds_count"), 1);
});

Deno.test("reloads, the file's mistakes and the states of links and hubs are told", async () => {
  await using rig = await MetricsRig.start(LINKS);
  await rig.daemon.reload("links: { open: { target: echo, nonsense: 1 } }");
  const bad = await rig.read();
  assert.equal(bad.value("connectd_reloads_total", { result: "refused" }), 1);
  assert.equal(bad.value("connectd_config_problems", { severity: "error" }), 1);
  assert.equal(bad.value("connectd_config_generation"), 1);
  assert.equal(bad.value("connectd_links", { state: "active" }), 4);
  await rig.daemon.reload("links: { open: { target: echo } }");
  const good = await rig.read();
  assert.ok(good.value("connectd_reloads_total", { result: "applied" }) >= 2);
  assert.deepEqual(
    [good.value("connectd_config_problems", { severity: "error" }), good.value("connectd_config_generation")],
    [0, 2],
  );
  assert.deepEqual(
    [good.value("connectd_links", { state: "active" }), good.value("connectd_links", { state: "error" })],
    [1, 0],
  );
  assert.equal(good.value("connectd_hub_state", { state: "connected" }), 1);
  assert.equal(good.value("connectd_hub_state", { state: "refused" }), 0);
  assert.deepEqual(
    [good.value("connectd_sessions"), good.value("connectd_sessions_begun_total")],
    [1, 1],
  );
  assert.equal(good.value("connectd_session_stuck_seconds"), 0);
});

Deno.test("a hub's figures are for a token of their own, which is made on its machine and does nothing else", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  await rig.visit(id);
  await rig.visit("nosuchlink");
  for (const scope of ["admin", "daemon", "member", "viewer"] as const) {
    assert.equal((await rig.api("GET", "/metrics", await rig.token(scope))).status, 403, scope);
  }
  assert.equal((await rig.api("GET", "/metrics")).status, 401);
  const token = await rig.token("metrics");
  const read = new Metrics((await rig.api("GET", "/metrics", token)).body);
  assert.equal(read.value("connectd_hub_requests_total"), 1);
  assert.equal(read.value("connectd_hub_requests_refused_total", { code: "link_unknown" }), 1);
  assert.ok(read.value("connectd_hub_connections") >= 1);
  assert.ok(read.value("process_resident_memory_bytes") > 1e6);
  assert.ok(!read.series.some(({ labels }) => Object.values(labels).includes(id)), "no link is named");
  for (
    const [method, path] of [
      ["GET", "/v1/links"],
      ["GET", "/v1/tokens"],
      ["DELETE", `/v1/links/${id}`],
      ["GET", "/v1/tunnel"],
      ["GET", "/v1/openapi.json"],
    ]
  ) {
    assert.equal((await rig.api(method, path, token)).status, 403, path);
  }
  const admin = await rig.token("admin");
  assert.equal((await rig.api("POST", "/v1/tokens", admin, { scope: "metrics" })).status, 403);
  const socket = rig.hub.socket!;
  assert.equal((await rig.api("GET", "/metrics", undefined, undefined, socket)).status, 200);
  assert.equal((await rig.api("POST", "/v1/tokens", undefined, { scope: "metrics" }, socket)).status, 201);
});

Deno.test("a store that fails shows, and requests go on", async () => {
  await using rig = await MetricsRig.start("links: { a: { target: echo } }");
  const before = (await rig.read()).value("connectd_store_failures_total");
  const other = new DatabaseSync(`${rig.daemon.state}/state.db`);
  try {
    // The daemon's own writes come first.
    other.exec("PRAGMA busy_timeout = 10000");
    other.exec("ALTER TABLE entries RENAME TO elsewhere");
    assert.equal((await rig.daemon.api("POST", "/v1/links", { name: "b", target: "echo" })).status, 503);
    assert.ok((await rig.read()).value("connectd_store_failures_total") > before);
    assert.equal((await rig.visit("a")).status, 200);
  } finally {
    other.close();
  }
});
