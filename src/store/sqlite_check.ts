/** Whether a database file holds a whole store, and what is in it: in the worker, for backups. */
import { DatabaseSync } from "node:sqlite";
import { type Break, readPruned, Verification } from "../core/audit.ts";
import { AuditTable, sha256 } from "./sqlite_audit.ts";

/** What a file holds. */
export interface Contents {
  /** Values by bucket. */
  readonly entries: Readonly<Record<string, number>>;
  /** Records of the audit trail. */
  readonly records: number;
  /** When the newest of them was written (RFC 3339); null: there is none. */
  readonly newest: string | null;
  /** What is wrong with the trail; null: nothing. */
  readonly broken: Break | null;
}

const PIECE = 500;

/** Reads the whole file at `path`, and changes nothing of it. Throws where it is damaged, or no store that this version reads. */
export function checkDatabase(path: string, layout: number): Contents {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const { user_version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    if (user_version > layout) throw new Error(newer(user_version));
    const [{ integrity_check }] = db.prepare("PRAGMA integrity_check(1)").all() as {
      integrity_check: string;
    }[];
    if (integrity_check !== "ok") throw new Error(`malformed: ${integrity_check.split("\n").pop()}`);
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all().map(({ name }) =>
      name
    );
    if (!tables.includes("entries")) throw new Error("no table of values");
    const rows = db.prepare("SELECT bucket, count(*) AS n FROM entries GROUP BY bucket ORDER BY bucket")
      .all();
    const entries = Object.fromEntries(rows.map(({ bucket, n }) => [String(bucket), Number(n)]));
    const trail = tables.includes("audit") ? checkTrail(new AuditTable(db)) : NO_TRAIL;
    return { entries, ...trail };
  } finally {
    db.close();
  }
}

/** Why a file of layout `found` is left alone. */
export function newer(found: number): string {
  return `made by a newer connectd (layout ${found})`;
}

const NO_TRAIL = { records: 0, newest: null, broken: null };

function checkTrail(trail: AuditTable): Omit<Contents, "entries"> {
  const { last, pruned, issued } = trail.ends();
  const check = new Verification({ pruned: readPruned(pruned), issued, heads: [] }, sha256);
  return {
    broken: walk(trail, check),
    records: check.records,
    newest: last === null ? null : String(last.at),
  };
}

function walk(trail: AuditTable, check: Verification): Break | null {
  for (let from: number | null = null;;) {
    const rows = trail.walk(from, PIECE);
    for (const row of rows) {
      const broken = check.next(row);
      if (broken !== null) return broken;
    }
    if (rows.length < PIECE) return check.end();
    from = Number(rows[rows.length - 1].seq) + 1;
  }
}
