import assert from "node:assert/strict";
import { hashSync } from "bcryptjs";
import { TestClock } from "../../src/clock.ts";
import { refusal } from "../../src/core/errors.ts";
import type { PolicySpec } from "../../src/core/policy_spec.ts";
import { parseRate } from "../../src/core/units.ts";
import type { Auth } from "../../src/daemon/auth.ts";
import type { Followed, Outcome } from "../../src/daemon/follow.ts";
import { answering, entryTo, requestText, Rig } from "./serve_rig.ts";

/** A rig with one link to a target that answers "hello", and the heads that it got. */
function helloRig(policy: Partial<PolicySpec> = {}, clock?: TestClock) {
  const rig = new Rig(clock);
  const heads: string[] = [];
  const target = rig.target(answering("hello", (head) => heads.push(head)));
  const link = rig.link(entryTo(target.target, {}, policy));
  return { rig, heads, target, link };
}

Deno.test("a request reaches the target with the visitor's address, and its answer the visitor", async () => {
  const { rig, heads, link, target } = helloRig();
  await using _ = rig;
  const asked = await rig.get("GET /a?b=c", ["X-Own: 1", "X-Forwarded-For: 6.6.6.6"], { https: true });
  assert.equal(asked.status, 200);
  assert.equal(asked.text, "hello");
  assert.equal(asked.code, null);
  assert.match(heads[0], /^GET \/a\?b=c HTTP\/1\.1\r\n/);
  assert.match(
    heads[0],
    new RegExp(`^Host: 127\\.0\\.0\\.1:${(target.target as { port: number }).port}\r$`, "m"),
  );
  assert.match(heads[0], /^X-Own: 1\r$/m);
  assert.match(heads[0], /^X-Forwarded-For: 192\.0\.2\.7\r$/m);
  assert.match(heads[0], /^X-Forwarded-Proto: https\r$/m);
  assert.match(heads[0], /^X-Forwarded-Host: demo\.hub\.test\r$/m);
  assert.doesNotMatch(heads[0], /6\.6\.6\.6/);
  assert.deepEqual(link.counters, { allowed: 1, denied: {}, shadowed: {}, bytesIn: 0, bytesOut: 5, open: 0 });
});

Deno.test("keep-alive requests of one link share connections to the target", async () => {
  const { rig, target } = helloRig();
  await using _ = rig;
  for (let i = 0; i < 5; i++) assert.equal((await rig.get("GET /")).text, "hello");
  assert.equal(target.connections, 1);
});

Deno.test("a hub that lies and cheats reaches no target", async () => {
  const clock = new TestClock();
  const { rig, target, link } = helloRig({ methods: ["GET"] }, clock);
  await using _ = rig;
  const entry = link.entry;
  rig.known.set("gone", refusal("link_revoked"));
  const expired = rig.link({ ...entry, name: "expired" }, "expired");
  expired.expiresAt = clock.now();
  const ended = rig.link({ ...entry, name: "ended" }, "ended");
  ended.ended = refusal("link_revoked");
  const failing = rig.link({ ...entry, name: "failing" }, "failing");
  failing.failing = "its file is away";
  const ok = requestText("GET /");
  const cases: [what: string, code: string, () => ReturnType<Rig["ask"]>][] = [
    ["an id that is no link's", "link_unknown", () => rig.ask(ok, { link: "nope" })],
    ["an id that is a property of objects", "link_unknown", () => rig.ask(ok, { link: "__proto__" })],
    ["an empty id", "link_unknown", () => rig.ask(ok, { link: "" })],
    ["an id that ended", "link_revoked", () => rig.ask(ok, { link: "gone" })],
    ["an expired link", "link_expired", () => rig.ask(ok, { link: "expired" })],
    ["a revoked link", "link_revoked", () => rig.ask(ok, { link: "ended" })],
    ["a link in error", "link_unavailable", () => rig.ask(ok, { link: "failing" })],
    ["an address that is a name", "bad_request", () => rig.ask(ok, { address: "localhost" })],
    ["an address with a port", "bad_request", () => rig.ask(ok, { address: "192.0.2.1:80" })],
    ["an address with more behind it", "bad_request", () => rig.ask(ok, { address: "192.0.2.1,127.0.0.1" })],
    ["no address", "bad_request", () => rig.ask(ok, { address: "" })],
    ["an empty line", "bad_request", () => rig.ask("\r\n")],
    ["garbage", "bad_request", () => rig.ask("\u0000\u0001\u0002\r\n\r\n")],
    ["half a head", "bad_request", () => rig.ask("GET / HTTP/1.1\r\nHost: x\r\n")],
    ["two heads in one", "bad_request", () => rig.ask(ok + ok)],
    ["a head with a body in it", "bad_request", () => rig.ask(ok + "x")],
    ["LF line ends", "bad_request", () => rig.ask("GET / HTTP/1.1\nHost: x\n\n")],
    ["no Host", "bad_request", () => rig.ask("GET / HTTP/1.1\r\n\r\n")],
    ["CONNECT", "bad_request", () => rig.ask("CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n")],
    ["an absolute target", "bad_request", () => rig.ask("GET http://a/ HTTP/1.1\r\nHost: x\r\n\r\n")],
    [
      "both framings",
      "bad_request",
      () => rig.ask(requestText("GET /", ["Content-Length: 1", "Transfer-Encoding: chunked"])),
    ],
    ["a body that is not there", "bad_request", () => rig.ask(requestText("GET /", ["Content-Length: 5"]))],
    [
      "chunks that are not there",
      "bad_request",
      () => rig.ask(requestText("GET /", ["Transfer-Encoding: chunked"])),
    ],
    ["a head of 65 KiB", "head_too_large", () => rig.ask(requestText("GET /", ["A: " + "a".repeat(66_000)]))],
    ["a method that the hub let through", "method_denied", () => rig.ask(requestText("POST /"))],
  ];
  for (const [what, code, ask] of cases) {
    const asked = ask();
    await asked.over;
    assert.equal(asked.refused, code, what);
    assert.match(asked.heads[0], /^HTTP\/1\.1 [45]/);
    assert.equal(asked.field("X-Request-Id"), "req-1");
    assert.equal(asked.field("Date"), new Date(clock.now()).toUTCString(), what);
  }
  assert.equal(target.connections, 0);
  assert.deepEqual(link.counters, { ...link.counters, allowed: 0, bytesIn: 0, bytesOut: 0, open: 0 });
});

Deno.test("a request id of the hub's making breaks no head and no page", async () => {
  const { rig } = helloRig();
  await using _ = rig;
  const asked = await rig.get("GET /", ["Accept: text/html"], {
    link: "nope",
    requestId: "<script>alert(1)</script>",
  });
  assert.equal(asked.status, 404);
  assert.equal(asked.field("X-Request-Id"), "unknown");
  assert.doesNotMatch(asked.text, /alert/);
});

Deno.test("a link that expires while its clock jumps admits nobody from that moment on", async () => {
  const clock = new TestClock();
  const { rig, link } = helloRig({}, clock);
  await using _ = rig;
  link.expiresAt = clock.now() + 3_600_000;
  assert.equal((await rig.get("GET /")).status, 200);
  clock.jump(3_600_000);
  const asked = await rig.get("GET /");
  assert.equal(asked.status, 410);
  assert.equal(asked.refused, "link_expired");
  assert.deepEqual(link.counters.denied, { link_expired: 1 });
});

Deno.test("what the policy refuses is answered with what its status calls for, and counted", async () => {
  const { rig, link, target } = helloRig({
    methods: ["GET"],
    paths: ["/api"],
    allowIps: ["192.0.2.0/24"],
    maxBody: 3,
  });
  await using _ = rig;
  const method = await rig.get("DELETE /api");
  assert.equal(method.status, 405);
  assert.equal(method.field("Allow"), "GET, HEAD");
  assert.equal((await rig.get("GET /other")).refused, "path_denied");
  assert.equal((await rig.get("GET /api/../x")).refused, "path_ambiguous");
  assert.equal((await rig.get("GET /api", [], { address: "198.51.100.1" })).refused, "ip_denied");
  const large = rig.ask(requestText("GET /api", ["Content-Length: 4"]), {}, false);
  await large.over;
  assert.equal(large.refused, "body_too_large");
  assert.equal(target.connections, 0);
  assert.equal((await rig.get("GET /api", [], { address: "::ffff:192.0.2.9" })).status, 200);
  assert.deepEqual(link.counters.denied, {
    method_denied: 1,
    path_denied: 1,
    path_ambiguous: 1,
    ip_denied: 1,
    body_too_large: 1,
  });
});

Deno.test("a refusal of HEAD has no body", async () => {
  const { rig } = helloRig({ methods: ["POST"] });
  await using _ = rig;
  const asked = await rig.get("HEAD /");
  assert.equal(asked.status, 405);
  assert.equal(asked.octets, 0);
  assert.equal(asked.trailers, "");
});

Deno.test("rates hold, refused requests cost none, and Retry-After is true", async () => {
  const clock = new TestClock();
  const { rig } = helloRig({ rate: [parseRate("2/m")], methods: ["GET"] }, clock);
  await using _ = rig;
  for (let i = 0; i < 5; i++) assert.equal((await rig.get("POST /")).status, 405);
  for (let i = 0; i < 2; i++) assert.equal((await rig.get("GET /")).status, 200);
  const limited = await rig.get("GET /");
  assert.equal(limited.status, 429);
  assert.equal(limited.field("RateLimit-Policy"), `"1";q=2;w=60`);
  const after = Number(limited.field("Retry-After"));
  clock.advance(after * 1_000);
  assert.equal((await rig.get("GET /")).status, 200);
});

Deno.test("a link bears as many requests at once as it admits, and a place is free when one ends", async () => {
  const rig = new Rig();
  await using _ = rig;
  const gate = Promise.withResolvers<void>();
  const target = rig.target(async (connection) => {
    while (await connection.readHead() !== null) {
      await gate.promise;
      await connection.write("HTTP/1.1 204 No Content\r\n\r\n");
    }
  });
  const link = rig.link(entryTo(target.target, {}, { maxStreams: 2 }));
  const held = [rig.ask(requestText("GET /")), rig.ask(requestText("GET /"))];
  assert.equal((await rig.get("GET /")).refused, "link_busy");
  assert.equal(link.counters.open, 2);
  gate.resolve();
  await Promise.all(held.map((asked) => asked.over));
  assert.deepEqual(held.map((asked) => asked.status), [204, 204]);
  assert.equal(link.state.streams, 0);
  assert.equal((await rig.get("GET /")).status, 204);
});

Deno.test("a shadow link forwards what it would refuse and records it, but an ended one refuses", async () => {
  const { rig, link, heads } = helloRig({ shadow: true, methods: ["GET"], paths: ["/api"], maxBody: 3 });
  await using _ = rig;
  assert.equal((await rig.get("DELETE /x")).status, 200);
  assert.equal((await rig.get("GET /x")).status, 200);
  assert.equal(heads.length, 2);
  assert.deepEqual(link.counters.shadowed, { method_denied: 1, path_denied: 1 });
  assert.deepEqual(link.counters.denied, {});
  link.ended = refusal("link_revoked");
  assert.equal((await rig.get("GET /api")).refused, "link_revoked");
});

Deno.test("the credential that satisfied a link's own auth stays here, and any other is the target's", async () => {
  const dir = await Deno.makeTempDir();
  const file = `${dir}/demo.htpasswd`;
  await Deno.writeTextFile(file, `ann:${hashSync("s3cret", 4)}\n`);
  const { rig, heads, link } = helloRig();
  {
    await using _ = rig;
    const policy = { ...link.entry.policy, auth: true, basic: true };
    link.retune({ ...link.entry, policy, auth: { basicFile: file, bearerFile: null } });
    await link.auth!.ready;
    const right = `Authorization: Basic ${btoa("ann:s3cret")}`;
    const missing = await rig.get("GET /");
    assert.equal(missing.status, 401);
    assert.match(missing.field("WWW-Authenticate") ?? "", /^Basic /);
    assert.equal((await rig.get("GET /", ["Authorization: Bearer of-the-app-itself"])).status, 401);
    assert.equal((await rig.get("GET /", [`Authorization: Basic ${btoa("ann:wrong")}`])).status, 401);
    assert.equal((await rig.get("GET /", [right, "Authorization: Bearer x"])).status, 400);
    assert.equal(heads.length, 0);
    assert.equal((await rig.get("GET /", [right])).text, "hello");
    assert.doesNotMatch(heads[0], /^Authorization:/im);
    link.retune({ ...link.entry, policy: { ...policy, shadow: true } });
    await rig.get("GET /", ["Authorization: Bearer of-the-app-itself"]);
    assert.match(heads[1], /^Authorization: Bearer of-the-app-itself\r$/m);
    link.retune({
      ...link.entry,
      policy: { ...policy, auth: false, basic: false },
      auth: { basicFile: null, bearerFile: null },
    });
    await rig.get("GET /", [right]);
    assert.match(heads[2], /^Authorization: Basic /m);
  }
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a hundred guesses sent at once get ten answers, and a body waits while a password is verified", async () => {
  const dir = await Deno.makeTempDir();
  const file = `${dir}/demo.htpasswd`;
  await Deno.writeTextFile(file, `ann:${hashSync("s3cret", 4)}\n`);
  const { rig, link } = helloRig();
  {
    await using _ = rig;
    const bodies: string[] = [];
    const target = rig.target(async (connection) => {
      const head = await connection.readHead();
      if (head!.startsWith("POST ")) bodies.push(await connection.read(5) ?? "");
      await connection.write("HTTP/1.1 204 No Content\r\n\r\n");
    });
    const policy = { ...link.entry.policy, auth: true, basic: true };
    link.retune({
      ...link.entry,
      target: target.target,
      policy,
      auth: { basicFile: file, bearerFile: null },
    });
    await link.auth!.ready;
    const upload = rig.ask(
      requestText("POST /", ["Content-Length: 5", `Authorization: Basic ${btoa("ann:s3cret")}`]),
      {},
      false,
    );
    await upload.send("he");
    await upload.send("llo");
    upload.stream.end();
    await upload.over;
    assert.equal(upload.status, 204);
    assert.deepEqual(bodies, ["hello"]);
    const statuses: number[] = [];
    await Promise.all(Array.from({ length: 100 }, async (_, i) => {
      const guess = `Authorization: Basic ${btoa(`ann:guess${i}`)}`;
      statuses.push((await rig.get("GET /", [guess], { address: "203.0.113.5" })).status);
    }));
    assert.ok(statuses.filter((status) => status === 401).length <= 10);
    const right = `Authorization: Basic ${btoa("ann:s3cret")}`;
    assert.equal(link.counters.allowed, 1);
    assert.equal((await rig.get("GET /", [right], { address: "198.51.100.2" })).status !== 429, true);
  }
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a link that leads to itself is found", async () => {
  const { rig, heads, link } = helloRig();
  await using _ = rig;
  await rig.get("GET /");
  const loop = /^CDN-Loop: (.*)\r$/im.exec(heads[0])![1];
  const asked = await rig.get("GET /", [`CDN-Loop: other;l=1, ${loop}`]);
  assert.equal(asked.status, 508);
  assert.equal(asked.refused, "loop_detected");
  assert.equal((await rig.get("GET /", ["CDN-Loop: connectd;l=0123456789abcdef"])).status, 200);
  assert.equal(link.counters.denied.loop_detected, 1);
});

Deno.test("when a link ends, what is in flight has its drain to finish and is cut then", async () => {
  const clock = new TestClock();
  const rig = new Rig(clock);
  await using _ = rig;
  const target = rig.target(async (connection) => {
    const head = await connection.readHead();
    if (head!.startsWith("GET /stream")) await connection.write("HTTP/1.1 200 OK\r\n\r\nfirst");
    await connection.readAll();
  });
  const link = rig.link(entryTo(target.target));
  const stream = rig.ask(requestText("GET /stream"));
  const silent = rig.ask(requestText("GET /silent"));
  await stream.until(() => stream.text === "first");
  link.ended = refusal("link_revoked");
  link.cut(5_000);
  assert.equal((await rig.get("GET /")).refused, "link_revoked");
  clock.advance(4_900);
  assert.equal(link.counters.open, 2);
  clock.advance(200);
  await Promise.all([stream.over, silent.over]);
  assert.equal(stream.trailers, null, "never a clean end");
  assert.equal(stream.code, "link_ended");
  assert.equal(silent.refused, "link_revoked");
  assert.equal(link.counters.open, 0);
});

Deno.test("a link stays open while its policy and its target change, and its rates go on counting", async () => {
  const { rig, link } = helloRig({ rate: [parseRate("3/h")] });
  await using _ = rig;
  const gate = Promise.withResolvers<void>();
  const slow = rig.target(async (connection) => {
    await connection.readHead();
    await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsl");
    await gate.promise;
    await connection.write("ow");
    await connection.readAll();
  });
  const hello = link.entry;
  link.retune({ ...hello, target: slow.target });
  const asked = rig.ask(requestText("GET /"));
  await asked.until(() => asked.text === "sl");
  link.retune({ ...hello, policy: { ...hello.policy, rate: [parseRate("2/h")] } });
  assert.equal((await rig.get("GET /")).text, "hello");
  assert.equal((await rig.get("GET /")).status, 429);
  gate.resolve();
  await asked.over;
  assert.equal(asked.text, "slow");
  assert.equal(asked.code, null);
});

Deno.test("who watches sees every request that names a link, and how it ended", async () => {
  const seen: [Followed, Outcome][] = [];
  const rig = new Rig(undefined, {
    follow: (request) => ({
      connected() {},
      requestBody() {},
      requestEnd() {},
      response() {},
      responseBody() {},
      done: (outcome) => void seen.push([request, outcome]),
    }),
  });
  await using _ = rig;
  const target = rig.target(answering("hello"));
  rig.link(entryTo(target.target, {}, { methods: ["GET"] }));
  await rig.get("GET /x");
  await rig.get("POST /x");
  await rig.get("GET /x", [], { link: "nope" });
  assert.deepEqual(seen.map(([{ head, verdict }, outcome]) => [head.method, verdict, outcome]), [
    ["GET", null, { status: 200, code: null, bytesIn: 0, bytesOut: 5 }],
    ["POST", "method_denied", { status: 405, code: "method_denied", bytesIn: 0, bytesOut: 0 }],
  ]);
});

Deno.test("a password for which there is no time is refused, and under shadow recorded and let through", async () => {
  for (const shadow of [false, true]) {
    const { rig, link } = helloRig({ auth: true, basic: true, shadow });
    await using _ = rig;
    link.auth = { problem: null, concerns: () => true, judge: () => "busy", close() {} } as unknown as Auth;
    const asked = await rig.get("GET /", ["Authorization: Basic eDp5"]);
    assert.deepEqual([asked.refused, asked.text], shadow ? [null, "hello"] : ["link_busy", asked.text]);
    assert.deepEqual(
      [link.counters.denied, link.counters.shadowed],
      shadow ? [{}, { link_busy: 1 }] : [{ link_busy: 1 }, {}],
    );
  }
});
