/** Sessions of the dashboard and the store that keeps them: how many, how long, and what a store that fails leaves. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { Failure } from "../../src/core/errors.ts";
import { Browsers } from "../../src/hub/browsers.ts";
import { openHubStore } from "../../src/hub/place.ts";
import { type Identity, Tokens } from "../../src/hub/tokens.ts";
import type { Store } from "../../src/store/store.ts";

/** Sessions on a store of their own. */
class Rig implements AsyncDisposable {
  readonly clock = new TestClock();
  /** So many deletes fail. */
  failing = 0;
  browsers!: Browsers;
  tokens!: Tokens;
  readonly #folder = Deno.makeTempDirSync({ prefix: "connectd-browsers-" });
  #store!: Store;

  static async start(): Promise<Rig> {
    const rig = new Rig();
    await rig.begin();
    return rig;
  }

  async begin(): Promise<void> {
    const store = this.#store = await openHubStore(`${this.#folder}/hub.db`, this.clock);
    this.tokens = await Tokens.open(store, this.clock);
    this.browsers = await Browsers.open(this.#breakable(store), this.clock, this.tokens);
  }

  async restart(): Promise<void> {
    await this.#store.close();
    await this.begin();
  }

  async identity(): Promise<Identity> {
    const wish = { scope: "viewer", workspace: "default", name: null, ttlMs: null } as const;
    return this.tokens.identify(`Bearer ${(await this.tokens.create(wish)).token.expose()}`)!;
  }

  #breakable(store: Store): Store {
    const { trail, snapshot, close } = store;
    return {
      ...{ trail, snapshot, close },
      bucket: (name, options) => {
        const bucket = store.bucket(name, options);
        const fails = () => this.failing-- > 0;
        return {
          ...bucket,
          delete: (key) => fails() ? Promise.reject(new Failure("the disk is full")) : bucket.delete(key),
        };
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

Deno.test("one token has 64 sessions at most, of which the oldest goes, over a restart too; another's stay", async () => {
  await using rig = await Rig.start();
  const one = await rig.identity(), another = await rig.identity();
  const others = await rig.browsers.signIn(another);
  const secrets: string[] = [];
  const signIn = async (n: number) => {
    for (let i = 0; i < n; i++) {
      rig.clock.advance(1);
      secrets.push(await rig.browsers.signIn(one));
    }
  };
  const good = () => secrets.map((secret) => rig.browsers.find(secret) !== null);
  await signIn(65);
  assert.deepEqual(good(), secrets.map((_, i) => i > 0));
  await rig.restart();
  assert.deepEqual(good(), secrets.map((_, i) => i > 0));
  await signIn(2);
  assert.deepEqual(good(), secrets.map((_, i) => i > 2));
  assert.notEqual(rig.browsers.find(others), null);
});

Deno.test("what the store would not forget at first it forgets later: a session that was ended stays so", async () => {
  await using rig = await Rig.start();
  const secret = await rig.browsers.signIn(await rig.identity());
  rig.failing = 2;
  await rig.browsers.signOut(secret);
  assert.equal(rig.browsers.find(secret), null);
  for (let ticks = 0; ticks < 3; ticks++) {
    rig.browsers.settle();
    await new Promise((turn) => setTimeout(turn, 0));
  }
  await rig.restart();
  assert.equal(rig.browsers.find(secret), null);
});

Deno.test("a session from the future is none: a clock that was set back lengthens nothing", async () => {
  await using rig = await Rig.start();
  const secret = await rig.browsers.signIn(await rig.identity());
  rig.clock.jump(-60_000);
  assert.equal(rig.browsers.find(secret), null);
  rig.clock.jump(60_000);
  assert.equal(rig.browsers.find(secret), null);
});

Deno.test("a session whose token ends while it is stored is not there afterwards", async () => {
  await using rig = await Rig.start();
  const identity = await rig.identity();
  const signing = rig.browsers.signIn(identity);
  await rig.tokens.revoke(identity.token!, null);
  rig.browsers.settle();
  assert.equal(rig.browsers.find(await signing), null);
  await rig.restart();
  assert.equal(rig.browsers.find(await signing), null);
});
