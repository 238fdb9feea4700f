/** What a daemon writes into its trail, and who is said to have done it. */
import assert from "node:assert/strict";
import type { AuditJson } from "../../src/api/audit.ts";
import { DaemonRig } from "./daemon_rig.ts";

const YAML = "links:\n  a: { target: echo, ttl: 1h }\n  b: { target: echo, methods: [GET] }";

async function trail(rig: DaemonRig, query = ""): Promise<AuditJson[]> {
  return (await rig.api("GET", `/v1/audit${query}`)).json.items;
}

/** The records as `type subject actor`, the oldest first. */
async function told(rig: DaemonRig, query = ""): Promise<string[]> {
  return (await trail(rig, query)).reverse().map(({ type, subject, actor }) => `${type} ${subject} ${actor}`);
}

async function isWhole(rig: DaemonRig): Promise<void> {
  const { broken, ok } = (await rig.api("POST", "/v1/audit/verify", {})).json;
  assert.deepEqual([broken, ok], [null, true]);
}

Deno.test("what happens to a link is told, with who had it done", async () => {
  await using rig = await DaemonRig.start(YAML);
  await rig.api("POST", "/v1/links", { name: "try", target: "echo", ttl: "1h" });
  await rig.tcp("DELETE", "/v1/links/try");
  await rig.api("DELETE", "/v1/links/a", undefined, ["User-Agent: connectd/9"]);
  await rig.api("DELETE", "/v1/links/a");
  await rig.tcp("POST", "/v1/links/a/renew", {
    fields: [rig.bearer, "User-Agent: connectd/9"],
    body: { ttl: "2h" },
  });
  await rig.hub.until(() => rig.hub.declared("a")?.state === "active");
  rig.hub.revoke("b", rig.clock.now());
  await rig.hub.until(() => rig.hub.declared("b")?.state === "revoked");
  await rig.leap(3 * 3_600_000);
  assert.deepEqual(await told(rig, "?type=link"), [
    "link.opened a file",
    "link.opened b file",
    "link.opened try api:socket",
    "link.revoked try api:token",
    "link.revoked a cli:socket",
    "link.renewed a cli:token",
    "link.revoked b hub:embedded",
    "link.expired a clock",
  ]);
  assert.deepEqual(await told(rig, "?link=b"), ["link.opened b file", "link.revoked b hub:embedded"]);
  const [opened] = await trail(rig, "?type=link.opened&limit=1");
  assert.deepEqual([
    (opened.data as Record<string, unknown>).target,
    (opened.data as Record<string, unknown>).source,
  ], [
    "echo",
    "oneoff",
  ]);
  await isWhole(rig);
});

Deno.test("a reload is told with what it changed, one that was refused with why", async () => {
  await using rig = await DaemonRig.start(YAML);
  await rig.reload("links:\n  b: { target: echo, methods: [GET, POST] }\n  c: { target: echo }");
  await rig.reload("links:\n  b: { target: echo, method: [GET] }");
  await rig.api("POST", "/v1/reload");
  const records = (await trail(rig)).reverse().slice(4);
  assert.deepEqual(records.map(({ type, subject, actor }) => `${type} ${subject} ${actor}`), [
    `reload.applied ${rig.file} api:socket`,
    "link.closed a file",
    "link.retuned b file",
    "link.opened c file",
    `reload.refused ${rig.file} api:socket`,
    `reload.refused ${rig.file} api:socket`,
  ]);
  const [applied, , retuned, , refused] = records.map(({ data }) => data as Record<string, unknown>);
  assert.deepEqual([applied.opened, applied.closed, applied.retuned], [1, 1, 1]);
  assert.deepEqual(retuned.changes, [{ key: "methods", from: "GET", to: "GET,POST" }]);
  assert.equal((refused.problems as { code: string }[])[0].code, "unknown_key");
  await isWhole(rig);
});

Deno.test("a restart opens no link anew, goes on with the chain, and a second one does too", async () => {
  await using rig = await DaemonRig.start(YAML);
  const before = (await trail(rig))[0];
  await rig.restart();
  await rig.restart();
  const after = (await told(rig)).slice(before.seq);
  const word = (line: string) => line.split(" ")[0];
  assert.deepEqual(after.map(word).filter((type) => type.startsWith("daemon.")), [
    "daemon.stopped",
    "daemon.started",
    "daemon.stopped",
    "daemon.started",
  ]);
  assert.equal(after.map(word).filter((type) => type.startsWith("link.")).length, 0);
  assert.ok(after.some((line) => line.startsWith("session.opened ")));
  await isWhole(rig);
});

Deno.test("refused visitors are counted by the minute, the daemon's own and those that a hub tells", async () => {
  await using rig = await DaemonRig.start(YAML);
  for (let i = 0; i < 3; i++) assert.equal(await rig.hub.visit(rig.hub.id("b"), "POST /"), "method_denied");
  rig.hub.tell({ type: "refused", counts: [{ id: rig.hub.id("a"), code: "rate_limited", n: 40 }] });
  while (rig.link("a").counters.denied.rate_limited !== 40) await new Promise((turn) => setTimeout(turn, 1));
  assert.deepEqual(await trail(rig, "?type=link.denied"), []);
  await rig.pass(61_000);
  const denied = await trail(rig, "?type=link.denied");
  assert.deepEqual(denied.reverse().map(({ subject, actor, data }) => [subject, actor, data]), [
    ["a", "visitors", { code: "rate_limited", n: 40 }],
    ["b", "visitors", { code: "method_denied", n: 3 }],
  ]);
  await rig.hub.visit(rig.hub.id("b"), "POST /");
  await rig.reload("links:\n  a: { target: echo, ttl: 1h }");
  await rig.pass(61_000);
  assert.deepEqual((await trail(rig, "?type=link.denied&link=b"))[0].data, { code: "method_denied", n: 1 });
  await isWhole(rig);
});

Deno.test("pages of the trail follow each other without a gap, also while it grows", async () => {
  await using rig = await DaemonRig.start(YAML);
  for (let i = 0; i < 5; i++) await rig.api("POST", "/v1/links/a/renew", { ttl: "1h" });
  const seqs: number[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: { items: AuditJson[]; nextCursor: string | null } =
      (await rig.api("GET", `/v1/audit?limit=3${cursor && `&cursor=${cursor}`}`)).json;
    seqs.push(...page.items.map(({ seq }) => seq));
    cursor = page.nextCursor;
    await rig.api("POST", "/v1/links/a/renew", { ttl: "1h" });
  }
  assert.deepEqual(seqs, Array.from({ length: seqs[0] }, (_, i) => seqs[0] - i));
});
