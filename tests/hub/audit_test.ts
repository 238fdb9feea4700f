/** What a hub writes into its trail, and whose it is. */
import assert from "node:assert/strict";
import type { AuditJson } from "../../src/api/audit.ts";
import { TestClock } from "../../src/clock.ts";
import { dial, eventually, HubRig, link } from "./rig.ts";

async function trail(rig: HubRig, token?: string, query = ""): Promise<AuditJson[]> {
  const where = token === undefined ? rig.hub.socket! : rig.hub.address.port;
  return (await rig.api("GET", `/v1/audit${query}`, token, undefined, where)).json.items;
}

function told(records: readonly AuditJson[]): string[] {
  return records.toReversed().map(({ type, subject, actor }) => `${type} ${subject} ${actor}`);
}

Deno.test("what daemons, tokens and callers do is told, with the name of the token", async () => {
  await using rig = await HubRig.start();
  const { token: secret } = await rig.hub.tokens.create(
    { scope: "daemon", workspace: "default", name: "laptop", ttlMs: null },
    "cli:socket",
  );
  const token = secret.expose();
  const daemon = await rig.dialled(token);
  const [{ id }] = (await daemon.hello([link("web")])).links;
  await daemon.change([link("web", { id, policy: { methods: ["GET"] } })]);
  await daemon.change([link("web", { id, policy: { methods: ["GET"] }, state: "expired" })]);
  await daemon.change([link("web", { id, policy: { methods: ["GET"] } })]);
  assert.equal((await rig.api("DELETE", `/v1/links/${id}`, token)).status, 200);
  await daemon.change([link("web", { id, policy: { methods: ["GET"] }, state: "revoked" })]);
  await daemon.change([], [{ name: "web", id, reason: "revoked" }]);
  daemon.leave();
  const records = await eventually(() => trail(rig), ([newest]) => newest.type === "session.ended");
  assert.deepEqual(told(records).slice(1), [
    "token.created laptop cli:socket",
    "token.used laptop token:laptop",
    `link.opened ${id} token:laptop`,
    "session.opened daemon-1 token:laptop",
    `link.retuned ${id} token:laptop`,
    `link.expired ${id} token:laptop`,
    `link.renewed ${id} token:laptop`,
    `link.revoked ${id} token:laptop`,
    `link.closed ${id} token:laptop`,
    "session.ended daemon-1 token:laptop",
  ]);
  assert.ok(!JSON.stringify(records).includes(token), "never the token");
  assert.deepEqual(told(await trail(rig, undefined, `?link=${id}&type=link.revoked`)), [
    `link.revoked ${id} token:laptop`,
  ]);
});

Deno.test("no workspace sees another's records, nor the hub's own", async () => {
  await using rig = await HubRig.start();
  const tokens = new Map<string, string>();
  for (const workspace of ["acme", "other"]) {
    const token = await rig.token("daemon", workspace);
    tokens.set(workspace, token);
    await (await rig.dialled(token, { daemon: `daemon-${workspace}` })).hello([link("web")]);
    await rig.token("member", workspace);
  }
  for (const workspace of ["acme", "other"]) {
    for (const scope of ["admin", "daemon", "member", "viewer"] as const) {
      const records = await trail(rig, await rig.token(scope, workspace), "?limit=1000");
      assert.ok(records.length > 4);
      assert.deepEqual([...new Set(records.map((record) => record.workspace))], [workspace], scope);
    }
    const other = workspace === "acme" ? "other" : "acme";
    const [{ subject }] = await trail(rig, undefined, "?type=link.opened").then((all) =>
      all.filter((record) => record.workspace === other)
    );
    assert.deepEqual(await trail(rig, tokens.get(workspace)!, `?link=${subject}`), []);
    const member = await rig.api("POST", "/v1/audit/verify", tokens.get(workspace));
    assert.equal(member.status, 403, "the chain is of all");
  }
  const all = await trail(rig, undefined, "?limit=1000");
  assert.deepEqual(
    [...new Set(all.map(({ workspace }) => workspace))].sort(),
    ["acme", null, "other"].sort(),
  );
  assert.equal((await rig.api("POST", "/v1/audit/verify", undefined, {}, rig.hub.socket!)).json.ok, true);
});

Deno.test("whoever is refused a session is counted by address and code, whatever they send", async () => {
  const clock = new TestClock();
  await using rig = await HubRig.start({ clock });
  const viewer = await rig.token("viewer");
  for (const token of [null, "\u001b[2J", "connectd_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", viewer]) {
    await assert.rejects(dial(rig.hub.address.port, token));
  }
  clock.advance(60_200);
  const refused = (await trail(rig, undefined, "?type=session.refused")).reverse();
  assert.deepEqual(refused.map(({ subject, data }) => [subject, data]), [
    ["127.0.0.1", { code: "unauthorized", n: 2 }],
    ["127.0.0.1", { code: "forbidden", n: 1 }],
  ]);
});

Deno.test("visitors that the hub refused are in its trail, of the workspace whose link it is", async () => {
  const clock = new TestClock();
  await using rig = await HubRig.start({ clock });
  const daemon = rig.attached({ workspace: "acme", clock });
  const [{ id }] = (await daemon.hello([link("web", { policy: { methods: ["GET"] } })])).links;
  for (let i = 0; i < 3; i++) assert.equal((await rig.visit(id, "POST / HTTP/1.1")).status, 405);
  clock.advance(60_200);
  const [denied] = await trail(rig, undefined, "?type=link.denied");
  assert.deepEqual([denied.subject, denied.workspace, denied.data], [id, "acme", {
    name: "web",
    code: "method_denied",
    n: 3,
  }]);
});

Deno.test("a revocation or a token that could not be stored left nothing in the trail", async () => {
  await using rig = await HubRig.start();
  const token = await rig.token("admin");
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  rig.diskFull = true;
  assert.equal((await rig.api("DELETE", `/v1/links/${id}`, token)).status, 503);
  assert.equal((await rig.api("POST", "/v1/tokens", token, { scope: "viewer" })).status, 503);
  rig.diskFull = false;
  const types = (await trail(rig)).map(({ type }) => type);
  assert.ok(!types.includes("link.revoked"));
  assert.equal(types.filter((type) => type === "token.created").length, 1);
});

Deno.test("a token is used for the first time once, over restarts too", async () => {
  await using rig = await HubRig.start();
  const token = await rig.token("viewer");
  for (let i = 0; i < 3; i++) await rig.api("GET", "/v1/links", token);
  await rig.hub.close();
  await rig.begin();
  await rig.api("GET", "/v1/links", token);
  assert.equal((await trail(rig, undefined, "?type=token.used")).length, 1);
  assert.equal((await rig.api("POST", "/v1/audit/verify", undefined, {}, rig.hub.socket!)).json.ok, true);
});
