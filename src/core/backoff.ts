/** How long to wait before dialling again. */

/** The first delay that is one; small, because visitors wait for a daemon to come back. */
const FIRST_MS = 250;
/** At most so far apart during the first minute without a session, while an outage is likely a restart … */
const SOON_MS = 4_000, SOON_FOR_MS = 60_000;
/** … and ever after. */
const LATER_MS = 15_000;

/**
 * Milliseconds until the next attempt: none at first, then doubling. `attempts`: how many have failed since the last
 * session; `downMs`: since when there is none; `random`: from 0, less than 1, takes off up to half, so that daemons
 * which lost one hub together do not come back together.
 */
export function redialDelay(attempts: number, downMs: number, random: number): number {
  if (attempts === 0) return 0;
  const most = downMs < SOON_FOR_MS ? SOON_MS : LATER_MS;
  return Math.min(most, FIRST_MS * 2 ** (attempts - 1)) * (1 - random / 2);
}
