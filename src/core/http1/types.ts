/** What an HTTP/1.1 message says before its body (RFC 9112), as it stood on the wire. */
import { type Field } from "../errors.ts";

/** How large a head or a trailer section may be; a request's target too. */
export interface Limits {
  /** Octets up to the empty line. */
  readonly head: number;
  readonly fields: number;
  /** Octets of the request target. */
  readonly target: number;
}

export const LIMITS: Limits = { head: 64 * 1024, fields: 100, target: 16 * 1024 };

/** Where a message ends (RFC 9112 §6.3). */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" };

export interface Head {
  /** The whole head as it was read, Latin-1, the final empty line included. */
  readonly raw: string;
  /** In order and case, repeats kept; values without the white space around them. */
  readonly fields: readonly Field[];
  /**
   * Where the fields stand in `raw`: four numbers each, its Kind (names.ts), where its name begins, its colon, its CR.
   * What forwards a head copies runs of `raw`, and nobody need pay for `fields`.
   */
  readonly lines: readonly number[];
  readonly framing: Framing;
  /** The connection may carry another message after this one. */
  readonly keepAlive: boolean;
  /** HTTP/1.`minor`. */
  readonly minor: 0 | 1;
  /** The Upgrade field, lower-cased, where Connection names it; HTTP/1.0 has none. */
  readonly upgrade: string | null;
}

export interface RequestHead extends Head {
  readonly method: string;
  /** Origin-form, as sent. */
  readonly target: string;
  /** The Host field, as sent. */
  readonly host: string;
  /** Before it sends its body the visitor waits for a 100 (RFC 9110 §10.1.1). */
  readonly expect: boolean;
}

export interface ResponseHead extends Head {
  readonly status: number;
  readonly reason: string;
}

/** The value of the first field of that name, which is in lower case. */
export function field(head: Pick<Head, "fields">, lowerName: string): string | undefined {
  for (const [name, value] of head.fields) {
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) return value;
  }
  return undefined;
}

/** The values of all fields of that name, which is in lower case, in order. */
export function fieldAll(head: Pick<Head, "fields">, lowerName: string): string[] {
  const values: string[] = [];
  for (const [name, value] of head.fields) {
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) values.push(value);
  }
  return values;
}
