/** A response's head, from its scanned section (RFC 9112 §4, §6.3). */
import { type Field, Malformed } from "../errors.ts";
import { Facts, pairs } from "./fields.ts";
import { ZERO } from "./octets.ts";
import type { Section } from "./section.ts";
import type { Framing, ResponseHead } from "./types.ts";

const NONE: Framing = { kind: "none" };
const CHUNKED: Framing = { kind: "chunked" };
const CLOSE: Framing = { kind: "close" };

const MINOR = "HTTP/1.".length;
const STATUS = "HTTP/1.1 ".length;
const REASON = "HTTP/1.1 200 ".length;

/** What an answer depends on besides itself. */
export interface Asked {
  readonly method: string;
  /** What the request wants to upgrade to, in lower case. */
  readonly upgrade: string | null;
}

/** Reads a complete section as an answer to `asked`. Throws Malformed `target_bad_response`. */
export function readResponse({ text, lines }: Section, asked: Asked): ResponseHead {
  return new Response(text!, lines, asked);
}

class Response implements ResponseHead {
  readonly status: number;
  readonly minor: 0 | 1;
  readonly framing: Framing;
  readonly keepAlive: boolean;
  readonly upgrade: string | null;
  #fields: Field[] | null = null;

  constructor(readonly raw: string, readonly lines: number[], asked: Asked) {
    this.minor = raw[MINOR] === "1" ? 1 : 0;
    this.status = 100 * digit(raw, STATUS) + 10 * digit(raw, STATUS + 1) + digit(raw, STATUS + 2);
    const facts = new Facts(raw, lines, "target_bad_response");
    if (facts.chunked && this.minor === 0) refuse("Transfer-Encoding in HTTP/1.0");
    this.upgrade = this.minor === 1 ? facts.upgrade : null;
    // RFC 9110 §8.6, RFC 9112 §6.1: it has neither, and readers differ on where one that has them ends.
    if (this.status < 200 && (facts.chunked || facts.length > 0)) refuse("an interim answer with a body");
    if (this.status === 101) {
      if (asked.upgrade === null || this.upgrade !== asked.upgrade) refuse("a 101 to what was not asked for");
    } else if (this.status < 200 && (this.minor === 0 || facts.close)) {
      refuse("an interim answer that would be the last");
    }
    this.framing = framing(this.status, asked.method, facts);
    this.keepAlive = this.minor === 1 && !facts.close && this.framing !== CLOSE && this.status !== 101;
  }

  get reason(): string {
    const line = this.raw.indexOf("\r");
    // The space before it may be missing.
    return this.raw.slice(Math.min(REASON, line), line);
  }

  get fields(): readonly Field[] {
    return this.#fields ??= pairs(this);
  }
}

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - ZERO;
}

function framing(status: number, method: string, { chunked, length }: Facts): Framing {
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return NONE;
  if (chunked) return CHUNKED;
  return length < 0 ? CLOSE : { kind: "length", length };
}

function refuse(message: string): never {
  throw new Malformed("target_bad_response", message);
}
