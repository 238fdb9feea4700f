/** What a daemon keeps over a restart: its id, the records of links, one-offs, what long rates have counted. */
import { createHash, randomBytes } from "node:crypto";
import { type Entry, restoreEntry, storeEntry } from "../core/entry.ts";
import type { SavedBuckets } from "../core/limit.ts";
import { type LinkRecord, readRecord } from "../core/link.ts";
import type { Bucket, Store } from "../store/store.ts";

/** What the rates of a link had counted at a time, ms since 1970. */
export interface SavedRates {
  readonly at: number;
  readonly buckets: SavedBuckets;
}

/** Links are known by where they come from and their name: the same name in another file is another link. */
export type Scope = string;

/** Links that no file names. */
export const ONE_OFFS: Scope = "oneoff";

/** As long as a hub asks again. */
const ASKS_MS = 24 * 3_600_000;

/** A record on its way to the disk: the write that is under way, and the one that follows it. */
interface Write {
  readonly now: Promise<void>;
  next: Promise<void> | null;
}

/** All in memory; a put resolves when it is durable. */
export class Records {
  readonly #links = new Map<string, LinkRecord>();
  readonly #scopes = new Set<Scope>();
  readonly #oneOffs = new Map<string, Entry>();
  readonly #rates = new Map<string, SavedRates>();
  /** By the record's key. */
  readonly #pending = new Map<string, Write>();
  /** Records that the disk did not take. */
  readonly #failed = new Set<string>();
  readonly #buckets: Readonly<Record<"files" | "links" | "oneOffs" | "asks" | "rates", Bucket>>;

  /** `daemon`: its id, kept for ever. */
  private constructor(store: Store, readonly daemon: string) {
    this.#buckets = {
      files: store.bucket("files"),
      links: store.bucket("links"),
      oneOffs: store.bucket("oneoffs"),
      asks: store.bucket("asks", { ttlMs: ASKS_MS }),
      rates: store.bucket("rates"),
    };
  }

  /** Reads what `store` holds. Throws Failure, TypeError for what is no record. */
  static async open(store: Store): Promise<Records> {
    const own = store.bucket("daemon");
    const found = await own.get("id");
    const id = found === null ? randomBytes(15).toString("base64url") : JSON.parse(found.value) as string;
    if (found === null) await own.put("id", JSON.stringify(id));
    const records = new Records(store, id);
    const { links, oneOffs, rates } = records.#buckets;
    for (const { key, value } of await links.list()) records.#keep(key, readRecord(JSON.parse(value)));
    for (const { key, value } of await oneOffs.list()) {
      records.#oneOffs.set(key, restoreEntry(value));
    }
    for (const { key, value } of await rates.list()) records.#rates.set(key, JSON.parse(value) as SavedRates);
    return records;
  }

  /**
   * The scope of the file at `path`, absolute: that of its real path when it was first read by this one. A symlink to a
   * file leads to the file's links, and one that is turned to another file (a Kubernetes volume) goes on with its own.
   */
  async scopeOf(path: string): Promise<Scope> {
    const known = await this.#buckets.files.get(digest(path));
    if (known !== null) return JSON.parse(known.value) as Scope;
    const scope = "f" + digest(await Deno.realPath(path).catch(() => path));
    await this.#buckets.files.put(digest(path), JSON.stringify(scope));
    return scope;
  }

  get(scope: Scope, name: string): LinkRecord | undefined {
    return this.#links.get(`${scope}.${name}`);
  }

  /** The records of `scope`, by name. */
  *all(scope: Scope): Generator<[name: string, LinkRecord]> {
    const prefix = `${scope}.`;
    for (const [key, record] of this.#links) {
      if (key.startsWith(prefix)) yield [key.slice(prefix.length), record];
    }
  }

  /** Hub → the public id of a link of this name in another scope. */
  idsElsewhere(scope: Scope, name: string): LinkRecord["ids"] {
    const others = [...this.#scopes].filter((other) => other !== scope);
    return Object.assign({}, ...others.map((other) => this.get(other, name)?.ids));
  }

  /** One that is stored already is not written again; one on its way is waited for. */
  put(scope: Scope, name: string, record: LinkRecord): Promise<void> {
    const key = `${scope}.${name}`;
    if (this.#links.get(key) === record && !this.#failed.has(key)) {
      const write = this.#pending.get(key);
      return write?.next ?? write?.now ?? Promise.resolve();
    }
    this.#keep(key, record);
    return this.#write(key);
  }

  /** Writes again what could not be written. */
  retry(): void {
    // What is wrong with the disk was said when they failed first.
    for (const key of this.#failed) this.#write(key).catch(() => {});
  }

  /** Resolves when nothing is on its way to the disk. */
  async written(): Promise<void> {
    while (this.#pending.size > 0) {
      await Promise.allSettled([...this.#pending.values()].map(({ now, next }) => next ?? now));
    }
  }

  #keep(key: string, record: LinkRecord): void {
    this.#links.set(key, record);
    this.#scopes.add(key.slice(0, key.indexOf(".")));
  }

  /** One write of a record at a time, and behind it one of what is newest then, however often a hub changes a link's id. */
  #write(key: string): Promise<void> {
    const before = this.#pending.get(key);
    if (before === undefined) return this.#store(key);
    return before.next ??= before.now.catch(() => {}).then(() => this.#store(key));
  }

  async #store(key: string): Promise<void> {
    const record = this.#links.get(key);
    // It was a one-off, and is forgotten.
    if (record === undefined) return;
    this.#failed.delete(key);
    const write: Write = {
      now: this.#buckets.links.put(key, JSON.stringify(record)).then(() => {}),
      next: null,
    };
    this.#pending.set(key, write);
    const isLast = () => this.#pending.get(key) === write && write.next === null;
    try {
      await write.now;
    } catch (error) {
      if (isLast()) this.#failed.add(key);
      throw error;
    } finally {
      if (isLast()) this.#pending.delete(key);
    }
  }

  get oneOffs(): ReadonlyMap<string, Entry> {
    return this.#oneOffs;
  }

  /** `ask`: what somebody asked who may ask again; `madeBy` knows it from then on. In one commit. */
  async putOneOff(entry: Entry, ask: string | null = null): Promise<void> {
    const { name } = entry, { oneOffs, asks } = this.#buckets;
    this.#oneOffs.set(name, entry);
    const puts = [oneOffs.put(name, storeEntry(entry))];
    if (ask !== null) puts.push(asks.put(digest(ask), JSON.stringify(name)));
    await Promise.all(puts);
  }

  /** The name of the one-off that was made by `ask`; null: none was, or it is a day ago. */
  async madeBy(ask: string): Promise<string | null> {
    const entry = await this.#buckets.asks.get(digest(ask));
    return entry === null ? null : JSON.parse(entry.value) as string;
  }

  /** Forgets a one-off whole: its name is free, and whoever takes it begins anew. The hubs keep the tombstone of its id. */
  async forgetOneOff(name: string): Promise<void> {
    const key = `${ONE_OFFS}.${name}`;
    this.#oneOffs.delete(name);
    this.#links.delete(key);
    this.#pending.delete(key);
    this.#failed.delete(key);
    this.#rates.delete(key);
    const { links, oneOffs, rates } = this.#buckets;
    await Promise.all([oneOffs.delete(name), links.delete(key), rates.delete(key)]);
  }

  rates(scope: Scope, name: string): SavedRates | undefined {
    return this.#rates.get(`${scope}.${name}`);
  }

  async putRates(scope: Scope, name: string, saved: SavedRates): Promise<void> {
    this.#rates.set(`${scope}.${name}`, saved);
    await this.#buckets.rates.put(`${scope}.${name}`, JSON.stringify(saved));
  }
}

function digest(path: string): string {
  return createHash("sha256").update(path).digest("hex").slice(0, 16);
}
