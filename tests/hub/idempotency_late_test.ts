/** A create that is said again when much has happened since. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { HubRig } from "./rig.ts";

const DAY = 24 * 3_600_000;

/** Makes a token by one and the same key. */
async function make(rig: HubRig, admin: string): Promise<{ id: string; token: string }> {
  const fields = ["Content-Type: application/json", "Idempotency-Key: same-key"];
  const { status, json } = await rig.api("POST", "/v1/tokens", admin, { scope: "viewer" }, undefined, fields);
  assert.equal(status, 201);
  return json;
}

Deno.test("a clock that was set back by days keeps no answer for ever", async () => {
  const clock = new TestClock();
  await using rig = await HubRig.start({ clock });
  const admin = await rig.token("admin");
  const first = await make(rig, admin);
  clock.jump(-2 * DAY);
  assert.notEqual((await make(rig, admin)).id, first.id);
});

Deno.test("a token that was rotated before its lost answer is asked for again is not given with a secret that is none", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  rig.losing = "idempotency";
  const first = await make(rig, admin);
  assert.deepEqual(await make(rig, admin), first, "it is found again");
  await rig.hub.tokens.rotate(first.id, 0, null);
  const second = await make(rig, admin);
  assert.notEqual(rig.hub.tokens.identify(`Bearer ${second.token}`), null);
});
