/** HTTP's heads as text: one character for each octet (ISO 8859-1), so that what was read can be sent again. */
import { Buffer } from "node:buffer";

const slice = Buffer.prototype.latin1Slice;
const encoder = new TextEncoder();

/** bytes[from, to) as text. */
export function latin1(bytes: Uint8Array, from = 0, to = bytes.length): string {
  return slice.call(bytes, from, to);
}

/** The octets of `text`, which holds no character above U+00FF. */
export function toBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  const { read, written } = encoder.encodeInto(text, bytes);
  // ASCII comes out octet for character; else it is done again, one by one.
  if (read === text.length && written === text.length) return bytes;
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
