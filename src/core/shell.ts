/** Words as a shell takes them. */

/** `octets`, one character for each, as one word of bash, zsh or ksh. Throws RangeError for a NUL, which no word can hold. */
export function quoteOctets(octets: string): string {
  return quote(octets, (char) => [char.charCodeAt(0)], /[^ -~]/g);
}

/** `text` as one word; what could harm a terminal is escaped. Throws RangeError for a NUL. */
export function quoteShell(text: string): string {
  return quote(text, (char) => encoder.encode(char), UNSAFE);
}

const encoder = new TextEncoder();

/** Controls, and what reorders or hides text. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const PLAIN = /^[\w:/.@%+,=-]+$/;

function quote(text: string, octetsOf: (char: string) => Iterable<number>, unsafe: RegExp): string {
  if (text.includes("\0")) throw new RangeError("a NUL in a word of a shell");
  if (PLAIN.test(text)) return text;
  if (text.search(unsafe) < 0) return `'${text.replaceAll("'", `'\\''`)}'`;
  const escaped = text.replace(/[\\']/g, "\\$&").replace(
    unsafe,
    (char) => ESCAPES[char] ?? hex(octetsOf(char)),
  );
  return `$'${escaped}'`;
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Two digits each: what follows is never taken for a third. */
function hex(octets: Iterable<number>): string {
  return [...octets].map((octet) => `\\x${octet.toString(16).padStart(2, "0")}`).join("");
}
