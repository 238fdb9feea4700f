/** Headers of the PROXY protocol, version 2, written octet by octet. */
import { crc32c } from "../../src/core/crc32c.ts";

export const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

export const IPV4 = [203, 0, 113, 7, 10, 0, 0, 1, 0x12, 0x67, 0x01, 0xbb];
export const IPV6 = [
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0x12, 0x67, 0x01, 0xbb],
];
export const MAPPED = [
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 7],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1],
  ...[0x12, 0x67, 0x01, 0xbb],
];

/** A header; `length`: what it says of the octets behind its first sixteen, where that is not what they are. */
export function header(
  o: { kind?: number; family?: number; rest?: readonly number[]; length?: number } = {},
): Uint8Array<ArrayBuffer> {
  const { kind = 0x21, family = 0x11, rest = IPV4 } = o;
  const length = o.length ?? rest.length;
  return Uint8Array.from([...SIGNATURE, kind, family, length >> 8, length & 255, ...rest]);
}

/** An extra: its type, its length, its value. */
export function extra(type: number, value: readonly number[]): number[] {
  return [type, value.length >> 8, value.length & 255, ...value];
}

/** A header with `extras` that ends in its checksum; `off` is added to that. */
export function summed(extras: readonly number[] = [], off = 0): Uint8Array<ArrayBuffer> {
  const bytes = header({ rest: [...IPV4, ...extras, ...extra(3, [0, 0, 0, 0])] });
  new DataView(bytes.buffer).setUint32(bytes.length - 4, (crc32c(bytes) + off) >>> 0);
  return bytes;
}
