/** How long to wait before dialling again, and for an attempt. */

/** The first delay that is one; small, because visitors wait for a daemon to come back. */
const FIRST_MS = 250;

/**
 * How far apart attempts are at most, by how long there is no session. A hub's restart, a lost connection: over within
 * seconds, and visitors wait as long (GAP_MS of the hub). Then an outage: soon noticed to be over, while it is young.
 */
const APART: readonly (readonly [forMs: number, apartMs: number])[] = [
  [5_000, 1_000],
  [60_000, 4_000],
  [Infinity, 15_000],
];

/** An attempt that has not come to anything by then won't: from the first packet to the hub's 101. */
const ATTEMPT_MS = 4_000;

/**
 * One that was begun while the network was away may wait for what is lost; so in the first seconds there is soon another.
 * Not where round trips are known to take so long that it would have come to something: there are five in an attempt.
 */
const HASTY_MS = 1_500, HASTY_ROUND_TRIPS = 10;

/**
 * Milliseconds until the next attempt, counted from the beginning of the last: none at first, then doubling. `attempts`:
 * how many have failed since the last session; `downMs`: how long there was none when the last one began; `random`: from 0,
 * less than 1, takes off up to half, so that daemons which lost one hub together do not come back together.
 */
export function redialDelay(attempts: number, downMs: number, random: number): number {
  if (attempts === 0) return 0;
  const [, most] = APART.find(([forMs]) => downMs < forMs)!;
  return Math.min(most, FIRST_MS * 2 ** (attempts - 1)) * (1 - random / 2);
}

/** Milliseconds that an attempt may take. `rttMs`: of the last session; null: there was none, or it was not measured. */
export function attemptMs(downMs: number, rttMs: number | null): number {
  if (rttMs === null || downMs >= APART[0][0]) return ATTEMPT_MS;
  return Math.min(ATTEMPT_MS, Math.max(HASTY_MS, HASTY_ROUND_TRIPS * rttMs));
}
