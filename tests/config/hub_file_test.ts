import assert from "node:assert/strict";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { readHubConfig } from "../../src/config/hub.ts";
import { hubConfig, hubProblemsOf, OPTIONS } from "./read.ts";

Deno.test("hub.yaml: what is not said is null or the default", () => {
  const { listen, domain, publicUrl, store, trustedProxies, limits } = hubConfig("version: 1\n");
  assert.deepEqual([listen, domain, publicUrl, store, trustedProxies], [null, null, null, null, []]);
  assert.deepEqual(limits, DEFAULT_LIMITS);
});

Deno.test("hub.yaml: every key is read into what it means", () => {
  const read = hubConfig(
    "version: 1\nlisten: 0.0.0.0:8080\ndomain: Hub.Example.com.\npublic_url: https://admin.example.com/\n" +
      "store: sqlite:./hub.db\ntrusted_proxies: [127.0.0.1/32, '::1']\nlimits: { connections: 1, per_address: 2, " +
      "sessions: 3, streams_per_session: 4, head: 5KiB, fields: 6, target: 7KiB, head_timeout: 8s, body_idle: 9s, " +
      "keep_alive: 0s }\nkeep: { audit: 90d, access_log: 7d }\n",
  );
  assert.equal(read.listen, "0.0.0.0:8080");
  assert.equal(read.domain, "hub.example.com");
  assert.equal(read.publicUrl, "https://admin.example.com");
  assert.deepEqual(read.store, { kind: "sqlite", path: "/etc/connectd/hub.db" });
  assert.deepEqual(read.trustedProxies, ["127.0.0.1/32", "::1"]);
  assert.deepEqual(read.limits, {
    ...{ connections: 1, perAddress: 2, sessions: 3, streamsPerSession: 4, head: 5 * 1024, fields: 6 },
    ...{ target: 7 * 1024, headTimeoutMs: 8_000, bodyIdleMs: 9_000, keepAliveMs: 0 },
  });
  assert.equal(read.keepAuditMs, 90 * 86_400_000);
  assert.equal(read.keepAccessMs, 7 * 86_400_000);
});

Deno.test("hub.yaml: every value that can not be is a problem in its place", () => {
  for (
    const [text, problem] of [
      ["listen: 8080", "2:9 error wrong_type"],
      ["listen: ':8080'", "2:9 error bad_address"],
      ["domain: hub_example", "2:9 error bad_name"],
      ["domain: 127.0.0.1", "2:9 error bad_name"],
      ["public_url: hub.example.com", "2:13 error bad_address"],
      ["store: redis://x", "2:8 error bad_value"],
      ["store: 'sqlite:'", "2:8 error bad_value"],
      ["trusted_proxies: [proxy.example.com]", "2:19 error bad_address"],
      ["trusted_proxies: 127.0.0.1", "2:18 error wrong_type"],
      ["tls: ./cert.pem", "2:6 error wrong_type"],
      ["tls: { cert: ./cert.pem }", "2:1 error missing"],
      ["tls: { cert: ./c.pem, key: ./k.pem, ca: ./ca.pem }", "2:37 error unknown_key"],
      ["tls: { cert: '', key: ./k.pem }", "2:14 error bad_value"],
      ["proxy_protocol: v2", "2:17 error wrong_type"],
      ["proxy_protocol: true", "2:17 error conflict"],
      ["limits: { head: 1B }", "2:17 error bad_value"],
      ["limits: { head: 2MiB }", "2:17 error bad_value"],
      ["limits: { target: 1 }", "2:19 error bad_value"],
      ["limits: { head_timeout: 0s }", "2:25 error bad_value"],
      ["limits: { body_idle: never }", "2:22 error bad_duration"],
      ["limits: { connections: 0 }", "2:24 error bad_value"],
      ["limits: { heads: 1 }", "2:11 error unknown_key"],
      ["keep: { audit: 0s }", "2:16 error bad_value"],
      ["keep: { access_log: 1h }", "2:21 error bad_value"],
      ["keep: { access_log: never }", "2:21 error bad_duration"],
      ["keep: { logs: 1d }", "2:9 error unknown_key"],
      ["links: {}", "2:1 error unknown_key"],
    ]
  ) {
    assert.deepEqual(hubProblemsOf(`version: 1\n${text}\n`), [problem], text);
  }
  assert.deepEqual(hubProblemsOf("domain: a.example\n"), ["1:1 error missing"]);
});

Deno.test("hub.yaml: an error refuses the file, and paths that need a home say so", () => {
  const { config, problems } = readHubConfig("version: 1\nstore: sqlite:~/hub.db\n", {
    file: OPTIONS.file,
    now: 0,
  });
  assert.equal(config, null);
  assert.match(problems[0].message, /HOME is not set/);
  assert.deepEqual(hubConfig("version: 1\nstore: sqlite:~/hub.db\n").store?.path, "/home/ann/hub.db");
});
