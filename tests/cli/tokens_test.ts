import assert from "node:assert/strict";
import { type TokenDesk, withTokens } from "../../src/cli/tokens.ts";
import { systemClock } from "../../src/clock.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { startHub } from "../../src/hub/hub.ts";
import { hubStorePath, openHubStore } from "../../src/hub/place.ts";
import { createLog } from "../../src/log.ts";
import { Rig } from "../e2e/rig.ts";

const ASK = { scope: "daemon", workspace: "acme", name: "ci", ttlMs: 3_600_000 } as const;

async function walk(desk: TokenDesk): Promise<void> {
  const made = await desk.create(ASK);
  assert.match(made.token, /^connectd_/);
  assert.deepEqual([made.name, made.scope, made.workspace, made.revokedAt], ["ci", "daemon", "acme", null]);
  assert.ok(made.expiresAt !== null);
  await assert.rejects(desk.create(ASK), /ci/);
  const named = await desk.create({ ...ASK, workspace: null, name: null, ttlMs: null });
  assert.deepEqual([named.workspace, named.expiresAt], ["default", null]);
  const rotated = await desk.rotate("ci", 60_000);
  assert.deepEqual([rotated.id, rotated.token === made.token], [made.id, false]);
  assert.ok(rotated.previousEndsAt !== null);
  await assert.rejects(desk.rotate("nobody", null), /token/);
  await assert.rejects(desk.lookUp("BBBB-BBBB"), /login/);
  const revoked = await desk.revoke("ci");
  assert.notEqual(revoked.revokedAt, null);
  assert.equal((await desk.revoke(made.id)).revokedAt, revoked.revokedAt);
  const listed = await desk.list();
  assert.deepEqual(listed.map(({ name }) => name).sort(), ["ci", named.name].sort());
  assert.ok(listed.every((token) => !("token" in token)));
  await assert.rejects(desk.revoke("nobody"), /token/);
}

Deno.test("tokens are made, listed, rotated and revoked on the store while no hub runs, and by the hub's socket while one does", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const alone = { flags: { state: `${folder}/alone` }, words: [] };
    await withTokens(alone, walk, true);
    assert.equal((await withTokens(alone, (desk) => desk.list())).length, 2);

    const state = `${folder}/hub`;
    Deno.mkdirSync(state);
    const hub = await startHub({
      listen: { hostname: "127.0.0.1", port: 0 },
      domain: null,
      publicUrl: null,
      store: await openHubStore(hubStorePath(state), systemClock),
      state,
      trustedProxies: [],
      limits: DEFAULT_LIMITS,
      log: createLog({ write: () => {} }),
    });
    await withTokens({ flags: { state }, words: [] }, walk);
    assert.equal(hub.tokens.list(null).length, 2);

    const { token } = await withTokens(
      { flags: { state }, words: [] },
      (desk) => desk.create({ scope: "admin", workspace: "acme", name: null, ttlMs: null }),
    );
    Deno.writeTextFileSync(`${folder}/admin`, token);
    const flags = { hub: hub.url, "token-file": `${folder}/admin` };
    const made = await withTokens(
      { flags, words: [] },
      (desk) => desk.create({ scope: "viewer", workspace: null, name: null, ttlMs: null }),
    );
    assert.equal(made.workspace, "acme");
    await hub.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the hub inside a daemon has no tokens, and whoever wants one is told what to run instead", async () => {
  await using rig = new Rig();
  const { state } = await rig.daemon("version: 1\nlinks: { a: { target: echo } }\n");
  for (const words of [["create", "--scope", "daemon"], ["list"]]) {
    const { code, stdout, stderr } = await rig.run(["token", ...words, "--state", state]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /^connectd: the hub inside the daemon at \S+ has no tokens: only that daemon is on it\n {2}for .*connectd hub/,
    );
  }
});

Deno.test("where neither hub nor store is, a token can be made, and asking for one leaves nothing behind", async () => {
  await using rig = new Rig();
  const state = `${rig.folder}/mistyped`;
  for (const words of [["list"], ["revoke", "ci"], ["rotate", "ci"], ["approve", "BBBB-BBBB"]]) {
    const { code, stdout, stderr } = await rig.run(["token", ...words, "--state", state]);
    assert.deepEqual([code, stdout], [1, ""], words[0]);
    assert.match(
      stderr,
      /^connectd: no hub runs at \S+mistyped, and no store lies at \S+hub\.db\n {2}say where .*--state/,
    );
    assert.throws(() => Deno.statSync(state), Deno.errors.NotFound);
  }
  const made = await rig.run(["token", "create", "--scope", "viewer", "--state", state]);
  assert.equal(made.code, 0, made.stderr);
});
