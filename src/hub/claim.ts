/** Who may have a name. Pure: a record, who asks, what is known of the holder. */
import type { NameRecord } from "./link.ts";

/** Who asks for a name. */
export interface Claimant {
  readonly workspace: string;
  readonly daemon: string;
  /** The name of the link. */
  readonly name: string;
}

/** What is known of the holder at this moment. */
export interface Holder {
  readonly online: boolean;
  /** It has been away so long that another daemon of its workspace may have its names. */
  readonly yields: boolean;
}

/** `own`: it is the claimant's already; `free`: it may change hands; `taken`: it may not. */
export type ClaimVerdict = "own" | "free" | "taken";

/** A workspace keeps a subdomain so long after it was last declared. */
export const HOLD_MS = 30 * 24 * 3_600_000;

/** Judges a claim to the id of `record` at `now`, ms since 1970. */
export function judgeClaim(record: NameRecord, by: Claimant, holder: Holder, now: number): ClaimVerdict {
  const { workspace, daemon, name } = record;
  if (workspace === by.workspace && daemon === by.daemon) {
    if (name === by.name) return "own";
    // Its daemon renamed the link, or moved the subdomain to another one.
    return record.subdomain && !record.declared ? "free" : "taken";
  }
  if (!record.subdomain) return "taken";
  if (workspace === by.workspace) return holder.yields ? "free" : "taken";
  return !holder.online && record.declaredAt + HOLD_MS <= now ? "free" : "taken";
}
