/** What a hub tells of what happens: each workspace for itself, in order, and again to who was away. */
import assert from "node:assert/strict";
import { EventClient } from "../event_client.ts";
import { managed, obey, service } from "./managed.ts";
import { HubRig, link } from "./rig.ts";

Deno.test("links, services, sessions, shares and tokens are told in order, each with what it is about", async () => {
  await using rig = await HubRig.start();
  const member = await rig.token("member");
  const fields = [`Authorization: Bearer ${member}`];
  using client = await EventClient.connect(rig.hub.address.port, { fields });
  const daemon = await managed(rig, [service("web"), service("db", { access: "private" })]);
  const made = rig.api("POST", "/v1/links", member, { service: "web" });
  await obey(daemon);
  const { id } = (await made).json;
  await daemon.change([link("web", { id, policy: { methods: ["GET"] } })]);
  await rig.api("DELETE", `/v1/links/${id}`, member);
  await daemon.change([link("web", { id, state: "active", policy: { methods: ["GET"] } })]);
  await daemon.change([link("web", { id, state: "revoked", policy: { methods: ["GET"] } })]);
  await daemon.change([link("web", { id, policy: { methods: ["GET"] } })]);
  const { json: share } = await rig.api("POST", "/v1/shares", member, {
    services: ["db"],
    requireApproval: true,
  });
  await rig.api("POST", "/v1/shares/join", member, { code: share.code });
  await rig.api("POST", `/v1/shares/${share.id}/approve`, member, { member: share.by });
  await rig.api("DELETE", `/v1/shares/${share.id}`, member);
  daemon.session.control({ type: "services", revision: 100, services: [service("web", { remote: false })] });
  daemon.leave();
  await daemon.end();
  const { token } = await rig.hub.tokens.create({
    ...{ scope: "viewer", workspace: "default", name: "eyes", ttlMs: null },
  });
  await rig.hub.tokens.revoke("eyes", "default");
  assert.deepEqual(await client.first(16), [
    "service.added web",
    "service.added db",
    "session.up",
    "link.opened web",
    "link.retuned web",
    "link.revoked web",
    "link.renewed web",
    "share.created",
    "share.joined",
    "share.approved",
    "share.ended",
    "service.changed web",
    "service.removed db",
    "session.down",
    "token.created eyes",
    "token.revoked eyes",
  ]);
  for (const secret of [share.code, token.expose()]) assert.equal(client.text.includes(secret), false);
  assert.equal(client.told[5].data.state, "revoked");
  assert.equal(client.told[2].data.daemon, "daemon-1");
});

Deno.test("a workspace hears nothing of another, not even how much happens there; the socket hears all", async () => {
  await using rig = await HubRig.start();
  const fields = async (
    workspace: string,
  ) => [`Authorization: Bearer ${await rig.token("viewer", workspace)}`];
  using own = await EventClient.connect(rig.hub.address.port, { fields: await fields("default") });
  using all = await EventClient.connect(rig.hub.socket!);
  await managed(rig, [service("theirs")], { workspace: "other" });
  await managed(rig, [service("ours")]);
  assert.deepEqual(await own.first(2), ["service.added ours", "session.up"]);
  assert.deepEqual(own.told.map(({ id }) => id), [2, 3], "its own token was 1");
  assert.deepEqual(await all.first(4), [
    "service.added theirs",
    "session.up",
    "service.added ours",
    "session.up",
  ]);
});

Deno.test("who was away goes on after the last event they saw", async () => {
  await using rig = await HubRig.start();
  const fields = [`Authorization: Bearer ${await rig.token("viewer")}`];
  const daemon = await managed(rig, [service("web")]);
  await daemon.change([link("a"), link("b"), link("c")]);
  using client = await EventClient.connect(rig.hub.address.port, { fields: [...fields, "Last-Event-ID: 4"] });
  assert.deepEqual(await client.first(2), ["link.opened b", "link.opened c"]);
});

Deno.test("requests are told to who asks for them, with the id that a refused visitor is shown and no query", async () => {
  await using rig = await HubRig.start();
  const fields = [`Authorization: Bearer ${await rig.token("viewer")}`];
  const port = rig.hub.address.port;
  using client = await EventClient.connect(port, { fields, query: "?requests=true" });
  using plain = await EventClient.connect(port, { fields });
  const [{ id }] = (await rig.attached().hello([link("web", { policy: { methods: ["GET"] } })])).links;
  await rig.visit(id, "GET /a?secret=1 HTTP/1.1");
  const refused = await rig.visit(id, "POST /b?secret=2 HTTP/1.1\r\nContent-Length: 0");
  await client.until(() => client.told.filter(({ type }) => type === "request").length === 2);
  const [good, bad] = client.told.filter(({ type }) => type === "request").map(({ data }) => data);
  assert.deepEqual([good.link, good.method, good.path, good.status, good.code], [id, "GET", "/a", 200, null]);
  assert.deepEqual([bad.path, bad.status, bad.code], ["/b", 405, "method_denied"]);
  assert.equal(bad.id, refused.json.requestId);
  assert.equal(client.text.includes("secret"), false);
  assert.deepEqual(plain.told.filter(({ type }) => type === "request"), []);
  const logs = (await rig.api("GET", `/v1/links/${id}/logs`, await rig.token("viewer"))).json;
  assert.deepEqual(logs.items.map((line: { path: string }) => line.path), ["/b", "/a"]);
});

Deno.test("a token that is revoked hears nothing more", async () => {
  await using rig = await HubRig.start();
  const { token, record } = await rig.hub.tokens.create({
    ...{ scope: "viewer", workspace: "default", name: null, ttlMs: null },
  });
  const fields = [`Authorization: Bearer ${token.expose()}`];
  using client = await EventClient.connect(rig.hub.address.port, { fields });
  await rig.hub.tokens.revoke(record.id, null);
  await managed(rig, [service("web")]);
  await client.until(() => client.ended).catch(() => {});
  assert.equal(client.ended, true);
  assert.equal(client.text.includes("service.added"), false);
});

Deno.test("whoever follows the events knows when a link ends: as it begins, is renewed while it runs, and gets another end", async () => {
  await using rig = await HubRig.start();
  const viewer = await rig.token("viewer");
  using client = await EventClient.connect(rig.hub.address.port, {
    fields: [`Authorization: Bearer ${viewer}`],
  });
  const daemon = await managed(rig, []);
  const at = Date.UTC(2100, 0, 1), hour = 3_600_000;
  await daemon.change([link("web")]);
  const { id } = (await rig.api("GET", "/v1/links", viewer)).json.items[0];
  const declare = (activatedAt: number, expiresAt: number, policy = {}) =>
    daemon.change([link("web", { id, activatedAt, expiresAt, policy })]);
  await declare(at, at + hour);
  await declare(at + 1, at + 1 + hour);
  await declare(at + 1, at + 1 + 2 * hour);
  await declare(at + 1, at + 1 + 3 * hour, { methods: ["GET"] });
  await declare(at + 1, at + 1 + 3 * hour, { methods: ["GET"] });
  await daemon.change([link("last")]);
  const told = (await client.first(7)).filter((line) => line.startsWith("link."));
  assert.deepEqual(told, [
    "link.opened web",
    "link.retuned web",
    "link.renewed web",
    "link.retuned web",
    "link.retuned web",
    "link.opened last",
  ]);
  const ends = client.told.filter(({ data }) => data.name === "web" && "expiresAt" in data && "url" in data)
    .map(({ data }) => data.expiresAt);
  const end = (ms: number) => new Date(at + ms).toISOString();
  assert.deepEqual(ends, [null, end(hour), end(1 + hour), end(1 + 2 * hour), end(1 + 3 * hour)]);
});
