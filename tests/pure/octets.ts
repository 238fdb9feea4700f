/** Octets to be read in pieces, and to be spoiled. */
import type { Random } from "./random.ts";

/** One buffer after another. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Where to cut so many octets: mostly nowhere or in a few places, now and then everywhere. Ends with `length`. */
export function cuts(random: Random, length: number): number[] {
  if (length < 200 && random.below(8) === 0) return Array.from({ length }, (_, i) => i + 1);
  const places = Array.from({ length: random.below(6) }, () => random.below(length + 1));
  return [...places.sort((a, b) => a - b), length];
}

/**
 * Hands on bytes piece by piece. Each lies in a buffer of its own, among octets of others, and is spoilt afterwards:
 * nothing may be kept by reference.
 */
export function inPieces(
  bytes: Uint8Array,
  places: readonly number[],
  read: (piece: Uint8Array, from: number, to: number) => void,
): void {
  let from = 0;
  for (const to of places) {
    const before = 1 + (from & 3), length = to - from;
    const piece = new Uint8Array(before + length + 1).fill(0x21);
    piece.set(bytes.subarray(from, to), before);
    read(piece, before, before + length);
    piece.fill(0x21);
    from = to;
  }
}

/** Up to three octets changed, put in, left out, or the end cut off. */
export function spoiled(random: Random, bytes: Uint8Array): Uint8Array {
  for (let n = random.below(4); n > 0 && bytes.length > 0; n--) {
    const at = random.below(bytes.length);
    switch (random.below(4)) {
      case 0:
        bytes[at] ^= 1 << random.below(8);
        break;
      case 1:
        bytes[at] = random.of([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
        break;
      case 2:
        bytes = joined([bytes.subarray(0, at), Uint8Array.of(random.below(256)), bytes.subarray(at)]);
        break;
      case 3:
        bytes = random.below(2) === 0
          ? bytes.slice(0, at)
          : joined([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(3))]);
    }
  }
  return bytes;
}

/** `length` octets of no meaning. */
export function noise(random: Random, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  // Long ones are as good when they repeat themselves, and made much sooner.
  const fresh = Math.min(length, 64);
  for (let i = 0; i < fresh; i++) bytes[i] = random.below(256);
  for (let at = fresh; at < length; at += fresh) bytes.copyWithin(at, 0, Math.min(fresh, length - at));
  return bytes;
}
