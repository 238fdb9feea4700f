/** Links that are made, changed and renewed at the hub: their daemon does it, and says why not. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import type { Ask } from "../../src/wire/hello.ts";
import { asked, managed, obey, reply, service, short } from "./managed.ts";
import { type Answer, HubRig, link, pass } from "./rig.ts";

function etag({ head }: Answer): string {
  return /^etag: (.*)$/im.exec(head)?.[1] ?? "";
}

Deno.test("a link is made by the daemon that has the service, and answered when it has its address", async () => {
  await using rig = await HubRig.start();
  const daemon = await managed(rig, [service("web"), service("other")]);
  const { token, record } = await rig.hub.tokens.create({
    ...{ scope: "member", workspace: "default", name: "ci", ttlMs: null },
  });
  const made = rig.api("POST", "/v1/links", token.expose(), { service: "web", name: "demo", paths: ["/a"] });
  const ask = await obey(daemon);
  assert.deepEqual([ask.op, ask.name, ask.by], ["create", "demo", `token:${record.name}`]);
  assert.deepEqual(ask.body, { service: "web", paths: ["/a"] });
  const answer = await made;
  const { json } = answer;
  assert.equal(answer.status, 201);
  assert.match(answer.head, new RegExp(`^location: /v1/links/${json.id}\r$`, "im"));
  assert.deepEqual([json.name, json.service, json.source, json.target], ["demo", "web", "hub", null]);
  assert.equal((await rig.visit(json.id, "GET /a HTTP/1.1")).status, 200);
  const trail = (await rig.api("GET", "/v1/audit?type=link.created", await rig.token("viewer"))).json.items;
  assert.deepEqual([trail[0].actor, trail[0].subject, trail[0].data.service], ["token:ci", json.id, "web"]);
});

Deno.test("what can not be asked of a daemon is refused at the hub, and no daemon hears of it", async () => {
  await using rig = await HubRig.start();
  const daemon = await managed(rig, [
    service("web"),
    service("own", { remote: false }),
    service("inner", { access: "private" }),
    service("db", { kind: "tcp" }),
    service("twice"),
  ]);
  await managed(rig, [service("twice")], { daemon: "daemon-2" });
  const away = await managed(rig, [service("away")], { daemon: "daemon-3" });
  await away.change([link("keeps-it-known")]);
  away.leave();
  await away.end();
  const member = await rig.token("member"), stranger = await rig.token("member", "elsewhere");
  const rows: [body: unknown, due: string, token?: string][] = [
    [{}, "422 invalid /service"],
    [{ service: "no" }, "422 invalid /service"],
    [{ service: "localhost:3000" }, "422 invalid /service"],
    [{ service: "web" }, "422 invalid /service", stranger],
    [{ service: "web", daemon: "daemon-2" }, "422 invalid /service"],
    [{ service: "inner" }, "422 invalid /service"],
    [{ service: "db" }, "422 invalid /service"],
    [{ service: "twice" }, "422 invalid /daemon"],
    [{ service: "web", daemon: 1 }, "422 invalid /daemon"],
    [{ service: "web", name: "No name" }, "422 invalid /name"],
    [{ service: "own" }, "403 not_managed"],
    [{ service: "away" }, "503 daemon_offline"],
    [{ service: "web", target: "localhost:22" }, "422 invalid /target"],
    [{ service: "web", auth: { basic: { file: "/etc/shadow" } } }, "422 invalid /auth"],
    [{ service: "web", shadow: true, "a/b~c": 1 }, "422 invalid /shadow /a~1b~0c"],
    [{ service: "web", rate: { count: 1 }, paths: [["/a"]] }, "422 invalid /rate /paths"],
    [{ service: "web" }, "403 forbidden", await rig.token("viewer")],
  ];
  for (const [body, due, token = member] of rows) {
    assert.equal(short(await rig.api("POST", "/v1/links", token, body)), due, JSON.stringify(body));
  }
  assert.equal(daemon.messages.some(({ type }) => type === "ask"), false);
});

Deno.test("what the daemon says against it is what the caller hears, pointers and all", async () => {
  await using rig = await HubRig.start();
  const daemon = await managed(rig, [service("web")]);
  const made = rig.api("POST", "/v1/links", await rig.token("member"), { service: "web", ttl: "soon" });
  const errors = [{ pointer: "/ttl", detail: "is no duration" }];
  reply(daemon, await asked(daemon), {
    status: 422,
    code: "invalid",
    detail: "It can not be made so.",
    errors,
  });
  const answer = await made;
  assert.equal(short(answer), "422 invalid /ttl");
  assert.equal(answer.json.detail, "It can not be made so.");
});

Deno.test("a daemon that does not answer is 503 at the deadline, and its late answer hurts nobody", async () => {
  const clock = new TestClock();
  await using rig = await HubRig.start({ clock });
  const [daemon, other] = [
    await managed(rig, [service("web")]),
    await managed(rig, [service("own")], { daemon: "daemon-2" }),
  ];
  const made = rig.api("POST", "/v1/links", await rig.token("member"), { service: "web" });
  const ask = await asked(daemon);
  // Of another daemon, and of no ask at all.
  reply(other, ask, { status: 409, code: "name_taken", detail: "not mine to say", errors: [] });
  reply(daemon, { ...ask, id: "unknown" });
  await pass(clock, 11_000);
  assert.equal(short(await made), "503 daemon_timeout");
  reply(daemon, ask);
  assert.equal((await rig.api("GET", "/v1/links", await rig.token("viewer"))).json.items.length, 0);
});

Deno.test("a change says what it has seen: nobody writes over what they do not know", async () => {
  await using rig = await HubRig.start();
  const daemon = await managed(rig, [service("web")]);
  const member = await rig.token("member");
  const made = rig.api("POST", "/v1/links", member, { service: "web" });
  await obey(daemon);
  const first = await made, path = `/v1/links/${first.json.id}`;
  const patch = (body: unknown, ifMatch: string | null) =>
    rig.api("PATCH", path, member, body, undefined, [
      "Content-Type: application/json",
      ...(ifMatch === null ? [] : [`If-Match: ${ifMatch}`]),
    ]);
  assert.equal(etag(await rig.api("GET", path, member)), etag(first));
  assert.equal(short(await patch({ paths: ["/a"] }, null)), "428 precondition_required");
  assert.equal(short(await patch({ paths: ["/a"] }, '"other"')), "412 precondition_failed");
  assert.equal(short(await patch({}, etag(first))), "422 invalid ");
  assert.equal(short(await patch({ subdomain: "x", auth: null }, "*")), "422 invalid /subdomain /auth");

  await rig.visit(first.json.id);
  assert.equal(etag(await rig.api("GET", path, member)), etag(first), "what it counts is no change of it");

  const two = [patch({ paths: ["/a"] }, etag(first)), patch({ paths: ["/b"] }, etag(first))];
  const ask = await asked(daemon, 1);
  await daemon.change([link("web", { service: "web", source: "hub", policy: { paths: ["/a"] } })]);
  reply(daemon, ask);
  const answers = await Promise.all(two);
  assert.deepEqual(
    answers.map(short).sort(),
    ["200", "412 precondition_failed"],
    "of two at once one is done",
  );
  assert.equal(daemon.messages.filter(({ type }) => type === "ask").length, 2);
  const [done] = answers.filter(({ status }) => status === 200);
  assert.notEqual(etag(done), etag(first));
  assert.deepEqual(done.json.policy.paths, ["/a"]);
});

Deno.test("a link is renewed by its daemon, and only one that leads to a service of those for the hub", async () => {
  await using rig = await HubRig.start();
  const daemon = await managed(rig, [service("web"), service("own", { remote: false })]);
  const grants = (await daemon.change([
    link("mine", { service: "own" }),
    link("bare"),
    link("demo", { service: "web", state: "expired" }),
  ])).links;
  const [mine, bare, demo] = grants.map(({ id }: { id: string }) => id);
  const member = await rig.token("member");
  for (const id of [mine, bare]) {
    assert.equal(short(await rig.api("POST", `/v1/links/${id}/renew`, member)), "403 not_managed");
  }
  const renewed = rig.api("POST", `/v1/links/${demo}/renew`, member, { ttl: "1h" });
  const ask = await asked(daemon);
  assert.deepEqual([ask.op, ask.name, ask.body], ["renew", "demo", { ttl: "1h" }]);
  await daemon.change([link("demo", { service: "web", expiresAt: Date.now() + 3_600_000 })]);
  reply(daemon, ask);
  assert.equal((await renewed).json.state, "active");
  const foreign = await rig.token("admin", "elsewhere");
  assert.equal(short(await rig.api("POST", `/v1/links/${demo}/renew`, foreign)), "404 not_found");
  assert.equal(
    short(await rig.api("POST", `/v1/links/${demo}/renew`, member, { ttl: ["1h"], x: 1 })),
    "422 invalid /x",
  );
});

Deno.test("services are listed by workspace, one of each daemon, as they change", async () => {
  await using rig = await HubRig.start();
  const daemon = await managed(rig, [service("web"), service("db", { kind: "tcp", access: "private" })]);
  await managed(rig, [service("web")], { daemon: "daemon-2" });
  await managed(rig, [service("web")], { workspace: "elsewhere" });
  const viewer = await rig.token("viewer");
  const list = async (path: string, token = viewer) =>
    (await rig.api("GET", path, token)).json.items.map((s: { name: string; daemon: string }) =>
      `${s.name} ${s.daemon}`
    );
  assert.deepEqual(await list("/v1/services"), ["db daemon-1", "web daemon-1", "web daemon-2"]);
  assert.deepEqual(await list("/v1/services/web"), ["web daemon-1", "web daemon-2"]);
  assert.deepEqual(await list("/v1/services", await rig.token("viewer", "elsewhere")), ["web daemon-1"]);
  assert.equal(short(await rig.api("GET", "/v1/services/no", viewer)), "404 not_found");
  const say = (revision: number, services: string[]) =>
    daemon.session.control({ type: "services", revision, services: services.map((name) => service(name)) });
  say(7, ["new"]);
  // What is told late by another session is known already.
  say(6, ["old"]);
  await daemon.change([link("behind-them")]);
  assert.deepEqual(await list("/v1/services"), ["new daemon-1", "web daemon-2"]);
});

Deno.test("a renewal whose caller has left before it was its turn is not begun: it would revive what was revoked since", async () => {
  await using rig = await HubRig.start();
  const daemon = await managed(rig, [service("web")]);
  const member = await rig.token("member");
  const made = rig.api("POST", "/v1/links", member, { service: "web" });
  await obey(daemon);
  const path = `/v1/links/${(await made).json.id}`;
  const renew = (ttl: string) => rig.api("POST", `${path}/renew`, member, { ttl });
  const turns = async () => {
    for (let n = 0; n < 20; n++) await rig.api("GET", path, member);
  };
  const first = renew("1h");
  const { id } = await asked(daemon, 1);
  const leaving = await Deno.connect({ hostname: "127.0.0.1", port: rig.hub.address.port });
  const head =
    `POST ${path}/renew HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${member}\r\nContent-Length: 0\r\n\r\n`;
  await leaving.write(new TextEncoder().encode(head));
  await turns();
  leaving.close();
  await turns();
  const third = renew("3h");
  await turns();
  reply(daemon, { id } as Ask);
  const next = await asked(daemon, 2);
  assert.deepEqual(next.body, { ttl: "3h" });
  reply(daemon, next);
  assert.deepEqual([(await first).status, (await third).status], [200, 200]);
  assert.equal(rig.lines.some((line) => line.includes("failed")), false, "it is nobody's fault");
});

Deno.test("an ask says when it was asked, by the clock that revocations go by", async () => {
  const clock = new TestClock();
  await using rig = await HubRig.start({ clock });
  const daemon = await managed(rig, [service("web")]);
  const made = rig.api("POST", "/v1/links", await rig.token("member"), { service: "web" });
  assert.equal((await obey(daemon)).at, clock.now());
  await made;
});
