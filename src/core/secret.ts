/** Credentials: a type that does not print, and a comparison that does not tell where two differ. */

const HIDDEN = "***";

/** A credential. Every way of printing it gives `***`; `expose()` gives it out, and is easy to search for. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The credential itself: to send it or to hash it, never to print it. */
  expose(): string {
    return this.#text;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  /** What console.log and inspect ask, of Deno as of node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return HIDDEN;
  }
}

/**
 * True where both hold the same bytes. The time depends on the length alone; give it digests, so that the length says
 * nothing either.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let differ = 0;
  for (let i = 0; i < a.length; i++) differ |= a[i] ^ b[i];
  return differ === 0;
}
