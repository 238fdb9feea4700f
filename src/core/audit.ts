/** The audit trail: what a record is, the chain that holds records together, and what shows that somebody touched it. */

/** What happened, before it has a place in the chain. All are text, so that a row and its bytes can't be read two ways. */
export interface AuditEntry {
  /** RFC 3339 UTC. */
  readonly at: string;
  /** Dotted words: `link.revoked`. */
  readonly type: string;
  /** Whose it is; empty: a daemon's, or the hub's own. */
  readonly workspace: string;
  /** Who did it: `socket`, `token:ci`, `hub:https://…`, `file`, `clock`. */
  readonly actor: string;
  /** What it was done to; of `link.*` the link's name, at a hub its id. */
  readonly subject: string;
  /** A JSON object. */
  readonly data: string;
}

/** One record of the chain. */
export interface AuditRecord extends AuditEntry {
  /** From 1, without gaps. */
  readonly seq: number;
  /** The hash of the record before, GENESIS of the first. */
  readonly prev: string;
  /** SHA-256 of everything else, in hex. */
  readonly hash: string;
}

/** A record as it was found, by hand or by whom it was written. */
export type AuditRow = { readonly [member in keyof AuditRecord]: unknown };

/** What is looked for; null: any. */
export interface AuditQuery {
  readonly limit: number;
  /** Only records before this one. */
  readonly before: number | null;
  /** One type, or all below it: `link` means `link.revoked` too. */
  readonly type: string | null;
  /** A link by what `subject` calls it. */
  readonly link: string | null;
  readonly workspace: string | null;
}

/** SHA-256 of the UTF-8 octets of a text, in hex. */
export type Digest = (text: string) => string;

/** Stands for the record before the first. */
export const GENESIS = "0".repeat(64);

/** Says that older records were dropped by age or number, and how the oldest that is left is joined to them. */
export const PRUNED = "audit.pruned";

/** The text whose digest is a record's hash: an array, so that nothing can move from one member to the next. */
export function chainText({ seq, prev, at, type, workspace, actor, subject, data }: AuditRow): string {
  return JSON.stringify([prev, seq, at, type, workspace, actor, subject, data]);
}

/** `entry` as the record `seq` behind the one whose hash is `prev`. */
export function chain(entry: AuditEntry, seq: number, prev: string, digest: Digest): AuditRecord {
  const { at, type, workspace, actor, subject, data } = entry;
  const unsealed = { seq, at, type, workspace, actor, subject, data, prev, hash: "" };
  return { ...unsealed, hash: digest(chainText(unsealed)) };
}

/** Where a trail stood: enough to see later that everything up to there is as it was. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** The entry that a pruning leaves: `last` is the newest record that goes. */
export function prunedEntry(at: string, { seq, hash }: Head): AuditEntry {
  const data = JSON.stringify({ through: seq, hash });
  return { at, type: PRUNED, workspace: "", actor: "clock", subject: "", data };
}

/** The newest record that was dropped on purpose, by the newest record of type PRUNED; null: none was. */
export function readPruned(row: AuditRow | null): Head | null {
  try {
    const { through, hash } = JSON.parse(String(row?.data)) as Record<string, unknown>;
    return typeof through === "number" && typeof hash === "string" ? { seq: through, hash } : null;
  } catch {
    return null;
  }
}

/** The first thing that is wrong with a trail. */
export interface Break {
  /** The record that shows it. */
  readonly seq: number;
  /** `edited`: not as it was written; `missing`: gone; `unlinked`: does not follow the one before; `head`: not what was noted. */
  readonly kind: "edited" | "missing" | "unlinked" | "head";
  /** A sentence for people. */
  readonly detail: string;
}

/** What else is known of a trail than its records. */
export interface Known {
  /** `readPruned` of its newest such record. */
  readonly pruned: Head | null;
  /** The largest number that was ever given. */
  readonly issued: number;
  /** Heads that were noted elsewhere. */
  readonly heads: readonly Head[];
}

/** Walks a trail from its oldest record to its newest; whatever is wrong is told once, where it shows first. */
export class Verification {
  records = 0;
  first: number | null = null;
  /** The newest record that was seen. */
  last: Head;
  readonly #known: Known;
  readonly #digest: Digest;

  constructor(known: Known, digest: Digest) {
    this.#known = known;
    this.#digest = digest;
    this.last = known.pruned ?? { seq: 0, hash: GENESIS };
  }

  /** Takes the next record. A value: it is the first broken one, and there is no point in going on. */
  next(row: AuditRow): Break | null {
    const seq = Number(row.seq), due = this.last.seq + 1;
    if (!(seq === due)) return this.first === null ? beginning(seq, due) : gap(due, seq);
    if (this.#digest(chainText({ ...row, seq })) !== row.hash) {
      return {
        seq,
        kind: "edited",
        detail: `record ${seq} is not as it was written: it was edited or moved`,
      };
    }
    if (row.prev !== this.last.hash) return unlinked(seq);
    this.records++;
    this.first ??= seq;
    this.last = { seq, hash: row.hash as string };
    const noted = this.#known.heads.find((head) => head.seq === seq && head.hash !== row.hash);
    if (noted === undefined) return null;
    const detail = `record ${seq} is another one than the head that was noted: the chain was made anew`;
    return { seq, kind: "head", detail };
  }

  /** No record follows. */
  end(): Break | null {
    const { seq } = this.last;
    const { issued, heads } = this.#known;
    const noted = Math.max(0, ...heads.map((head) => head.seq));
    if (noted > seq) {
      const detail =
        `the trail ends at record ${seq}, and a head of record ${noted} was noted: what came after is missing`;
      return { seq: seq + 1, kind: "head", detail };
    }
    if (issued <= seq) return null;
    return {
      seq: seq + 1,
      kind: "missing",
      detail: `${span(seq + 1, issued)} missing at the end of the trail`,
    };
  }

  /** Heads that say nothing, because their records were dropped by age or number since. */
  get unchecked(): number {
    return this.#known.heads.filter(({ seq }) => seq < (this.first ?? Infinity)).length;
  }
}

function unlinked(seq: number): Break {
  const detail = seq === 1
    ? "record 1 does not begin the trail: it was replaced"
    : `record ${seq} does not follow record ${seq - 1}: one of the two was replaced, or moved here`;
  return { seq, kind: "unlinked", detail };
}

function gap(due: number, seq: number): Break {
  return { seq: due, kind: "missing", detail: `${span(due, seq - 1)} missing` };
}

function beginning(seq: number, due: number): Break {
  if (seq < due) {
    const detail = `record ${seq} stands before record ${due}, with which the trail begins`;
    return { seq, kind: "unlinked", detail };
  }
  const detail = `${span(due, seq - 1)} missing at the beginning, and no retention dropped them`;
  return { seq: due, kind: "missing", detail };
}

function span(from: number, to: number): string {
  return from >= to ? `record ${from} is` : `records ${from} to ${to} are`;
}

/** A head as it is handed out, to be noted where whoever can write to the trail can not. */
export interface SignedHead extends Head {
  readonly at: string;
  /** The public key, SPKI DER in base64url. */
  readonly key: string;
  /** Ed25519 over `headText`, in base64url. */
  readonly signature: string;
}

/** What a head's signature is made over. */
export function headText({ seq, hash, at }: Pick<SignedHead, "seq" | "hash" | "at">): string {
  return `connectd audit head\n${seq}\n${hash}\n${at}\n`;
}

/** What a verification found. */
export interface Verdict {
  readonly ok: boolean;
  /** So many records are as they were written, from the oldest that is kept. */
  readonly records: number;
  /** The oldest that is kept, and the newest of those; null: there is none. */
  readonly first: number | null;
  readonly last: number | null;
  /** The hash of the newest of those. */
  readonly hash: string;
  /** Heads of records that retention has dropped since: they say nothing. */
  readonly unchecked: number;
  readonly broken: Break | null;
}
