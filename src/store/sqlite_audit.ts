/** The table of the audit trail, in the worker: one row a record, chained where writing is serialised. */
import { createHash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  type AuditEntry,
  type AuditQuery,
  type AuditRow,
  chain,
  GENESIS,
  type Head,
  PRUNED,
  prunedEntry,
} from "../core/audit.ts";
import type { TrailEnds } from "./store.ts";

/** SHA-256 in hex. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Pruned in pieces: everybody waits for this worker. */
const PRUNED_AT_ONCE = 10_000;

const TEXTS = ["at", "type", "workspace", "actor", "subject", "data", "prev", "hash"] as const;

/** What somebody else wrote is read as it is: a number may be one that this runtime refuses, a text may hide behind a NUL. */
const MEMBERS = [
  "CAST(seq AS TEXT) AS seq",
  ...TEXTS.map((name) =>
    `CASE WHEN instr(CAST(${name} AS BLOB), x'00') THEN CAST(${name} AS BLOB) ELSE ${name} END AS ${name}`
  ),
].join(", ");

export class AuditTable {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #newest: StatementSync;
  readonly #issued: StatementSync;
  readonly #largest: StatementSync;
  readonly #after: StatementSync;
  readonly #lastOf: StatementSync;
  /** What the next record follows. Kept, so that nobody can give it another past while this runs; set back by who undoes. */
  head: Head;

  /** Throws where the table is not as it was made. */
  constructor(db: DatabaseSync) {
    this.#db = db;
    // AUTOINCREMENT remembers the largest number outside the table: a cut at its end shows.
    db.exec(`CREATE TABLE IF NOT EXISTS audit (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, type TEXT NOT NULL, workspace TEXT NOT NULL,
      actor TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL)`);
    this.#insert = db.prepare(
      `INSERT INTO audit (seq, ${TEXTS.join(", ")}) VALUES (?${", ?".repeat(TEXTS.length)})`,
    );
    this.#newest = db.prepare(`SELECT ${MEMBERS} FROM audit ORDER BY audit.seq DESC LIMIT 1`);
    this.#issued = db.prepare("SELECT CAST(seq AS TEXT) AS seq FROM sqlite_sequence WHERE name = 'audit'");
    this.#largest = db.prepare("SELECT CAST(max(seq) AS TEXT) AS seq FROM audit");
    this.#after = db.prepare(
      `SELECT ${MEMBERS} FROM audit WHERE audit.seq >= ? ORDER BY audit.seq LIMIT ?`,
    );
    this.#lastOf = db.prepare(
      `SELECT ${MEMBERS} FROM audit WHERE type = ? ORDER BY audit.seq DESC LIMIT 1`,
    );
    const { last, issued } = this.ends();
    this.head = { seq: issued, hash: typeof last?.hash === "string" ? last.hash : GENESIS };
  }

  append(entry: AuditEntry): void {
    // A row that somebody put in here meanwhile is stepped over; that it does not belong there, its link shows.
    const record = chain(
      entry,
      Math.max(this.head.seq, this.#number(this.#largest)) + 1,
      this.head.hash,
      sha256,
    );
    const { seq, hash } = record;
    this.#insert.run(seq, ...TEXTS.map((name) => record[name]));
    this.head = { seq, hash };
  }

  list({ limit, before, type, link, workspace }: AuditQuery): AuditRow[] {
    const where: [sql: string, values: (string | number)[]][] = [["true", []]];
    if (before !== null) where.push(["audit.seq < ?", [before]]);
    // What is below `link` lies between `link.` and `link/`, the next character after the dot.
    if (type !== null) where.push(["(type = ? OR (type > ? AND type < ?))", [type, `${type}.`, `${type}/`]]);
    if (link !== null) where.push(["type > 'link.' AND type < 'link/' AND subject = ?", [link]]);
    if (workspace !== null) where.push(["workspace = ?", [workspace]]);
    const conditions = where.map(([sql]) => sql).join(" AND ");
    const sql = `SELECT ${MEMBERS} FROM audit WHERE ${conditions} ORDER BY audit.seq DESC LIMIT ?`;
    return this.#db.prepare(sql).all(...where.flatMap(([, values]) => values), limit).map(asAuditRow);
  }

  /** From record `from` (null: the oldest) on, the oldest first. */
  walk(from: number | null, limit: number): AuditRow[] {
    // A row before the first that can be is not overlooked.
    return this.#after.all(from ?? -(2n ** 63n), limit).map(asAuditRow);
  }

  ends(): TrailEnds {
    const last = this.#newest.get(), pruned = this.#lastOf.get(PRUNED);
    return {
      last: last === undefined ? null : asAuditRow(last),
      pruned: pruned === undefined ? null : asAuditRow(pruned),
      issued: Math.max(this.#number(this.#issued), Number(last?.seq ?? 0)),
    };
  }

  /**
   * Drops what is older than `before`, and the oldest of more than `most`; the newest record stays. A record of it
   * holds what is left to what went. `at`: now.
   */
  prune(before: string, most: number, at: string): void {
    const oldest = this.#db.prepare("SELECT seq FROM audit ORDER BY seq LIMIT 1").get()?.seq as number ?? 1;
    const young = this.#db.prepare("SELECT seq FROM audit WHERE at >= ? ORDER BY seq LIMIT 1").get(before);
    const newest = this.#number(this.#largest);
    const through = Math.min(
      Math.max(newest - most, (young?.seq as number ?? newest) - 1),
      oldest + PRUNED_AT_ONCE,
    );
    const last = this.#db.prepare(
      `SELECT ${MEMBERS} FROM audit WHERE audit.seq <= ? ORDER BY audit.seq DESC LIMIT 1`,
    ).get(through);
    if (last === undefined) return;
    const { head } = this;
    this.#db.exec("SAVEPOINT pruning");
    try {
      this.append(prunedEntry(at, { seq: Number(last.seq), hash: String(last.hash) }));
      this.#db.prepare("DELETE FROM audit WHERE seq <= ?").run(through);
      this.#db.exec("RELEASE pruning");
    } catch (error) {
      // Half of it would look like somebody's work.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK TO pruning; RELEASE pruning");
      this.head = head;
      throw error;
    }
  }

  #number(of: StatementSync): number {
    return Number(of.get()?.seq ?? 0) || 0;
  }
}

/** Rows come without a prototype, which a message between threads does not mind. */
function asAuditRow(found: object): AuditRow {
  const { seq, at, type, workspace, actor, subject, data, prev, hash } = found as AuditRow;
  return { seq: Number(seq), at, type, workspace, actor, subject, data, prev, hash };
}
