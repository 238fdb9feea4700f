/** The life of a link: what its record and its entry say about now. Pure; the daemon keeps the records. */
import type { Entry } from "./entry.ts";

/** What a link is in, everywhere in the same words (product §2). */
export type LinkState = "pending" | "active" | "offline" | "expired" | "revoked" | "error";

/** The part of an entry that its end is counted by. */
export type Term = Pick<Entry, "ttlMs" | "until" | "maxUses">;

/** A public id that is this link's no more, and the answer it has. */
export interface PastId {
  readonly hub: string;
  readonly id: string;
  readonly code: "link_removed" | "link_revoked" | "link_expired";
}

/** What is stored of a link beside its entry. Times in ms since 1970. Replaced whole, never changed. */
export interface LinkRecord {
  /** First activation, or the last renewal; null: not yet active. */
  readonly activatedAt: number | null;
  /** When the last renewal was asked for, or a subdomain became its: a revocation that is older is settled. */
  readonly renewedAt: number | null;
  readonly revokedAt: number | null;
  /** When it was seen to have ended by `term`; holds until `term` is edited, whatever the clock does. */
  readonly expiredAt: number | null;
  /** The entry's term when it was last seen. */
  readonly term: Term;
  /** The ttl that a renewal asked for: it stands in for `term` until that is edited. */
  readonly renewed: { readonly ttlMs: number | null } | null;
  /** Requests admitted since `activatedAt`, while `term.maxUses` was there to count them for. */
  readonly used: number;
  /** Hub → the public id there. */
  readonly ids: Readonly<Record<string, string>>;
  /** Hub → the id it was on before a fresh one was asked for; the hub has not answered yet. */
  readonly owed: Readonly<Record<string, string>>;
  readonly past: readonly PastId[];
}

/** Past ids that a record keeps; the hubs' own tombstones outlive it. */
const PAST_MAX = 100;

/** The record of a link that was never seen. */
export function newRecord(term: Term): LinkRecord {
  return {
    activatedAt: null,
    renewedAt: null,
    revokedAt: null,
    expiredAt: null,
    term: termOf(term),
    renewed: null,
    used: 0,
    ids: {},
    owed: {},
    past: [],
  };
}

/** When it ends, ms since 1970; null: never, or not before it is activated. */
export function expiresAt(record: LinkRecord): number | null {
  if (record.renewed === null && record.term.until !== null) return record.term.until;
  const { ttlMs } = record.renewed ?? record.term;
  return ttlMs === null || record.activatedAt === null ? null : record.activatedAt + ttlMs;
}

/** Why it serves nobody at `now`; null: it may. Revoked goes before expired. */
export function endedAs(record: LinkRecord, now: number): "revoked" | "expired" | null {
  if (record.revokedAt !== null) return "revoked";
  if (record.expiredAt !== null || usesLeft(record) === 0) return "expired";
  const end = expiresAt(record);
  return end !== null && end <= now ? "expired" : null;
}

/** True where an edit to `term` at `now` ends, by the clock, a link that serves: what is in flight is cut. */
export function wouldEnd(record: LinkRecord, term: Term, now: number): boolean {
  if (endedAs(record, now) !== null) return false;
  const end = expiresAt(settle(record, term, now));
  return end !== null && end <= now;
}

/** Requests that it still admits; null: any number. */
export function usesLeft({ term, used }: LinkRecord): number | null {
  return term.maxUses === null ? null : Math.max(0, term.maxUses - used);
}

/** One more request was admitted (`n` 1), or one that was taken for admitted went nowhere (-1). */
export function use(record: LinkRecord, n: 1 | -1): LinkRecord {
  return { ...record, used: Math.max(0, record.used + n) };
}

/**
 * The record at `now` under an entry of `term`: an edited term lifts an earlier expiry, an edited end by the clock also a
 * renewal's ttl; the activation and the uses stay; an end that has come is written down. The same object where nothing
 * changes.
 */
export function settle(record: LinkRecord, term: Term, now: number): LinkRecord {
  const rescheduled = record.term.ttlMs !== term.ttlMs || record.term.until !== term.until;
  const edited = rescheduled || record.term.maxUses !== term.maxUses;
  const renewed = rescheduled ? null : record.renewed;
  const seen = edited ? { ...record, term: termOf(term), expiredAt: null, renewed } : record;
  if (endedAs(seen, now) !== "expired" || seen.expiredAt !== null) return seen;
  return { ...seen, expiredAt: usesLeft(seen) === 0 ? now : expiresAt(seen) };
}

/** The record of a link that is active now; only the first time counts. */
export function activate(record: LinkRecord, now: number): LinkRecord {
  return record.activatedAt === null ? { ...record, activatedAt: now } : record;
}

/**
 * Revoked as of `at`, heard of at `now`. Again changes nothing, and one from before the last renewal is settled, unless
 * that renewal is still to come: then the clock was set back, and which of the two was first nobody can tell. `life`: the
 * `activatedAt` that it was made for, null: not known; of this life it is, whatever a clock elsewhere said then.
 */
export function revoke(record: LinkRecord, at: number, now = at, life: number | null = null): LinkRecord {
  const { revokedAt, renewedAt, activatedAt } = record;
  const meant = life !== null && life === activatedAt;
  const settled = !meant && renewedAt !== null && at < renewedAt && renewedAt <= now;
  return revokedAt !== null || settled ? record : { ...record, revokedAt: at };
}

/**
 * Begins anew at `now`, also after a revocation. `ttlMs` undefined: what the entry says counts. `askedAt`: by the clock of a
 * hub that asked for it, whose revocations since then count, however late this is.
 */
export function renew(
  record: LinkRecord,
  now: number,
  ttlMs?: number | null,
  askedAt: number | null = null,
): LinkRecord {
  return {
    ...record,
    activatedAt: now,
    renewedAt: Math.min(now, askedAt ?? now),
    revokedAt: null,
    expiredAt: null,
    renewed: ttlMs === undefined ? null : { ttlMs },
    used: 0,
  };
}

/**
 * `record` without the renewal that made `renewed` of `before`, and that could not be stored. What came after it stays:
 * an end, uses, another renewal, ids that a hub gave.
 */
export function unrenew(record: LinkRecord, renewed: LinkRecord, before: LinkRecord): LinkRecord {
  if (record.renewedAt !== renewed.renewedAt) return record;
  const { ids, owed, past } = record.ids === renewed.ids ? before : record;
  const { activatedAt, renewedAt, expiredAt, renewed: term } = before;
  return {
    ...record,
    activatedAt,
    renewedAt,
    revokedAt: before.revokedAt ?? record.revokedAt,
    expiredAt,
    renewed: term,
    used: before.used + record.used,
    ids,
    owed,
    past,
  };
}

/** Gives up its public ids, which answer `code` from now on; every hub owes it a fresh one. */
export function giveUpIds(record: LinkRecord, code: PastId["code"]): LinkRecord {
  const past = Object.entries(record.ids).map(([hub, id]) => ({ hub, id, code }));
  return {
    ...record,
    ids: {},
    owed: { ...record.owed, ...record.ids },
    past: [...record.past, ...past].slice(-PAST_MAX),
  };
}

/** Takes `id`, which `hub` granted. An answer that came before the hub heard of a wish for a fresh id changes nothing. */
export function takeId(record: LinkRecord, hub: string, id: string): LinkRecord {
  if (record.ids[hub] === id || record.owed[hub] === id) return record;
  const { [hub]: _paid, ...owed } = record.owed;
  const before = record.ids[hub];
  // A subdomain was edited: the hub gave the link another name.
  const past: PastId[] = before === undefined ? [] : [{ hub, id: before, code: "link_removed" }];
  return {
    ...record,
    ids: { ...record.ids, [hub]: id },
    owed,
    past: [...record.past.filter((old) => old.hub !== hub || old.id !== id), ...past].slice(-PAST_MAX),
  };
}

/** Checks a stored record. Throws TypeError on what is none. */
export function readRecord(value: unknown): LinkRecord {
  const record = value as LinkRecord;
  if (
    typeof record !== "object" || record === null || typeof record.term !== "object" || record.term === null
  ) {
    throw new TypeError("a stored record is no record of a link");
  }
  // What a later version does not know yet, or an earlier one did not write, is absent.
  return { ...newRecord(record.term), ...record, term: termOf(record.term) };
}

/** Records of before links had uses say nothing of them. */
function termOf({ ttlMs, until, maxUses }: Omit<Term, "maxUses"> & Partial<Term>): Term {
  return { ttlMs, until, maxUses: maxUses ?? null };
}
