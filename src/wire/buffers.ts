/** Buffers that wires and sessions hand to each other: taken to write frames into, given back once they are sent. */

/** The smallest: a sign of life fits, so that a thousand idle sessions that breathe together cost a MiB. */
const LEAST_BITS = 10;
/** Larger ones are made and left to the collector. */
const MOST_BITS = 19;
/** Of each size so many octets are kept, and two buffers at least. */
const KEPT = 512 * 1024;

const free: Uint8Array<ArrayBuffer>[][] = Array.from({ length: MOST_BITS + 1 }, () => []);

/** A buffer of `least` octets or more; what is in it is left from its last use. */
export function takeBuffer(least: number): Uint8Array<ArrayBuffer> {
  const bits = Math.max(LEAST_BITS, 32 - Math.clz32(least - 1));
  return (bits <= MOST_BITS ? free[bits].pop() : undefined) ?? new Uint8Array(2 ** bits);
}

/** Gives back a buffer that nobody looks at any more. */
export function giveBuffer(buffer: Uint8Array<ArrayBuffer>): void {
  const bits = 31 - Math.clz32(buffer.length);
  if (bits > MOST_BITS) return;
  const kept = free[bits];
  if (kept.length < Math.max(2, KEPT >>> bits)) kept.push(buffer);
}
