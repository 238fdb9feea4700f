/** Where a trail is read, its heads are signed, and its chain is checked: the same for hub and daemon, running or not. */
import type { Clock } from "../clock.ts";
import {
  type AuditQuery,
  type AuditRow,
  type Break,
  GENESIS,
  type Head,
  readPruned,
  type SignedHead,
  type Verdict,
  Verification,
} from "../core/audit.ts";
import { Failure } from "../core/errors.ts";
import { AuditKey, isSigned } from "./audit_key.ts";
import { sha256 } from "./sqlite_audit.ts";
import type { Trail } from "./store.ts";

/** Checked in pieces, so that others get their turn in between. */
const PIECE = 500;

export class AuditDesk {
  readonly #trail: Trail;
  readonly #folder: string | null;
  readonly #clock: Clock;

  /** `folder`: the state directory, which holds the key; null: there is none, and no head can be signed. */
  constructor(trail: Trail, folder: string | null, clock: Clock) {
    this.#trail = trail;
    this.#folder = folder;
    this.#clock = clock;
  }

  /** The newest first. Throws Failure. */
  list(query: AuditQuery): Promise<AuditRow[]> {
    return this.#trail.list(query);
  }

  /** Where the trail stands now. Throws Failure. */
  async head(): Promise<SignedHead> {
    const { last } = await this.#trail.ends();
    const head: Head = last === null
      ? { seq: 0, hash: GENESIS }
      : { seq: Number(last.seq), hash: String(last.hash) };
    return (await this.#key()).sign(head, new Date(this.#clock.now()).toISOString());
  }

  /** Checks the whole chain, and that it holds what `heads` noted of it. Throws Failure where it can't be read. */
  async verify(heads: readonly SignedHead[]): Promise<Verdict> {
    const forged = heads.length === 0 ? null : await this.#forged(heads);
    for (;;) {
      const { pruned, issued } = await this.#trail.ends();
      const check = new Verification({ pruned: readPruned(pruned), issued, heads }, sha256);
      const found = await this.#walk(check);
      // What was dropped meanwhile is not there, and it is nobody's fault.
      if (found !== null && (await this.#trail.ends()).pruned?.seq !== pruned?.seq) continue;
      const broken = forged ?? found;
      const { records, first, last, unchecked } = check;
      return {
        ok: broken === null,
        records,
        first,
        last: first === null ? null : last.seq,
        hash: last.hash,
        unchecked,
        broken,
      };
    }
  }

  async #walk(check: Verification): Promise<Break | null> {
    let from: number | null = null;
    for (;;) {
      const rows: AuditRow[] = await this.#trail.walk(from, PIECE);
      for (const row of rows) {
        const broken = check.next(row);
        if (broken !== null) return broken;
      }
      if (rows.length < PIECE) return check.end();
      from = Number(rows[rows.length - 1].seq) + 1;
    }
  }

  /** A head that nobody may be held to. */
  async #forged(heads: readonly SignedHead[]): Promise<Break | null> {
    const key = await this.#key();
    for (const head of heads) {
      const { seq } = head;
      if (!isSigned(head)) {
        const detail =
          `the head of record ${seq} is not what its key signed: it was edited where it was noted`;
        return { seq, kind: "head", detail };
      }
      if (head.key !== key.public) {
        const detail =
          `the head of record ${seq} is signed by another key: it is of another trail, or the key was replaced`;
        return { seq, kind: "head", detail };
      }
    }
    return null;
  }

  #key(): Promise<AuditKey> {
    if (this.#folder !== null) return AuditKey.open(this.#folder);
    throw new Failure("this trail has no state directory, and so no key that signs its heads");
  }
}
