/** What a process may hold while bodies stand still, in MiB: derived from the windows, not from what was seen. */
import { CROWDED_WINDOW, MAX_WINDOW, SESSION_CAP } from "../../../src/core/flow.ts";

const MIB = 1024 * 1024;

/** A reader of octets and a batch of them are at most this large. */
const BUFFER = 64 * 1024;

/** A daemon's sessions with its hub. */
const SESSIONS = 2;

/**
 * Whatever moved before a body stood still is garbage that V8 has not collected: it begins when so many octets outside of
 * its heap were allotted since the last time.
 */
const GARBAGE_MIB = 32;

/** Over what is derived: heads, streams, promises. */
const SHARE = 1.1;

/** One body: a window where its reader is, a batch that is not full, and less where it comes from. */
export const ONE_MIB = (MAX_WINDOW + BUFFER) / MIB * SHARE + GARBAGE_MIB / 2;

/**
 * So many bodies, for the side that has their octets: a session's windows grow up to its cap and by one doubling more,
 * whoever comes above it begins with less and goes to what is usual in a crowd; and each has a batch that is not full.
 */
export function holdsMiB(bodies: number): number {
  const grown = SESSIONS * (SESSION_CAP + MAX_WINDOW / 2);
  return (grown + bodies * (CROWDED_WINDOW + BUFFER)) / MIB * SHARE + GARBAGE_MIB;
}

/** The same for the side that has no credit to pass them on: what it read last, and a batch of each session. */
export function offersMiB(bodies: number): number {
  return bodies * 2 * BUFFER / MIB * SHARE + GARBAGE_MIB;
}
