/** What must survive a restart: named buckets of JSON values under dotted keys, each value with a revision; a trail. */
import type { AuditEntry, AuditQuery, AuditRow } from "../core/audit.ts";

/** A value as it was stored. */
export interface Entry {
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  /** Grows with every write to the store, also over a delete: an equal revision is an equal value. */
  readonly revision: number;
}

/** What happened to a key; `entry` null: it was deleted. */
export interface Change {
  readonly key: string;
  readonly entry: Entry | null;
}

export interface PutOptions {
  /** The revision that is replaced; 0: there must be none. */
  readonly ifRevision?: number;
  /** Goes into the trail in the same commit; not at all where the put does not happen. */
  readonly audit?: AuditEntry;
}

export interface DeleteOptions {
  readonly ifRevision?: number;
}

/**
 * Keys are dot-separated tokens of `[A-Za-z0-9_-]`. A prefix is whole tokens: it means the key itself and all below it;
 * the empty prefix means all. Whatever can't be read or written throws Failure.
 */
export interface Bucket {
  /** Null: there is none, or its time to live is over. */
  get(key: string): Promise<Entry | null>;
  /** In the order of their keys. */
  list(prefix?: string): Promise<Entry[]>;
  /** Resolves with the new revision once the value would survive a loss of power. Throws Conflict. */
  put(key: string, value: string, options?: PutOptions): Promise<number>;
  /** Resolves once it is durable; a key that is not there is no error, unless a revision was asked for. Throws Conflict. */
  delete(key: string, options?: DeleteOptions): Promise<void>;
  /** Changes from the call on, until `signal` aborts. A value that ends by its time to live is not told. */
  watch(prefix: string, signal: AbortSignal): AsyncIterable<Change>;
}

export interface BucketOptions {
  /** Values are gone so long after they were written. */
  readonly ttlMs?: number;
}

/** The ends of a trail, and what the store noted of it. */
export interface TrailEnds {
  readonly last: AuditRow | null;
  /** The newest record of type PRUNED. */
  readonly pruned: AuditRow | null;
  /** The largest number that was ever given. */
  readonly issued: number;
}

/** The audit trail: records that can be added and never changed, chained in the order in which they were added. */
export interface Trail {
  /**
   * Adds `entry` behind everything that was added before, in the commit of what is put in the same turn, or an earlier
   * one. Waits for nothing: what could not be stored is tried again, in order.
   */
  append(entry: AuditEntry): void;
  /** The newest first. Throws Failure. */
  list(query: AuditQuery): Promise<AuditRow[]>;
  /** From record `from` (null: the oldest) on, the oldest first, as they are stored. Throws Failure. */
  walk(from: number | null, limit: number): Promise<AuditRow[]>;
  /** Throws Failure. */
  ends(): Promise<TrailEnds>;
  /** Drops records from before `before` (RFC 3339), and the oldest beyond `most`; a record says so. Throws Failure. */
  prune(before: string, most: number): Promise<void>;
  /** Called when records could not be stored; they will be tried again. */
  onTrouble: ((error: Error) => void) | null;
}

export interface Store {
  readonly trail: Trail;
  /** The bucket `name`, a token as keys have them. The same name means the same values. */
  bucket(name: string, options?: BucketOptions): Bucket;
  /**
   * Writes everything that was acknowledged so far into a database file of its own at `path` (0600), which is empty or
   * not there; others go on meanwhile. Throws Failure.
   */
  snapshot(path: string): Promise<void>;
  /** Resolves when what was asked for before is done. What is asked for later throws Failure. */
  close(): Promise<void>;
}

/** The revision that was asked for is not the one that is there: read again and decide anew. */
export class Conflict extends Error {
  override readonly name = "Conflict";
  constructor(readonly bucket: string, readonly key: string) {
    super(`${bucket}/${key} was changed by somebody else`);
  }
}

const TOKEN = /^[A-Za-z0-9_-]+$/;
const KEY = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** Throws TypeError unless `key` is one. */
export function checkKey(key: string): void {
  if (!KEY.test(key)) throw new TypeError(`${JSON.stringify(key)} is no key of a store`);
}

/** Throws TypeError unless `name` may name a bucket. */
export function checkBucketName(name: string): void {
  if (!TOKEN.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of a bucket`);
}

/** Whether `prefix`, whole tokens or empty, means `key`. */
export function hasPrefix(key: string, prefix: string): boolean {
  return prefix === "" || key === prefix ||
    (key.startsWith(prefix) && key.charCodeAt(prefix.length) === 0x2e);
}
