/** What an octet may be part of: one table, asked once for every octet of a head. */

export const TOKEN = 1, TEXT = 2, TARGET = 4, METHOD = 8;

/** For each octet the sum of what it may be part of. */
export const CLASS = new Uint8Array(256);

for (let octet = 0; octet < 256; octet++) {
  const char = String.fromCharCode(octet);
  // RFC 9110 §5.6.2.
  if (/[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(char)) CLASS[octet] |= TOKEN;
  // RFC 9110 §5.5: HTAB, SP, what is visible, and obs-text.
  if (octet === 0x09 || (octet >= 0x20 && octet !== 0x7f)) CLASS[octet] |= TEXT;
  if (octet >= 0x21 && octet <= 0x7e && char !== "#") CLASS[octet] |= TARGET;
  if (/[A-Z0-9-]/.test(char)) CLASS[octet] |= METHOD;
}

export const TAB = 0x09, LF = 0x0a, CR = 0x0d, SPACE = 0x20, QUOTE = 0x22, DASH = 0x2d, SLASH = 0x2f;
export const ZERO = 0x30, NINE = 0x39, COLON = 0x3a, SEMICOLON = 0x3b, EQUALS = 0x3d;
export const UPPER_A = 0x41, UPPER_Z = 0x5a, BACKSLASH = 0x5c, UNDERSCORE = 0x5f, LOWER_A = 0x61;

/** True where `octet` may be part of `kind`. */
export function is(octet: number, kind: number): boolean {
  return (CLASS[octet] & kind) !== 0;
}

/** The first octet of bytes[from, to) that is no part of `kind`, else `to`. */
export function skip(bytes: Uint8Array, from: number, to: number, kind: number): number {
  while (from < to && (CLASS[bytes[from]] & kind) !== 0) from++;
  return from;
}

/** The value of a hex digit, else -1. */
export function hexDigit(octet: number): number {
  if (octet >= ZERO && octet <= NINE) return octet - ZERO;
  const lower = octet | 0x20;
  return lower >= LOWER_A && lower < LOWER_A + 6 ? lower - LOWER_A + 10 : -1;
}

/** `n` with another digit behind it, or -1 beyond 2^53, up to where a number counts octets exactly. */
export function appended(n: number, digit: number, base: number): number {
  return n > (2 ** 53 - digit) / base ? -1 : n * base + digit;
}
