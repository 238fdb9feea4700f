/** The store in one file: node:sqlite in a worker, so that nothing here ever waits for a disk on the serving thread. */
import { resolve } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import type { AuditEntry } from "../core/audit.ts";
import { Failure } from "../core/errors.ts";
import { Changes } from "./changes.ts";
import { storeCounts } from "./metrics.ts";
import { reasonOf } from "./reasons.ts";
import { SqliteTrail } from "./sqlite_trail.ts";
import type { Contents } from "./sqlite_check.ts";
import type { Answer, Operation, Outcome, Question } from "./sqlite_worker.ts";
import {
  type Bucket,
  type BucketOptions,
  checkBucketName,
  checkKey,
  Conflict,
  type DeleteOptions,
  type Entry,
  type PutOptions,
  type Store,
} from "./store.ts";

export type { Contents } from "./sqlite_check.ts";

/**
 * Opens the database at `path`, making it (0600) where there is none. All sqlite stores of a process share one worker,
 * which ends with the last of them. Throws Failure where the file can't be used.
 */
export async function openSqlite(path: string, clock: Clock = systemClock): Promise<Store> {
  const absolute = resolve(path);
  await makeFile(absolute);
  const worker = shared.enter();
  const database = worker.number();
  try {
    await worker.ask({ kind: "open", database, path: absolute });
  } catch (error) {
    shared.leave();
    throw failure(absolute, error);
  }
  return new SqliteStore(absolute, worker, database, clock);
}

/**
 * What the database file at `path` holds, which no store uses now: all of it is read, and nothing changed. Throws Failure
 * where it is damaged, or no store that this version reads.
 */
export async function checkSqlite(path: string): Promise<Contents> {
  const absolute = resolve(path);
  const worker = shared.enter();
  try {
    const [outcome] = await worker.ask({ kind: "check", path: absolute });
    if (outcome.kind !== "checked") throw new Error("nothing was checked");
    return outcome;
  } catch (error) {
    throw failure(absolute, error);
  } finally {
    shared.leave();
  }
}

/** sqlite would make the file readable for all, and what it says of a folder that is missing helps nobody. */
async function makeFile(path: string): Promise<void> {
  try {
    (await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 })).close();
  } catch (error) {
    throw failure(path, error);
  }
}

function failure(path: string, cause: unknown): Failure {
  if (cause instanceof Failure) return cause;
  const { what, ...rest } = reasonOf((cause as Error).message);
  return new Failure(`the store ${path} can not be used: ${what}`, { cause, ...rest });
}

type Unnumbered<Q> = Q extends unknown ? Omit<Q, "id"> : never;

/** The worker with the questions it has not answered yet. */
class SqliteWorker {
  readonly #worker = new Worker(new URL("./sqlite_worker.ts", import.meta.url), {
    type: "module",
    name: "sqlite",
  });
  readonly #open = new Map<number, PromiseWithResolvers<readonly Outcome[]>>();
  #asked = 0;
  #broken: Error | null = null;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const promise = this.#open.get(data.id)!;
      this.#open.delete(data.id);
      if ("failed" in data) promise.reject(new Error(data.failed));
      else promise.resolve(data.outcomes);
    };
    this.#worker.onerror = (event) => {
      // It answers what it can catch; this is a worker that could not start or ran out of memory.
      event.preventDefault();
      this.#broken = new Error(`its worker ended: ${event.message}`);
      for (const promise of this.#open.values()) promise.reject(this.#broken);
      this.#open.clear();
    };
  }

  number(): number {
    return ++this.#asked;
  }

  ask(question: Unnumbered<Question>): Promise<readonly Outcome[]> {
    if (this.#broken !== null) return Promise.reject(this.#broken);
    const id = this.number();
    const promise = Promise.withResolvers<readonly Outcome[]>();
    this.#open.set(id, promise);
    this.#worker.postMessage({ ...question, id });
    return promise.promise;
  }

  end(): void {
    this.#worker.terminate();
  }
}

/** The one worker, and how many stores use it: a worker that runs keeps its process alive. */
const shared = {
  current: null as SqliteWorker | null,
  users: 0,
  enter(): SqliteWorker {
    this.users++;
    return this.current ??= new SqliteWorker();
  },
  leave(): void {
    if (--this.users > 0) return;
    this.current?.end();
    this.current = null;
  },
};

interface Waiting {
  readonly operation: Operation;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

type Nullable<T> = { readonly [member in keyof T]?: T[member] | null };

class SqliteStore implements Store {
  readonly trail: SqliteTrail;
  readonly #changes = new Changes();
  #waiting: Waiting[] = [];
  /** The batch that the worker has, or the one that is about to go. */
  #running: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  constructor(
    private readonly path: string,
    private readonly worker: SqliteWorker,
    private readonly database: number,
    private readonly clock: Clock,
  ) {
    this.trail = new SqliteTrail((operation) => this.#do(operation), () => this.#begin(), clock);
  }

  bucket(name: string, { ttlMs = null }: BucketOptions | { ttlMs?: null } = {}): Bucket {
    checkBucketName(name);
    return {
      get: async (key) => {
        checkKey(key);
        return rowsOf(await this.#do({ kind: "get", key, bucket: name, ttlMs, now: this.clock.now() }))[0] ??
          null;
      },
      list: async (prefix = "") => {
        if (prefix !== "") checkKey(prefix);
        const now = this.clock.now();
        return [...rowsOf(await this.#do({ kind: "list", prefix, bucket: name, ttlMs, now }))];
      },
      put: async (key, value, { ifRevision = null, audit = null }: Nullable<PutOptions> = {}) => {
        checkKey(key);
        const now = this.clock.now();
        const put = { kind: "put", key, value, ifRevision, audit, bucket: name, ttlMs, now } as const;
        const outcome = await this.#do(put);
        return revisionOf(outcome, name, key)!;
      },
      delete: async (key, { ifRevision = null }: DeleteOptions | { ifRevision?: null } = {}) => {
        checkKey(key);
        const now = this.clock.now();
        revisionOf(
          await this.#do({ kind: "delete", key, ifRevision, bucket: name, ttlMs, now }),
          name,
          key,
        );
      },
      watch: (prefix, signal) => {
        if (prefix !== "") checkKey(prefix);
        return this.#changes.watch(name, prefix, signal);
      },
    };
  }

  async snapshot(path: string): Promise<void> {
    if (this.#closed !== null) throw this.#gone();
    try {
      await makeFile(path);
      // The worker does one thing after another: what it has acknowledged is in it.
      await this.worker.ask({ kind: "snapshot", database: this.database, path });
    } catch (error) {
      throw failure(path, error);
    }
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.trail.retry();
      this.trail.close();
      while (this.#running !== null) await this.#running;
      await this.worker.ask({ kind: "close", database: this.database }).catch(() => {});
      this.#changes.end();
      shared.leave();
    })();
    return this.#closed;
  }

  /** One batch at a time: what is asked for in one turn, or while the disk is busy, shares a commit. */
  #do(operation: Operation): Promise<Outcome> {
    if (this.#closed !== null) return Promise.reject(this.#gone());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operation, resolve, reject });
      this.#begin();
    });
  }

  #gone(): Failure {
    return new Failure(`the store ${this.path} was closed`, { permanent: true });
  }

  #begin(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.trail.due) {
      const batch = this.#waiting, entries = this.trail.take();
      this.#waiting = [];
      try {
        const appends = entries.map((entry): Operation => ({ kind: "append", entry }));
        const operations = [...appends, ...batch.map(({ operation }) => operation)];
        const outcomes = await this.worker.ask({ kind: "run", database: this.database, operations });
        this.trail.settle(...unaudited(operations, outcomes));
        batch.forEach(({ operation, resolve }, i) => {
          const outcome = outcomes[entries.length + i];
          resolve(outcome);
          this.#tell(operation, outcome);
        });
      } catch (error) {
        const reason = failure(this.path, error);
        storeCounts.failed++;
        this.trail.settle(entries, reason);
        for (const { reject } of batch) reject(reason);
      }
    }
    this.#running = null;
  }

  #tell(operation: Operation, outcome: Outcome): void {
    if (outcome.kind !== "written" || outcome.revision === null) return;
    if (operation.kind === "delete") {
      this.#changes.tell(operation.bucket, { key: operation.key, entry: null });
    }
    if (operation.kind === "put") {
      const { bucket, key, value } = operation;
      this.#changes.tell(bucket, { key, entry: { key, value, revision: outcome.revision } });
    }
  }
}

/** The entries that the trail did not take, and why. */
function unaudited(
  operations: readonly Operation[],
  outcomes: readonly Outcome[],
): [AuditEntry[], Error | null] {
  const entries: AuditEntry[] = [];
  let why: string | undefined;
  outcomes.forEach((outcome, i) => {
    const operation = operations[i];
    const failed = outcome.kind === "failed" ? outcome.why : outcome.kind === "written" && outcome.unaudited;
    if (typeof failed !== "string") return;
    if (operation.kind === "append") entries.push(operation.entry);
    else if (operation.kind === "put" && operation.audit !== null) entries.push(operation.audit);
    else return;
    why = failed;
  });
  return [entries, why === undefined ? null : new Failure(`the audit trail can not be written: ${why}`)];
}

function rowsOf(outcome: Outcome): readonly Entry[] {
  return outcome.kind === "rows" ? outcome.rows : [];
}

function revisionOf(outcome: Outcome, bucket: string, key: string): number | null {
  if (outcome.kind !== "written") throw new Conflict(bucket, key);
  return outcome.revision;
}
