/** Tokens: shown once, kept as digests, gone at once. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { Failure } from "../../src/core/errors.ts";
import type { Secret } from "../../src/core/secret.ts";
import { hubStorePath, openHubStore, openTokens } from "../../src/hub/place.ts";
import { Tokens } from "../../src/hub/tokens.ts";
import type { TokenWish } from "../../src/hub/token_wish.ts";

const WISH: TokenWish = { scope: "daemon", workspace: "acme", name: null, ttlMs: null };

const withFolder = (title: string, run: (folder: string) => Promise<void>) =>
  Deno.test(title, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await run(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

withFolder(
  "a token lets in who shows it, after a restart too, and nothing that is like it",
  async (folder) => {
    const first = await openTokens(`${folder}/hub.db`);
    const { token, record } = await first.tokens.create(WISH);
    await first.close();
    const again = await openTokens(`${folder}/hub.db`);
    const text = token.expose();
    const expected = {
      token: record.id,
      name: record.name,
      scope: "daemon",
      workspace: "acme",
      generation: 0,
    };
    assert.deepEqual(again.tokens.identify(`Bearer ${text}`), expected);
    assert.deepEqual(again.tokens.identify(`bearer  ${text}`), expected);
    const last = text.endsWith("a") ? "b" : "a";
    const other = (await again.tokens.create(WISH)).token.expose();
    for (
      const header of [
        undefined,
        "",
        text,
        "Bearer",
        `Basic ${text}`,
        `Bearer ${text.slice(0, -1)}`,
        `Bearer ${text.slice(0, -1)}${last}`,
        `Bearer ${text} x`,
        `Bearer ${text.slice(0, 17)}${other.slice(17)}`,
        `Bearer ${text.toUpperCase()}`,
      ]
    ) assert.equal(again.tokens.identify(header), null, String(header));
    await again.close();
  },
);

withFolder("the store never holds a token, and a token does not print", async (folder) => {
  const { tokens, close } = await openTokens(`${folder}/hub.db`);
  const { token } = await tokens.create(WISH);
  await close();
  const secret = token.expose().split("_")[2];
  for (const { name } of Deno.readDirSync(folder)) {
    assert.ok(!new TextDecoder("latin1").decode(Deno.readFileSync(`${folder}/${name}`)).includes(secret));
  }
  assert.equal(`${token} ${JSON.stringify({ token })}`, `*** {"token":"***"}`);
  assert.equal(secret.length, 32);
});

withFolder("a token ends when it is revoked, by id or name, and when its time is over", async (folder) => {
  const clock = new TestClock();
  const { tokens, close } = await openTokens(`${folder}/hub.db`, clock);
  const timed = await tokens.create({ ...WISH, ttlMs: 1000 });
  const named = await tokens.create({ ...WISH, name: "laptop" });
  const revoked: string[] = [];
  tokens.onRevoked = (id) => void revoked.push(id);
  assert.equal(await tokens.revoke("laptop", "other"), null);
  assert.equal((await tokens.revoke("laptop", "acme"))!.revokedAt, clock.now());
  clock.advance(10);
  assert.equal((await tokens.revoke(named.record.id, null))!.revokedAt, clock.now() - 10);
  assert.deepEqual(revoked, [named.record.id]);
  assert.equal(tokens.identify(`Bearer ${named.token.expose()}`), null);
  const identity = tokens.identify(`Bearer ${timed.token.expose()}`)!;
  clock.advance(989);
  assert.ok(tokens.isLive(identity));
  clock.advance(1);
  assert.ok(!tokens.isLive(identity));
  assert.ok(!tokens.any);
  await close();
});

withFolder("a name is one live token's in its workspace", async (folder) => {
  const { tokens, close } = await openTokens(`${folder}/hub.db`);
  const wish = { ...WISH, name: "ci" };
  const tries = await Promise.allSettled([tokens.create(wish), tokens.create(wish)]);
  assert.deepEqual(tries.map(({ status }) => status), ["fulfilled", "rejected"]);
  await tokens.create({ ...wish, workspace: "other" });
  await assert.rejects(tokens.revoke("ci", null), /2 workspaces have a token ci/);
  await tokens.revoke("ci", "acme");
  await tokens.create(wish);
  assert.equal(tokens.list("acme").length, 2);
  await assert.rejects(tokens.create({ ...WISH, name: "No Name" }), Failure);
  await close();
});

withFolder("the store is one process's, and is free again after it", async (folder) => {
  const path = hubStorePath(folder);
  const first = await openTokens(path);
  await assert.rejects(openTokens(path), (error: Failure) => error.message.includes(`pid ${Deno.pid}`));
  await first.close();
  await (await openTokens(path)).close();
  await assert.rejects(openTokens(`${folder}/none/hub.db`), Failure);
});

withFolder("a token that could not be stored lets nobody in", async (folder) => {
  const clock = new TestClock();
  const store = await openHubStore(`${folder}/hub.db`, clock);
  const tokens = await Tokens.open(store, clock);
  await store.close();
  await assert.rejects(tokens.create(WISH), Failure);
  assert.deepEqual(tokens.list(null), []);
});

withFolder(
  "a rotated token has a new secret under its name; the old one is good for the overlap, over a restart too",
  async (folder) => {
    const clock = new TestClock();
    const first = await openTokens(`${folder}/hub.db`, clock);
    const { token: old, record } = await first.tokens.create({ ...WISH, name: "laptop", ttlMs: 100_000 });
    const before = first.tokens.identify(`Bearer ${old.expose()}`)!;
    clock.advance(60_000);
    assert.equal(await first.tokens.rotate("laptop", 10_000, "other"), null);
    const rotated = (await first.tokens.rotate("laptop", 10_000, "acme"))!;
    assert.deepEqual(
      [rotated.record.id, rotated.record.name, rotated.record.expiresAt],
      [record.id, "laptop", clock.now() + 100_000],
    );
    await first.close();
    const { tokens, close } = await openTokens(`${folder}/hub.db`, clock);
    const identify = (token: Secret) => tokens.identify(`Bearer ${token.expose()}`);
    const after = identify(rotated.token)!;
    assert.deepEqual([identify(old), after.generation], [before, 1]);
    clock.advance(9_999);
    assert.ok(tokens.isLive(before) && tokens.isLive(after));
    clock.advance(1);
    assert.deepEqual([identify(old), tokens.isLive(before)], [null, false]);
    assert.deepEqual([identify(rotated.token), tokens.isLive(after)], [after, true]);
    tokens.settle();
    clock.jump(-60_000);
    assert.equal(identify(old), null, "a clock that is set back brings no secret back");
    await close();
  },
);

withFolder("a second rotation ends the first secret at once, and a revocation both", async (folder) => {
  const { tokens, close } = await openTokens(`${folder}/hub.db`);
  const told: string[] = [];
  tokens.onRevoked = (id) => void told.push(id);
  const { token: first, record: { id } } = await tokens.create(WISH);
  const { token: second } = (await tokens.rotate(id, 60_000, null))!;
  const { token: third } = (await tokens.rotate(id, 60_000, null))!;
  const known = () =>
    [first, second, third].map((token) => tokens.identify(`Bearer ${token.expose()}`) !== null);
  assert.deepEqual(known(), [false, true, true]);
  const { token: fourth } = (await tokens.rotate(id, 0, null))!;
  assert.deepEqual(known(), [false, false, false]);
  assert.ok(tokens.identify(`Bearer ${fourth.expose()}`));
  await tokens.revoke(id, null);
  assert.equal(tokens.identify(`Bearer ${fourth.expose()}`), null);
  assert.deepEqual(told, [id, id, id, id]);
  await assert.rejects(tokens.rotate(id, 0, null), /has ended/);
  await close();
});

withFolder(
  "a token that is revoked while it is rotated stays revoked, after a restart too",
  async (folder) => {
    const first = await openTokens(`${folder}/hub.db`);
    const { record: { id } } = await first.tokens.create(WISH);
    const [rotated] = await Promise.all([
      first.tokens.rotate(id, 60_000, null),
      first.tokens.revoke(id, null),
    ]);
    await first.close();
    const { tokens, close } = await openTokens(`${folder}/hub.db`);
    assert.equal(tokens.identify(`Bearer ${rotated!.token.expose()}`), null);
    await close();
  },
);

withFolder("a rotation that can not be stored leaves the token as it was", async (folder) => {
  const clock = new TestClock();
  const store = await openHubStore(`${folder}/hub.db`, clock);
  const tokens = await Tokens.open(store, clock);
  const { token, record } = await tokens.create(WISH);
  await store.close();
  await assert.rejects(tokens.rotate(record.id, 0, null), Failure);
  assert.ok(tokens.identify(`Bearer ${token.expose()}`));
  await assert.rejects(tokens.revoke(record.id, null), Failure);
  assert.ok(tokens.identify(`Bearer ${token.expose()}`));
});

withFolder("when a token was used last is known to five minutes, over a restart too", async (folder) => {
  const clock = new TestClock();
  const first = await openTokens(`${folder}/hub.db`, clock);
  const { token, record } = await first.tokens.create(WISH);
  assert.equal(first.tokens.list(null)[0].lastUsedAt, null);
  const used = () => first.tokens.identify(`Bearer ${token.expose()}`);
  clock.advance(1000);
  const at = clock.now();
  used();
  clock.advance(299_999);
  used();
  assert.equal(first.tokens.list(null)[0].lastUsedAt, at);
  clock.advance(1);
  used();
  const later = clock.now();
  await first.close();
  const { tokens, close } = await openTokens(`${folder}/hub.db`, clock);
  assert.deepEqual([tokens.list(null)[0].id, tokens.list(null)[0].lastUsedAt], [record.id, later]);
  await close();
});

withFolder("tokens of before there were rotations are read", async (folder) => {
  const clock = new TestClock();
  const store = await openHubStore(`${folder}/hub.db`, clock);
  const tokens = await Tokens.open(store, clock);
  const { token, record } = await tokens.create(WISH);
  const { generation: _g, rotatedAt: _r, previous: _p, lastUsedAt: _l, ...old } = record;
  await store.bucket("tokens").put(record.id, JSON.stringify(old));
  const again = await Tokens.open(store, clock);
  const identity = again.identify(`Bearer ${token.expose()}`);
  assert.ok(identity !== null && again.isLive(identity));
  await store.close();
});
