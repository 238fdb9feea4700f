import assert from "node:assert/strict";
import { entryChanges } from "../../src/core/entry.ts";
import { config, link, NOW, OPTIONS, short } from "./read.ts";
import { readConfig } from "../../src/config/links.ts";

const HOUR = 3_600_000;

Deno.test("a link that says nothing has the documented defaults", () => {
  const { lines, ...entry } = link("target: echo");
  assert.deepEqual(entry, {
    name: "a",
    source: "file",
    target: { kind: "echo" },
    service: null,
    ttlMs: null,
    until: null,
    maxUses: null,
    policy: {
      methods: null,
      paths: null,
      rate: [],
      auth: false,
      basic: false,
      bearer: false,
      allowIps: null,
      maxBody: null,
      maxStreams: null,
      upgrade: ["websocket"],
      shadow: false,
    },
    auth: { basicFile: null, bearerFile: null },
    host: "target",
    headers: null,
    timeoutMs: 60_000,
    holdMs: 0,
    drainMs: 5_000,
    subdomain: null,
    domain: null,
    inspect: "heads",
    inspectLast: 100,
    inspectRedact: [],
    tls: null,
    line: 3,
    column: 3,
  });
  assert.deepEqual([...lines], [["target", 3]]);
});

Deno.test("every key of a link is read into what it means", () => {
  const entry = link(
    "target: 'https://api.internal:8443', ttl: 1h30m, methods: [GET, POST, GET], paths: [/a, = /b], " +
      "rate: [100/m burst 20, 5 per ip], auth: { basic: { file: ./p }, bearer: { token_file: ~/t } }, " +
      "allow_ips: [198.51.100.0/24, '::1'], host: public, max_body: 10MiB, max_streams: 7, upgrade: false, " +
      "timeout: 2s, shadow: true, subdomain: demo, drain: 0s, inspect: off, " +
      "inspect_last: 5, inspect_redact: [X-Api-Key, token], " +
      "tls: { ca_file: ca.pem, server_name: api.internal, insecure: true }",
  );
  assert.deepEqual(entry.target, { kind: "https", host: "api.internal", port: 8443 });
  assert.equal(entry.ttlMs, 1.5 * HOUR);
  assert.deepEqual(entry.policy, {
    methods: ["GET", "POST"],
    paths: ["/a", "= /b"],
    rate: [
      { count: 100, perMs: 60_000, burst: 20, perIp: false },
      { count: 5, perMs: 60_000, burst: 5, perIp: true },
    ],
    auth: true,
    basic: true,
    bearer: true,
    allowIps: ["198.51.100.0/24", "::1"],
    maxBody: 10 * 1024 * 1024,
    maxStreams: 7,
    upgrade: [],
    shadow: true,
  });
  assert.deepEqual(entry.auth, { basicFile: "/etc/connectd/p", bearerFile: "/home/ann/t" });
  assert.equal(entry.host, "public");
  assert.equal(entry.timeoutMs, 2_000);
  assert.equal(entry.drainMs, 0);
  assert.equal(entry.subdomain, "demo");
  assert.equal(entry.inspect, "off");
  assert.deepEqual([entry.inspectLast, entry.inspectRedact], [5, ["X-Api-Key", "token"]]);
  assert.deepEqual(entry.tls, {
    caFile: "/etc/connectd/ca.pem",
    serverName: "api.internal",
    insecure: true,
  });
});

Deno.test("a link's own key replaces the default whole", () => {
  const above = "defaults: { ttl: 24h, methods: [GET], rate: [1/s, 5/h], max_body: 1KiB, inspect: bodies, " +
    "auth: { basic: { file: ./b }, bearer: { token_file: ./t } }, upgrade: false, shadow: true }\n";
  const plain = link("target: echo", above);
  assert.equal(plain.ttlMs, 24 * HOUR);
  assert.deepEqual(plain.policy.methods, ["GET"]);
  assert.equal(plain.policy.rate.length, 2);
  assert.equal(plain.inspect, "bodies");
  assert.deepEqual(plain.policy.upgrade, []);
  assert.equal(plain.policy.shadow, true);
  const own = link(
    "target: echo, ttl: never, methods: [PUT], rate: 3/m, auth: { bearer: { token_file: /t } }, " +
      "upgrade: true, shadow: false",
    above,
  );
  assert.equal(own.ttlMs, null);
  assert.deepEqual(own.policy.methods, ["PUT"]);
  assert.deepEqual(own.policy.rate, [{ count: 3, perMs: 60_000, burst: 3, perIp: false }]);
  assert.deepEqual(own.auth, { basicFile: null, bearerFile: "/t" });
  assert.deepEqual([own.policy.basic, own.policy.bearer], [false, true]);
  assert.deepEqual(own.policy.upgrade, ["websocket"]);
  assert.equal(own.policy.shadow, false);
  assert.equal(own.policy.maxBody, 1024);
});

Deno.test("an own until stands against the default's ttl, and a passed one keeps the link", () => {
  const entry = link("target: echo, until: 2099-12-01T00:00:00+01:00", "defaults: { ttl: 1h }\n");
  assert.equal(entry.ttlMs, null);
  assert.equal(entry.until, Date.parse("2099-11-30T23:00:00Z"));
  const passed = readConfig(
    "version: 1\nlinks: { a: { target: echo, until: '2025-12-31T23:00:00Z' } }\n",
    OPTIONS,
  );
  assert.deepEqual(passed.problems.map(short), ["2:36 warning expired"]);
  assert.equal(passed.config?.links.get("a")?.until, NOW - HOUR);
});

Deno.test("TLS by default is for the https targets among the links", () => {
  const { links } = config(
    "version: 1\ndefaults: { tls: { insecure: true } }\nlinks:\n  a: { target: 'https://x' }\n  b: { target: echo }\n",
  );
  assert.equal(links.get("a")?.tls?.insecure, true);
  assert.equal(links.get("b")?.tls, null);
});

Deno.test("a target that names a service is the service's, even one called echo or constructor", () => {
  const { links, services } = config(
    "version: 1\nservices:\n  api: localhost:3000\n  echo: localhost:4000\n  constructor: unix:run/app.sock\n" +
      "  db: { target: 'tcp://localhost:5432', access: private, allow: [ci], remote: true }\n" +
      "links:\n  a: { target: api }\n  b: { target: echo }\n  c: { target: constructor }\n  d: { target: 'api:80' }\n",
  );
  const targets = [...links.values()].map(({ target, service }) => [service, target]);
  assert.deepEqual(targets, [
    ["api", { kind: "http", host: "localhost", port: 3000 }],
    ["echo", { kind: "http", host: "localhost", port: 4000 }],
    ["constructor", { kind: "unix", path: "/etc/connectd/run/app.sock" }],
    [null, { kind: "http", host: "api", port: 80 }],
  ]);
  assert.deepEqual(services.get("db"), {
    name: "db",
    target: { kind: "tcp", host: "localhost", port: 5432 },
    access: "private",
    allow: ["ci"],
    remote: true,
  });
  assert.deepEqual(services.get("api"), {
    name: "api",
    target: { kind: "http", host: "localhost", port: 3000 },
    access: "public",
    allow: null,
    remote: false,
  });
});

Deno.test("comments, order, quotes and other spellings are no change of a link", () => {
  const one = link(
    "target: web, ttl: 1h, methods: [GET, PUT], rate: 60, max_body: 1KiB, upgrade: true, host: target",
    "services: { web: 'localhost:3000' }\n",
  );
  const other = config(
    "# words\nlinks:\n  a:\n    upgrade: [WebSocket]\n    max_body: 1024\n    rate: 60/m burst 60\n" +
      "    methods:\n      - PUT\n      - 'GET'\n    'ttl': \"60m\" # an hour\n    target: http://LOCALHOST:3000\n" +
      "version: 1\n",
  ).links.get("a")!;
  assert.deepEqual(entryChanges(one, other), []);
  assert.deepEqual(entryChanges(one, link("target: 'localhost:3001', rate: 60")).map((c) => c.key), [
    "target",
    "ttl",
    "methods",
    "max_body",
  ]);
});

Deno.test("explain is told the line of each key that decides, its own or the default's", () => {
  const { links } = config(
    "version: 1\ndefaults:\n  rate: 5\n  methods: [GET]\nlinks:\n  a:\n    target: echo\n    rate:\n      - 7/s\n",
  );
  const entry = links.get("a")!;
  assert.deepEqual([entry.line, entry.column], [6, 3]);
  assert.deepEqual(Object.fromEntries(entry.lines), { rate: 8, methods: 4, target: 7 });
});

Deno.test("the top of the file is read, and what it does not say is null or the default", () => {
  const full = config(
    "version: 1\nhub: https://HUB.example.com:443/\nlisten: '[::1]:0'\ntoken_file: ~/token\nhub_ca_file: ca.pem\n" +
      "plain: true\ncontrol: LOCALHOST:4545\nconnections: 3\ndrain_timeout: 1m\ntrace: true\nremote: manage\n",
  );
  assert.deepEqual(full.hubs, [{
    url: "https://hub.example.com",
    tokenFile: "/home/ann/token",
    caFile: "/etc/connectd/ca.pem",
    plain: true,
  }]);
  assert.deepEqual([full.listen, full.control], ["[::1]:0", "localhost:4545"]);
  assert.deepEqual([full.connections, full.drainTimeoutMs, full.trace, full.remote], [
    3,
    60_000,
    true,
    "manage",
  ]);
  const bare = config("version: 1\nlinks:\nservices:\n");
  assert.deepEqual([bare.hubs, bare.listen, bare.control, bare.tokenFile, bare.hubCaFile], [
    [],
    null,
    null,
    null,
    null,
  ]);
  assert.deepEqual([bare.connections, bare.drainTimeoutMs, bare.trace, bare.remote, bare.plain], [
    2,
    30_000,
    false,
    "revoke",
    false,
  ]);
  assert.deepEqual([bare.links.size, bare.services.size], [0, 0]);
});

Deno.test("a hub in a list has what its item says, else what the top says", () => {
  const { hubs } = config(
    "version: 1\ntoken_file: t\nhub_ca_file: c\nplain: false\nhub:\n  - https://a.example\n" +
      "  - { url: 'http://b.example:81', token_file: /b, ca_file: /c, plain: true }\n  - http://[::1]:8080\n",
  );
  const top = { tokenFile: "/etc/connectd/t", caFile: "/etc/connectd/c", plain: false };
  assert.deepEqual(hubs, [
    { url: "https://a.example", ...top },
    { url: "http://b.example:81", tokenFile: "/b", caFile: "/c", plain: true },
    { url: "http://[::1]:8080", ...top },
  ]);
  assert.deepEqual(config("version: 1\nhub: embedded\n").hubs, []);
});
