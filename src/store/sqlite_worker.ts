/** The worker in which sqlite blocks: one for all databases of the process. */
import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import type { AuditEntry, AuditQuery, AuditRow } from "../core/audit.ts";
import { AuditTable } from "./sqlite_audit.ts";
import { checkDatabase, type Contents, newer } from "./sqlite_check.ts";
import type { TrailEnds } from "./store.ts";

/** What is done to a bucket. `now`: ms since 1970, by which a time to live is decided. */
export type BucketOperation =
  & { readonly bucket: string; readonly ttlMs: number | null; readonly now: number }
  & (
    | { readonly kind: "get"; readonly key: string }
    | { readonly kind: "list"; readonly prefix: string }
    | {
      readonly kind: "put";
      readonly key: string;
      readonly value: string;
      readonly ifRevision: number | null;
      readonly audit: AuditEntry | null;
    }
    | { readonly kind: "delete"; readonly key: string; readonly ifRevision: number | null }
  );

/** What is done to the trail. */
export type TrailOperation =
  | { readonly kind: "append"; readonly entry: AuditEntry }
  | { readonly kind: "records"; readonly query: AuditQuery }
  | { readonly kind: "walk"; readonly from: number | null; readonly limit: number }
  | { readonly kind: "ends" }
  | { readonly kind: "prune"; readonly before: string; readonly most: number; readonly at: string };

export type Operation = BucketOperation | TrailOperation;

export interface Row {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

/** What became of one operation. */
export type Outcome =
  | { readonly kind: "rows"; readonly rows: readonly Row[] }
  /** `revision` null: there was nothing to delete. `unaudited`: why what goes with it is not in the trail. */
  | { readonly kind: "written"; readonly revision: number | null; readonly unaudited?: string }
  | { readonly kind: "conflict" }
  | { readonly kind: "records"; readonly rows: readonly AuditRow[] }
  | ({ readonly kind: "ends" } & TrailEnds)
  | { readonly kind: "appended" }
  | ({ readonly kind: "checked" } & Contents)
  /** Of the trail alone: what is wrong with it is nobody else's trouble. */
  | { readonly kind: "failed"; readonly why: string };

export type Question =
  | { readonly id: number; readonly kind: "open"; readonly database: number; readonly path: string }
  | {
    readonly id: number;
    readonly kind: "run";
    readonly database: number;
    readonly operations: readonly Operation[];
  }
  | { readonly id: number; readonly kind: "snapshot"; readonly database: number; readonly path: string }
  | { readonly id: number; readonly kind: "check"; readonly path: string }
  | { readonly id: number; readonly kind: "close"; readonly database: number };

/** `failed`: sqlite's own words; nothing of the batch was done. */
export type Answer = { readonly id: number; readonly outcomes: readonly Outcome[] } | {
  readonly id: number;
  readonly failed: string;
};

/** Raised when the tables change; a file of a newer version is left alone. */
const LAYOUT = 1;

/** What needs no transaction. */
const READS: readonly Operation["kind"][] = ["get", "list", "records", "walk", "ends"];

/** What outlived its bucket's time to live is removed when the bucket is written to, at most so often. */
const SWEEP_MS = 60_000;

class Database {
  readonly #db: DatabaseSync;
  readonly #get: StatementSync;
  readonly #all: StatementSync;
  readonly #below: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #sweep: StatementSync;
  readonly #swept = new Map<string, number>();
  #audit: AuditTable | null = null;
  /** Why this batch could not append; what comes after in it must not go before. */
  #unaudited: string | null = null;

  constructor(path: string) {
    const db = new DatabaseSync(path);
    this.#db = db;
    try {
      // Another process may hold the file for the time of a checkpoint or a backup.
      db.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      const { user_version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
      if (user_version > LAYOUT) throw new Error(newer(user_version));
      // AUTOINCREMENT never gives a number twice: neither a replaced nor a deleted value's revision comes again.
      db.exec(`CREATE TABLE IF NOT EXISTS entries (
        revision INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, key TEXT NOT NULL,
        value TEXT NOT NULL, written INTEGER NOT NULL, UNIQUE (bucket, key));
        PRAGMA user_version = ${LAYOUT}`);
      const live = "bucket = ? AND written > ?";
      this.#get = db.prepare(`SELECT key, value, revision FROM entries WHERE ${live} AND key = ?`);
      this.#all = db.prepare(`SELECT key, value, revision FROM entries WHERE ${live} ORDER BY key`);
      // What is below `a` lies between `a.` and `a/`, the next character after the dot.
      this.#below = db.prepare(
        `SELECT key, value, revision FROM entries WHERE ${live} AND (key = ? OR (key > ? AND key < ?)) ORDER BY key`,
      );
      this.#put = db.prepare(
        "INSERT OR REPLACE INTO entries (bucket, key, value, written) VALUES (?, ?, ?, ?) RETURNING revision",
      );
      this.#delete = db.prepare("DELETE FROM entries WHERE bucket = ? AND key = ?");
      this.#sweep = db.prepare("DELETE FROM entries WHERE bucket = ? AND written <= ?");
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** Does all of it in one transaction, or throws and has done nothing. A conflict concerns its own operation only. */
  run(operations: readonly Operation[]): Outcome[] {
    if (operations.every(({ kind }) => READS.includes(kind))) {
      return operations.map((operation) => this.#do(operation));
    }
    const head = this.#audit?.head;
    this.#unaudited = null;
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const outcomes = operations.map((operation) => this.#do(operation));
      this.#db.exec("COMMIT");
      return outcomes;
    } catch (error) {
      // A full disk has ended the transaction already.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      if (head === undefined) this.#audit = null;
      else this.#audit!.head = head;
      throw error;
    }
  }

  /** Writes everything into the file at `path`, which is then whole without another one beside it. */
  async snapshot(path: string): Promise<void> {
    // Not VACUUM INTO, which attaches a database: that is refused to whoever may not write everywhere.
    await backup(this.#db, path);
    const copy = new DatabaseSync(path);
    try {
      copy.exec("PRAGMA journal_mode = DELETE");
    } finally {
      copy.close();
    }
  }

  close(): void {
    this.#db.close();
  }

  #do(operation: Operation): Outcome {
    return "bucket" in operation ? this.#doBucket(operation) : this.#doTrail(operation);
  }

  /** A trail that somebody made unreadable or unwritable stops nothing but itself. */
  #doTrail(operation: TrailOperation): Outcome {
    try {
      const audit = this.#audit ??= new AuditTable(this.#db);
      switch (operation.kind) {
        case "records":
          return { kind: "records", rows: audit.list(operation.query) };
        case "walk":
          return { kind: "records", rows: audit.walk(operation.from, operation.limit) };
        case "ends":
          return { kind: "ends", ...audit.ends() };
        case "append":
          if (this.#unaudited !== null) return { kind: "failed", why: this.#unaudited };
          audit.append(operation.entry);
          return { kind: "appended" };
        case "prune":
          audit.prune(operation.before, operation.most, operation.at);
          return { kind: "appended" };
      }
    } catch (error) {
      const why = (error as Error).message;
      if (!READS.includes(operation.kind)) {
        // A full disk ends the transaction, and with it everything else in it.
        if (!this.#db.isTransaction) throw error;
        this.#unaudited = why;
      }
      return { kind: "failed", why };
    }
  }

  #doBucket(operation: BucketOperation): Outcome {
    const { bucket, ttlMs, now } = operation;
    const born = ttlMs === null ? Number.MIN_SAFE_INTEGER : now - ttlMs;
    if (operation.kind === "list") {
      const { prefix } = operation;
      const rows = prefix === ""
        ? this.#all.all(bucket, born)
        : this.#below.all(bucket, born, prefix, `${prefix}.`, `${prefix}/`);
      return { kind: "rows", rows: rows.map(asRow) };
    }
    const { key } = operation;
    const found = this.#get.get(bucket, born, key);
    if (operation.kind === "get") {
      return { kind: "rows", rows: found === undefined ? [] : [asRow(found)] };
    }
    const { ifRevision } = operation;
    if (ifRevision !== null && ifRevision !== (found === undefined ? 0 : asRow(found).revision)) {
      return { kind: "conflict" };
    }
    if (operation.kind === "delete") {
      this.#delete.run(bucket, key);
      return { kind: "written", revision: found === undefined ? null : asRow(found).revision };
    }
    if (ttlMs !== null && now - (this.#swept.get(bucket) ?? -Infinity) >= SWEEP_MS) {
      this.#sweep.run(bucket, born);
      this.#swept.set(bucket, now);
    }
    const { revision } = this.#put.get(bucket, key, operation.value, now) as unknown as Row;
    if (operation.audit === null) return { kind: "written", revision };
    const appended = this.#doTrail({ kind: "append", entry: operation.audit });
    return { kind: "written", revision, ...(appended.kind === "failed" ? { unaudited: appended.why } : {}) };
  }
}

/** Rows come without a prototype, which a message between threads does not mind; the fields are ours. */
function asRow(found: object): Row {
  const { key, value, revision } = found as Row;
  return { key, value, revision };
}

const databases = new Map<number, Database>();

async function answer(question: Question): Promise<Outcome[]> {
  switch (question.kind) {
    case "open":
      databases.set(question.database, new Database(question.path));
      return [];
    case "run":
      return databases.get(question.database)!.run(question.operations);
    case "snapshot":
      await databases.get(question.database)!.snapshot(question.path);
      return [];
    case "check":
      return [{ kind: "checked", ...checkDatabase(question.path, LAYOUT) }];
    case "close":
      databases.get(question.database)!.close();
      databases.delete(question.database);
      return [];
  }
}

/** The part of a worker's global scope that is used here; the DOM types that declare it are not loaded. */
const scope = self as unknown as {
  onmessage: ((event: MessageEvent<Question>) => void) | null;
  postMessage(answer: Answer): void;
};

scope.onmessage = async ({ data: question }) => {
  try {
    scope.postMessage({ id: question.id, outcomes: await answer(question) });
  } catch (error) {
    scope.postMessage({ id: question.id, failed: (error as Error).message });
  }
};
