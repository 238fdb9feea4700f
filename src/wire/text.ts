/** Text straight into a buffer. */
const encoder = new TextEncoder();

/** Writes `text`, which holds no character above U+00FF, octet for character to bytes[at…]. */
export function writeText(bytes: Uint8Array, at: number, text: string): void {
  const { length } = text;
  const { read, written } = encoder.encodeInto(text, bytes.subarray(at, at + length));
  // ASCII, nearly always, comes out right; else UTF-8 was longer, and it is done again by hand.
  if (read === length && written === length) return;
  for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
}
