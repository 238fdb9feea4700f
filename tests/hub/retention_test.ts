/** What a hub forgets with time, and what it never does: the clock is another one at each start. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { hubStorePath, openHubStore } from "../../src/hub/place.ts";
import { eventually, HubRig, link, pass } from "./rig.ts";

const START = Date.UTC(2026, 0, 1);
const DAY_MS = 24 * 3_600_000;

/** The rig's hub once more, so many days after START. */
async function onDay(rig: HubRig, days: number, options = {}): Promise<TestClock> {
  await rig.hub.close();
  const clock = new TestClock(START + days * DAY_MS);
  await rig.begin({ clock, ...options });
  return clock;
}

/** How many values a bucket of the store has. */
async function stored(rig: HubRig, bucket: string): Promise<number> {
  await rig.hub.close();
  const store = await openHubStore(hubStorePath(rig.folder), new TestClock(START));
  try {
    return (await store.bucket(bucket).list()).length;
  } finally {
    await store.close();
  }
}

Deno.test("a token that ended is listed for 30 days, then it is gone from memory and store; one that lives stays", async () => {
  await using rig = await HubRig.start({ clock: new TestClock(START) });
  const { tokens } = rig.hub;
  const make = (name: string, ttlMs: number | null) =>
    tokens.create({ scope: "viewer", workspace: "default", name, ttlMs });
  await make("expired", 3_600_000);
  await make("revoked", null);
  const lives = (await make("lives", null)).token.expose();
  const long = (await make("long", 60 * DAY_MS)).token.expose();
  await tokens.revoke("revoked", null);
  const names = () => rig.hub.tokens.list(null).map(({ name }) => name);
  await pass(await onDay(rig, 29), 1_000);
  assert.deepEqual(names(), ["expired", "lives", "long", "revoked"]);
  const clock = await onDay(rig, 31);
  await pass(clock, 1_000);
  await eventually(names, (list) => list.length === 2);
  assert.deepEqual(names(), ["lives", "long"]);
  for (const token of [lives, long]) assert.equal((await rig.api("GET", "/v1/links", token)).status, 200);
  assert.equal(await stored(rig, "tokens"), 2);
});

Deno.test("a subdomain is free after 30 days without its daemon; what ended under an id of its own stays ended for ever", async () => {
  await using rig = await HubRig.start({ clock: new TestClock(START) });
  const [{ id }] = (await rig.attached({ workspace: "a" }).hello([
    link("web"),
    link("demo", { subdomain: "demo" }),
  ])).links;
  assert.equal(
    (await rig.api("DELETE", `/v1/links/${id}`, undefined, undefined, rig.hub.socket!)).status,
    200,
  );
  const claim = async () => {
    const daemon = rig.attached({ workspace: "b", daemon: "daemon-2" });
    const [granted] = (await daemon.hello([link("mine", { subdomain: "demo" })])).links;
    return "refused" in granted ? granted.refused.code : granted.id;
  };
  await onDay(rig, 29);
  assert.equal(await claim(), "name_taken");
  await onDay(rig, 31);
  assert.equal(await claim(), "demo");
  await onDay(rig, 4_000);
  assert.equal((await rig.visit(id)).status, 410);
  const again =
    (await rig.attached({ workspace: "b", daemon: "daemon-3" }).hello([link("web", { id })])).links[0];
  assert.notEqual(again.id, id);
  // The daemon whose it was is told that it is revoked, however long it was away.
  const owner = (await rig.attached({ workspace: "a" }).hello([link("web", { id })])).links[0];
  assert.equal(owner.id, id);
  assert.equal((await rig.visit(id)).status, 410);
  assert.equal(await stored(rig, "names"), 3);
});

Deno.test("records of the trail go when they are older than `keep.audit`, and what is left is whole", async () => {
  await using rig = await HubRig.start({ clock: new TestClock(START), keepAuditMs: 10 * DAY_MS });
  for (let i = 0; i < 20; i++) await rig.token("viewer");
  const clock = await onDay(rig, 11, { keepAuditMs: 10 * DAY_MS });
  await pass(clock, 61_000);
  const audit = async () =>
    (await rig.api("GET", "/v1/audit?limit=1000", undefined, undefined, rig.hub.socket!)).json.items;
  await eventually(audit, (items) => items.length < 10);
  const types = (await audit()).map(({ type }: { type: string }) => type);
  assert.ok(types.includes("audit.pruned") && !types.includes("token.created"), types.join());
  const { json } = await rig.api("POST", "/v1/audit/verify", undefined, undefined, rig.hub.socket!);
  assert.equal(json.ok, true, JSON.stringify(json));
});
