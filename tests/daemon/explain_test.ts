/** `POST /v1/explain`: what it says of a request is what a visitor then gets. */
import assert from "node:assert/strict";
import { hash } from "bcryptjs";
import { DaemonRig } from "./daemon_rig.ts";

const STRICT = `links:
  strict:
    target: echo
    ttl: 2h
    methods: [GET, POST]
    paths:
      - /api
      - = /health
    rate: [5/m, 100/d per ip]
    allow_ips: ["192.0.2.0/24", "127.0.0.1"]
    max_body: 4
    max_streams: 2
    upgrade: false`;

/** What is sent by a visitor at 192.0.2.7, and what decides. */
const CASES: [line: string, fields: Record<string, string>, code: string | null, rule: string | null][] = [
  ["GET /api?x=1", {}, null, null],
  ["GET /health", {}, null, null],
  ["PUT /api", {}, "method_denied", "methods"],
  ["get /api", {}, "bad_request", null],
  ["TRACE /api", {}, "bad_request", null],
  ["GET /health/", {}, "path_denied", "paths"],
  ["GET /api/../health", {}, "path_ambiguous", "paths"],
  ["GET /api/%2e%2e/", {}, "path_ambiguous", "paths"],
  ["GET /api/%zz", {}, "path_ambiguous", "paths"],
  ["GET api", {}, "bad_request", null],
  ["POST /api", { "Content-Length": "5" }, "body_too_large", "max_body"],
  ["GET /api", { Connection: "Upgrade", Upgrade: "websocket" }, "upgrade_denied", "upgrade"],
  ["GET /api", { "Transfer-Encoding": "gzip" }, "bad_request", null],
];

Deno.test("what is explained is what a visitor then gets, and asking counts as nothing", async () => {
  await using rig = await DaemonRig.start(STRICT);
  const id = rig.hub.id("strict");
  for (const [line, headers, code, rule] of CASES) {
    const [method, path] = line.split(" ");
    const { status, json } = await rig.api("POST", "/v1/explain", {
      ...{ method, url: `http://${id}.localhost:8080${path}`, from: "192.0.2.7", headers },
    });
    if (path.startsWith("/")) assert.equal(status, 200, json.detail);
    else Object.assign(json, await explained(rig, { method, path, link: "strict" }));
    assert.deepEqual([json.verdict, json.code], [code === null ? "allow" : "deny", code], line);
    assert.equal(json.rule?.key ?? null, rule, line);
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const asked = rig.hub.ask(id, line, { fields, last: headers["Content-Length"] === undefined });
    await asked.over;
    assert.equal(asked.refused, code, line);
    assert.equal(json.status, code === null ? null : asked.status, line);
  }
  assert.equal(rig.link("strict").counters.allowed, 2);
  for (let i = 0; i < 3; i++) assert.equal(await rig.hub.visit(id, "GET /api"), "200");
  assert.equal(await rig.hub.visit(id, "GET /api"), "rate_limited");
});

async function explained(rig: DaemonRig, body: Record<string, unknown>) {
  const { status, json } = await rig.api("POST", "/v1/explain", { method: "GET", ...body });
  assert.equal(status, 200, JSON.stringify(json));
  return json;
}

Deno.test("an explanation has the shape that is documented: the rule with its line, every step, the counters", async () => {
  await using rig = await DaemonRig.start(STRICT);
  const json = await explained(rig, {
    path: "/other?token=s3cret",
    link: "strict",
    from: "::ffff:192.0.2.7",
  });
  assert.deepEqual(json.rule, {
    key: "paths",
    text: "/api, = /health",
    line: 7,
    file: rig.file,
    source: "    paths:",
  });
  assert.deepEqual([json.verdict, json.code, json.status], ["deny", "path_denied", 403]);
  assert.deepEqual([json.link, json.from, json.shadowed], ["strict", "192.0.2.7", null]);
  assert.deepEqual(
    json.steps.map(({ step, result }: Record<string, string>) => `${step} ${result}`).join(", "),
    "request pass, link pass, allow_ips pass, auth skip, methods pass, upgrade skip, paths deny, " +
      "max_body skip, rate skip, max_streams skip",
  );
  assert.equal(json.steps[1].detail, "it is active until 2026-01-01T02:00:00.000Z, for 2h more");
  assert.equal(json.steps[6].detail, '"/other" fits none of /api, = /health');
  assert.deepEqual(json.counters, [
    { key: "rate", text: "5/m", left: 5, of: 5, waitMs: 0 },
    { key: "rate", text: "100/d per ip", left: 100, of: 100, waitMs: 0 },
    { key: "max_streams", text: "2", left: 2, of: 2, waitMs: 0 },
  ]);
  assert.doesNotMatch(JSON.stringify(json), /s3cret/);
  const local = await explained(rig, { path: "/api", link: "strict" });
  assert.deepEqual([local.from, local.rule, local.code, local.status], ["127.0.0.1", null, null, null]);
});

Deno.test("what refuses a link that stands in no file has no line of the file", async () => {
  await using rig = await DaemonRig.start(`defaults: { methods: [GET] }\nlinks: { other: { target: echo } }`);
  const body = JSON.stringify({ name: "oneoff", target: "echo", paths: ["/a"] });
  assert.equal((await rig.api("POST", "/v1/links", body)).status, 201);
  for (const [method, path, key, text] of [["GET", "/b", "paths", "/a"], ["PUT", "/a", "methods", "GET"]]) {
    const { rule } = await explained(rig, { method, path, link: "oneoff" });
    assert.deepEqual(rule, { key, text, line: null, file: null, source: null });
  }
});

Deno.test("a credential is judged as a visitor's is, never shown, and a wrong one counts as nothing", async () => {
  await using rig = await DaemonRig.start(null);
  Deno.writeTextFileSync(`${rig.folder}/users`, `alice:${await hash("wonderland", 4)}\n`);
  Deno.writeTextFileSync(`${rig.folder}/tokens`, "0123456789abcdef\n");
  rig.write(
    "links: { a: { target: echo, auth: { basic: { file: ./users }, bearer: { token_file: ./tokens } } } }",
  );
  await rig.restart({ file: rig.file });
  const ask = async (...values: string[]) => {
    const headers = values.length === 0 ? {} : { Authorization: values.length === 1 ? values[0] : values };
    const json = await explained(rig, { path: "/", link: "a", headers });
    for (const value of values) assert.ok(!JSON.stringify(json).includes(value.split(" ")[1]), value);
    const auth = json.steps.find(({ step }: { step: string }) => step === "auth");
    return `${json.code} ${json.rule?.key} ${auth.detail}`;
  };
  const left = "; 10 of 10 wrong ones left for 127.0.0.1";
  for (let i = 0; i < 12; i++) {
    assert.equal(await ask("Bearer wrong-wrong-wrong"), `auth_required auth the credential is wrong${left}`);
  }
  assert.equal(
    await ask(`Basic ${btoa("alice:hatter")}`),
    `auth_required auth the credential is wrong${left}`,
  );
  assert.equal(
    await ask(`Basic ${btoa("alice:wonderland")}`),
    `null undefined the credential is right${left}`,
  );
  assert.equal(await ask("Bearer 0123456789abcdef"), `null undefined the credential is right${left}`);
  const none = `auth_required auth a credential (basic or bearer) is asked for, and none was sent${left}`;
  assert.equal(await ask(), none);
  assert.equal(await ask("Digest 0123456789abcdef"), none, "another scheme is the target's");
  assert.equal(
    await ask("Bearer 0123456789abcdef", "Bearer x-x-x-x-x-x-x-x-x"),
    "bad_request undefined not asked",
  );

  const id = rig.hub.id("a");
  for (let i = 0; i < 10; i++) await rig.hub.ask(id, "GET /", { fields: ["Authorization: Bearer no"] }).over;
  const limited = await explained(rig, {
    ...{ path: "/", link: "a", from: "192.0.2.7", headers: { Authorization: "Bearer 0123456789abcdef" } },
  });
  assert.deepEqual([limited.code, limited.rule.key, limited.counters[0].left], ["rate_limited", "auth", 0]);
});

Deno.test("links that have ended, fail or are not up yet are explained with what their visitors get", async () => {
  const folder = Deno.makeTempDirSync();
  await using rig = await DaemonRig.start(
    `links:
  brief: { target: echo, ttl: 1m }
  dated:
    target: echo
    until: 2026-01-01T00:05:00Z
  gone: { target: echo }
  broken: { target: echo, auth: { basic: { file: ${folder}/none } } }
  refused: { target: echo }
  twice: { target: echo, max_uses: 2 }`,
  );
  Deno.removeSync(folder);
  await rig.api("DELETE", "/v1/links/gone");
  await rig.leap(10 * 60_000);
  const told = async (name: string) => {
    const { verdict, code, status, rule, steps } = await explained(rig, { path: "/", link: name });
    assert.equal(verdict, "deny");
    assert.deepEqual([steps[1].result, steps[2].detail], ["deny", "not asked"]);
    return [code, status, rule && `${rule.key} ${rule.text} ${rule.line}`, steps[1].detail];
  };
  assert.deepEqual(await told("brief"), [
    ...["link_expired", 410, "ttl 1m 3", "it expired at 2026-01-01T00:01:00.000Z"],
  ]);
  assert.deepEqual(await told("dated"), [
    ...["link_expired", 410, "until 2026-01-01T00:05:00.000Z 6", "it expired at 2026-01-01T00:05:00.000Z"],
  ]);
  assert.equal(await rig.hub.visit(rig.hub.id("twice")), "200");
  const once = await explained(rig, { path: "/", link: "twice" });
  assert.equal(once.steps[1].detail, "it is active, and never ends; 1 of 2 uses left");
  assert.equal(await rig.hub.visit(rig.hub.id("twice")), "200");
  assert.deepEqual(await told("twice"), [
    ...["link_expired", 410, "max_uses 2 10", "it was to be used 2 times, and it was"],
  ]);
  const [code, status, rule, detail] = await told("gone");
  assert.deepEqual([code, status, rule], ["link_revoked", 410, null]);
  assert.match(detail, /^it was revoked at 2026-01-01T00:00:0\S+Z: connectd renew gone brings it back$/);
  const broken = await told("broken");
  assert.deepEqual(broken.slice(0, 3), ["link_unavailable", 503, "auth basic 8"]);
  assert.match(broken[3], /^it is in error: .*\/none/);

  rig.hub.refusing.set("late", { code: "bad_name", message: "not this one" });
  await rig.api("POST", "/v1/links", { name: "late", target: "echo" });
  assert.deepEqual(await told("late"), ["link_unavailable", 503, null, "it is error: not this one"]);
  rig.hub.hold();
  rig.hub.drop();
  const [, , , pending] = await told("refused");
  assert.match(pending, /^it is pending: /);

  await rig.api("POST", "/v1/links/brief/renew", { ttl: "5m" });
  await rig.leap(10 * 60_000);
  assert.equal((await told("brief"))[2], "ttl 5m null", "what a renewal asked for stands in no file");
});

Deno.test("a link in shadow lets it through, and tells what it would have refused", async () => {
  await using rig = await DaemonRig.start(
    "links:\n  a: { target: echo, paths: [/api], shadow: true, methods: [GET] }",
  );
  const json = await explained(rig, { path: "/x", link: "a" });
  assert.deepEqual([json.verdict, json.code, json.status], ["allow", null, null]);
  assert.deepEqual(json.shadowed, { code: "path_denied", status: 403 });
  assert.deepEqual([json.rule.key, json.rule.line], ["paths", 3]);
  assert.equal(json.steps.find(({ step }: { step: string }) => step === "paths").result, "deny");
  assert.equal((await explained(rig, { path: "/api", link: "a" })).shadowed, null);
  assert.deepEqual(rig.link("a").counters.shadowed, {});
  assert.equal((await explained(rig, { path: "/a b", link: "a" })).code, "bad_request");
});

Deno.test("a link is found by its name or by a host that it has or had, whatever the port", async () => {
  await using rig = await DaemonRig.start(
    "links:\n  a: { target: echo }\n  b: { target: echo, subdomain: demo }",
  );
  const id = rig.hub.id("a");
  const found = async (body: Record<string, unknown>) => {
    const { link, code } = await explained(rig, body);
    return `${link} ${code}`;
  };
  assert.equal(await found({ url: `http://${id}.localhost:8080/x` }), "a null");
  assert.equal(await found({ url: `https://${id.toUpperCase()}.LOCALHOST.` }), "a null");
  assert.equal(await found({ url: `http://${id}.hub.example.com?x#y` }), "a null");
  assert.equal(await found({ url: "http://demo.localhost:8080" }), "b null");
  assert.equal(await found({ url: "http://demo.localhost:8080", link: "b" }), "b null");
  await rig.api("POST", "/v1/links/a/renew", { newId: true });
  await rig.hub.until(() => rig.hub.id("a") !== id);
  assert.equal(await found({ url: `http://${id}.localhost:8080/x` }), "a link_removed");
  assert.equal(await found({ url: `http://${id}.localhost:8080/x`, link: "a" }), "a link_removed");
});

const WRONG: [body: Record<string, unknown>, ...pointers: string[]][] = [
  [{}, "/method", "/path"],
  [{ method: "GET" }, "/path"],
  [{ method: "GET", path: "/" }, "/link"],
  [{ method: "GET", path: "/", link: "no" }, "/link"],
  [{ method: "GET", url: "http://no.localhost/" }, "/url"],
  [{ method: "GET", url: "http://demo.localhost/", path: "/", link: "a" }, "/path"],
  [{ method: "GET", url: "http://demo.localhost/", link: "a" }, "/url"],
  [{ method: "GET", url: "http://alice:secret@demo.localhost/" }, "/url"],
  [{ method: "GET", url: "demo.localhost" }, "/url"],
  [
    { method: 1, path: 2, link: 3, from: 4, headers: 5, more: 6 },
    ..."/method /path /link /from /headers /more".split(" "),
  ],
  [{ method: "", path: "", link: "a" }, "/method", "/path"],
  [{ method: "GET", path: "/", link: "a", from: "localhost" }, "/from"],
  [
    { method: "GET", path: "/", link: "a", headers: { "a b": "x", X: 1, Y: ["y", null], "Z/~": "\r\nA: b" } },
    ...["/headers/a b", "/headers/X", "/headers/Y", "/headers/Z~1~0"],
  ],
  [{ method: "GET", path: "/", link: "a", headers: [["X", "y"]] }, "/headers"],
];

Deno.test("what can not be explained is pointed at, and nothing in it is repeated that may be secret", async () => {
  await using rig = await DaemonRig.start(
    "links:\n  a: { target: echo }\n  b: { target: echo, subdomain: demo }",
  );
  for (const [body, ...pointers] of WRONG) {
    const { status, json } = await rig.api("POST", "/v1/explain", body);
    assert.equal(status, 422, JSON.stringify(body));
    assert.deepEqual(
      json.errors?.map(({ pointer }: { pointer: string }) => pointer),
      pointers,
      JSON.stringify(body),
    );
    assert.doesNotMatch(JSON.stringify(json), /secret/);
  }
});

Deno.test("no member of a request becomes another part of it", async () => {
  await using rig = await DaemonRig.start("links: { a: { target: echo, methods: [POST] } }");
  for (
    const body of [
      { method: "POST / HTTP/1.1\r\nX:", path: "/" },
      { method: "POST /", path: "/" },
      { method: "GET", path: "/ HTTP/1.1\r\nHost: x\r\n\r\n" },
      { method: "POST", path: "/\u0000" },
      { method: "POST", path: "/#x" },
      { method: "POST", path: "/", headers: { Host: ["a", "b"] } },
      { method: "POST", path: "/", headers: { "Content-Length": "1, 2" } },
    ]
  ) {
    const { code, steps } = await explained(rig, { link: "a", ...body });
    assert.deepEqual([code, steps[0].result], ["bad_request", "deny"], JSON.stringify(body));
  }
  const small = await explained(rig, { link: "a", method: "post", path: "/" });
  assert.equal(
    small.steps[0].detail,
    'it is malformed: "post" is no method: methods are in capitals, write POST',
  );
  const escaped = await rig.api("POST", "/v1/explain", '{"link":"a","method":"POST","path":"/\\u00e9"}');
  assert.equal(escaped.json.code, "bad_request");
  assert.equal((await explained(rig, { link: "a", path: `/${"x".repeat(20_000)}` })).code, "uri_too_long");
});

Deno.test("a request that has been through the link already is a loop", async () => {
  await using rig = await DaemonRig.start("links: { a: { target: echo } }");
  const asked = rig.hub.ask(rig.hub.id("a"), "GET /");
  await asked.over;
  const { headers } = JSON.parse(asked.text);
  const [, loop] = headers.find(([name]: string[]) => name.toLowerCase() === "cdn-loop");
  const { code, status } = await explained(rig, { link: "a", path: "/", headers: { "CDN-Loop": loop } });
  assert.deepEqual([code, status], ["loop_detected", 508]);
});
