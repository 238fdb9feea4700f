/** Browsers that are signed in at the dashboard: over restarts of the hub, until their time is over or their token ends. */
import { digestOf, freshSecret, SESSION_MS } from "../api/secrets.ts";
import type { Clock } from "../clock.ts";
import type { Bucket, Store } from "../store/store.ts";
import type { Identity, Tokens } from "./tokens.ts";

/** So many with one token; of more the oldest has to sign in again. */
const MOST = 64;

interface SignedIn {
  /** ms since 1970. */
  readonly at: number;
  readonly identity: Identity;
}

/** All in memory, so that a page never waits for the store; there and here they are known by a digest, never by their secret. */
export class Browsers {
  readonly #bucket: Bucket;
  /** By the digest of the secret, the oldest first. */
  readonly #sessions = new Map<string, SignedIn>();
  /** Ended here, and perhaps not yet in the store. */
  readonly #ended = new Set<string>();

  private constructor(store: Store, private readonly clock: Clock, private readonly tokens: Tokens) {
    this.#bucket = store.bucket("browsers", { ttlMs: SESSION_MS });
  }

  /** Reads what the store holds. Throws Failure. */
  static async open(store: Store, clock: Clock, tokens: Tokens): Promise<Browsers> {
    const browsers = new Browsers(store, clock, tokens);
    const kept = (await browsers.#bucket.list())
      .map(({ key, value }) => [key, JSON.parse(value) as SignedIn] as const)
      .sort(([, a], [, b]) => a.at - b.at);
    for (const [key, session] of kept) browsers.#sessions.set(key, session);
    browsers.settle();
    return browsers;
  }

  /**
   * The secret of a new session. One that can't be stored lasts until the hub ends: whoever shows a token may look on
   * while the disk is full.
   */
  async signIn(identity: Identity): Promise<string> {
    const secret = freshSecret(), key = digestOf(secret);
    const own = [...this.#sessions].filter(([, session]) => session.identity.token === identity.token);
    for (const [oldest] of own.slice(0, Math.max(0, own.length + 1 - MOST))) this.#end(oldest);
    const session: SignedIn = { at: this.clock.now(), identity };
    this.#sessions.set(key, session);
    await this.#bucket.put(key, JSON.stringify(session)).catch(() => {});
    return secret;
  }

  /** Ends a session at once; resolves when that is durable, as far as the store takes it. */
  async signOut(secret: string): Promise<void> {
    await this.#end(digestOf(secret));
  }

  /** Who it is; null: nobody is signed in with that. Found by its digest: the time that this takes says nothing about the secret. */
  find(secret: string): Identity | null {
    const key = digestOf(secret), session = this.#sessions.get(key);
    if (session === undefined) return null;
    if (this.#lasts(session)) return session.identity;
    this.#end(key);
    return null;
  }

  /** Ends what is over, for good: no clock that is set back brings it back. To be called about once a second. */
  settle(): void {
    for (const [key, session] of this.#sessions) {
      if (!this.#lasts(session)) this.#end(key);
    }
    for (const key of this.#ended) this.#forget(key);
  }

  async #end(key: string): Promise<void> {
    if (this.#sessions.delete(key)) await this.#forget(key);
  }

  /** What the store does not take is tried again. */
  async #forget(key: string): Promise<void> {
    this.#ended.add(key);
    await this.#bucket.delete(key).then(() => this.#ended.delete(key), () => {});
  }

  #lasts({ at, identity }: SignedIn): boolean {
    const now = this.clock.now();
    // A clock that was turned back lengthens nothing.
    return now >= at && now - at < SESSION_MS && identity.token !== null && this.tokens.isLive(identity);
  }
}
