/** Tokens while the store takes its time. */
import assert from "node:assert/strict";
import { Failure } from "../../src/core/errors.ts";
import { HubRig } from "./rig.ts";

Deno.test("a rotation that could not be stored is none over a restart, though the token was used meanwhile", async () => {
  await using rig = await HubRig.start();
  const wish = { scope: "daemon", workspace: "default", name: "ci", ttlMs: null } as const;
  const { token, record: { id } } = await rig.hub.tokens.create(wish);
  const begun = Promise.withResolvers<void>(), fails = Promise.withResolvers<never>();
  rig.held = { bucket: "tokens", until: fails.promise, begun: begun.resolve };
  const rotated = rig.hub.tokens.rotate(id, 60_000, null);
  await begun.promise;
  // That it was used is written while the rotation is on its way.
  assert.notEqual(rig.hub.tokens.identify(`Bearer ${token.expose()}`), null);
  fails.reject(new Failure("the disk is full"));
  await assert.rejects(rotated, /the disk is full/);
  const generations = () =>
    rig.hub.tokens.list(null).map(({ generation, rotatedAt }) => [generation, rotatedAt]);
  assert.deepEqual(generations(), [[0, null]]);
  await rig.hub.close();
  await rig.begin();
  assert.deepEqual(generations(), [[0, null]]);
});
