/** Byte buffers in a few sizes, lent and given back, so that traffic does not feed the garbage collector. */

/**
 * Each step is what a busy connection grows to next; a bulk transfer has the last. The first is for writes alone: a
 * small answer or a ping.
 */
const SIZES = [512, 2 * 1024, 16 * 1024, 64 * 1024, 256 * 1024] as const;

/** What an idle connection reads into: most heads fit. */
export const SMALLEST = SIZES[1];

/** How many octets of each size are kept for the next user; what is given back beyond that goes to the collector. */
const KEPT = 4 * 1024 * 1024;

const free: Uint8Array<ArrayBuffer>[][] = SIZES.map(() => []);

/** A buffer of at least `size` octets, or of the largest size there is. Its content is anybody's. */
export function lend(size: number): Uint8Array<ArrayBuffer> {
  let step = 0;
  while (step < SIZES.length - 1 && SIZES[step] < size) step++;
  return free[step].pop() ?? new Uint8Array(SIZES[step]);
}

/** The size that follows `size`, at most `max`. */
export function nextSize(size: number, max: number): number {
  for (const step of SIZES) {
    if (step > size) return Math.min(step, max);
  }
  return Math.min(size, max);
}

/** Takes back what `lend` gave. Nobody may touch it any more: not even an operation that is still under way. */
export function giveBack(buffer: Uint8Array<ArrayBuffer>): void {
  const step = SIZES.indexOf(buffer.length as typeof SIZES[number]);
  if (free[step].length * buffer.length < KEPT) free[step].push(buffer);
}
