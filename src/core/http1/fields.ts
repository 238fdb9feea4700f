/** The fields of a head: what they say about framing and connection, and their pairs for those who ask. */
import { type Code, type Field, Malformed } from "../errors.ts";
import { Kind, kindOf } from "./names.ts";
import type { Head } from "./types.ts";
import { appended, SPACE, TAB, ZERO } from "./octets.ts";

/** What a head says about its message, gathered in one pass that also notes the kinds of its fields in `lines`. */
export class Facts {
  host: string | null = null;
  /** Content-Length; -1: there is none. */
  length = -1;
  chunked = false;
  expect: string | null = null;
  /** What Connection names. */
  close = false;
  #upgrades = false;
  #upgrade: string | null = null;
  readonly #code: Code;

  /** Throws Malformed(`code`). */
  constructor(text: string, lines: number[], code: Code) {
    this.#code = code;
    for (let at = 0; at < lines.length; at += 4) {
      const kind = kindOf(text, lines[at + 1], lines[at + 2]);
      if (kind === Kind.OTHER) continue;
      lines[at] = kind;
      if (kind <= Kind.CONNECTION) this.#take(kind, text, lines[at + 2], lines[at + 3]);
    }
    if (this.chunked && this.length >= 0) this.#refuse("Content-Length with Transfer-Encoding");
  }

  /** What to upgrade to, in lower case, where Connection says so. */
  get upgrade(): string | null {
    return this.#upgrades ? this.#upgrade : null;
  }

  #take(kind: number, text: string, colon: number, end: number): void {
    const value = valueOf(text, colon, end);
    switch (kind) {
      case Kind.HOST:
        if (this.host !== null) this.#refuse("two Host fields");
        this.host = value;
        break;
      case Kind.CONTENT_LENGTH:
        if (this.length >= 0) this.#refuse("two Content-Length fields");
        this.length = lengthOf(value);
        if (this.length < 0 || endsWithTab(text, end)) this.#refuse("a Content-Length that is no number");
        break;
      case Kind.TRANSFER_ENCODING:
        if (this.chunked || value !== "chunked" || endsWithTab(text, end)) {
          this.#refuse("a Transfer-Encoding other than one `chunked`");
        }
        this.chunked = true;
        break;
      case Kind.EXPECT:
        this.expect ??= value;
        break;
      case Kind.UPGRADE: {
        const lower = value.toLowerCase();
        this.#upgrade = this.#upgrade === null ? lower : `${this.#upgrade}, ${lower}`;
        break;
      }
      case Kind.PROXY_CONNECTION:
        // It means nothing (RFC 9112 §C.2.2), but some parsers read it as Connection and would end the message's
        // connection where we went on.
        this.close ||= members(value).includes("close");
        break;
      case Kind.CONNECTION:
        for (const member of members(value)) {
          if (member === "close") this.close = true;
          else if (member === "upgrade") this.#upgrades = true;
        }
    }
  }

  #refuse(message: string): never {
    throw new Malformed(this.#code, message);
  }
}

/** The value between the colon and the CR of its line, without the white space around it. */
export function valueOf(text: string, colon: number, end: number): string {
  let from = colon + 1;
  while (from < end && isBlank(text.charCodeAt(from))) from++;
  while (end > from && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(from, end);
}

/** The members of a list, in lower case (RFC 9110 §5.6.1). */
export function members(value: string): string[] {
  const lower = value.toLowerCase();
  return lower.includes(",") ? lower.split(",").map(trimmed) : [lower];
}

/** The pairs of a head. */
export function pairs({ raw, lines }: Pick<Head, "raw" | "lines">): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < lines.length; at += 4) {
    const colon = lines[at + 2];
    fields.push([raw.slice(lines[at + 1], colon), valueOf(raw, colon, lines[at + 3])]);
  }
  return fields;
}

function trimmed(member: string): string {
  return valueOf(member, -1, member.length);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** llhttp, and who knows which target, refuses a tab behind the value of a framing field. */
function endsWithTab(text: string, end: number): boolean {
  while (text.charCodeAt(--end) === SPACE);
  return text.charCodeAt(end) === TAB;
}

/** 1*DIGIT up to the limit (RFC 9110 §8.6), else -1. */
function lengthOf(value: string): number {
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    length = appended(length, digit, 10);
    if (length < 0) return -1;
  }
  return value.length === 0 ? -1 : length;
}
