/**
 * A head or a trailer section, octet by octet: everything up to and including an empty line (RFC 9112 §2–5). It is
 * validated while it is scanned, kept as text once, and read alike however it is split.
 */
import { type Code, Malformed } from "../errors.ts";
import { latin1 } from "../latin1.ts";
import { Kind } from "./names.ts";
import {
  COLON,
  CR,
  is,
  LF,
  METHOD,
  NINE,
  skip,
  SLASH,
  SPACE,
  TARGET,
  TEXT,
  TOKEN,
  UPPER_A,
  UPPER_Z,
  ZERO,
} from "./octets.ts";
import type { Limits } from "./types.ts";

const EMPTY_LINE = 2;
const MAX_METHOD = 32;
const VERSION = [..."HTTP/1."].map((char) => char.charCodeAt(0));

/** What comes next. */
const METHOD_OR_SPACE = 0;
const SLASH_OF_TARGET = 1;
const TARGET_OR_SPACE = 2;
const MAJOR_VERSION = 3;
const MINOR_VERSION = 4;
const SPACE_BEFORE_STATUS = 5;
const STATUS = 6;
const AFTER_STATUS = 7;
const REASON_OR_CR = 8;
const CR_OF_LINE = 9;
const LF_OF_LINE = 10;
const LINE = 11;
const NAME_OR_COLON = 12;
const VALUE_OR_CR = 13;
const LAST_LF = 14;
const END = 15;

/** How a section begins. */
export const REQUEST = METHOD_OR_SPACE, RESPONSE = MAJOR_VERSION, TRAILERS = LINE;

export class Section {
  /** The whole section, empty line included, Latin-1; null: it has not ended. */
  text: string | null = null;
  /** As in Head, kinds not yet noted. */
  lines: number[] = [];
  /** Where the target of a request line begins and ends. */
  targetFrom = 0;
  targetTo = 0;
  readonly #start: number;
  readonly #limits: Limits;
  #state: number;
  /** Octets read so far, and themselves where the section came in several pieces. */
  #seen = 0;
  #held: Uint8Array | null = null;
  /** Where this field begins; of a first line where its version or status does. */
  #mark = 0;
  #colon = 0;

  constructor(start: number, limits: Limits) {
    this.#start = this.#state = start;
    this.#limits = limits;
  }

  get started(): boolean {
    return this.#seen > 0;
  }

  /** Begins another one. */
  reset(): void {
    this.text = null;
    this.lines = [];
    this.#state = this.#start;
    this.#seen = this.#mark = 0;
    this.#held = null;
  }

  /**
   * Reads bytes[from, to) up to the section's end and returns the index after it. Throws Malformed: of a response
   * `target_bad_response`, else `uri_too_long`, `head_too_large` or `bad_request`.
   */
  read(bytes: Uint8Array, from: number, to: number): number {
    // No octet beyond the limit is looked at: a head that is too large is refused alike however it comes.
    const room = this.#limits.head + EMPTY_LINE - this.#seen;
    const next = this.#scan(bytes, from, Math.min(to, from + room), from - this.#seen);
    if (this.#state === END) {
      if (this.#held === null) this.text = latin1(bytes, from, next);
      else this.text = latin1(this.#hold(bytes, from, next), 0, this.#seen + next - from);
    } else if (next - from === room) {
      if (this.#state === TARGET_OR_SPACE) this.#refuse("uri_too_long", "a target longer than a head may be");
      this.#refuse("head_too_large", `more than ${this.#limits.head} octets`);
    } else this.#hold(bytes, from, next);
    this.#seen += next - from;
    return next;
  }

  /** `origin`: where the section's first octet stands, or would. */
  #scan(bytes: Uint8Array, from: number, to: number, origin: number): number {
    let i = from, state = this.#state;
    while (i < to && state !== END) {
      const octet = bytes[i];
      switch (state) {
        case METHOD_OR_SPACE:
          if (i === origin && (octet < UPPER_A || octet > UPPER_Z)) this.#refuse("bad_request", "no method");
          i = skip(bytes, i, to, METHOD);
          if (i - origin > MAX_METHOD) {
            this.#refuse("bad_request", `a method of more than ${MAX_METHOD} characters`);
          }
          if (i === to) break;
          if (bytes[i] !== SPACE) this.#refuse("bad_request", "an octet that no method has");
          this.targetFrom = ++i - origin;
          state = SLASH_OF_TARGET;
          break;
        case SLASH_OF_TARGET:
          if (octet !== SLASH) this.#refuse("bad_request", "a target that does not begin with a slash");
          state = TARGET_OR_SPACE;
          break;
        case TARGET_OR_SPACE:
          i = skip(bytes, i, to, TARGET);
          this.targetTo = i - origin;
          if (this.targetTo - this.targetFrom > this.#limits.target) {
            this.#refuse("uri_too_long", `a target of more than ${this.#limits.target} octets`);
          }
          if (i === to) break;
          if (bytes[i] !== SPACE) this.#refuse("bad_request", "an octet that no target has");
          this.#mark = ++i - origin;
          state = MAJOR_VERSION;
          break;
        case MAJOR_VERSION:
          if (octet !== VERSION[i - origin - this.#mark]) this.#refuse("bad_request", "no version 1.x");
          if (++i - origin - this.#mark === VERSION.length) state = MINOR_VERSION;
          break;
        case MINOR_VERSION:
          if (octet !== ZERO && octet !== ZERO + 1) this.#refuse("bad_request", "no version 1.0 or 1.1");
          i++;
          state = this.#start === REQUEST ? CR_OF_LINE : SPACE_BEFORE_STATUS;
          break;
        case SPACE_BEFORE_STATUS:
          if (octet !== SPACE) this.#refuse("bad_request", "no space before the status");
          this.#mark = ++i - origin;
          state = STATUS;
          break;
        case STATUS:
          if (octet < (i - origin === this.#mark ? ZERO + 1 : ZERO) || octet > NINE) {
            this.#refuse("bad_request", "no status from 100 to 999");
          }
          if (++i - origin - this.#mark === 3) state = AFTER_STATUS;
          break;
        case AFTER_STATUS:
          if (octet === SPACE) i++;
          else if (octet !== CR) this.#refuse("bad_request", "more than a status");
          state = REASON_OR_CR;
          break;
        case REASON_OR_CR:
          i = skip(bytes, i, to, TEXT);
          if (i < to) state = CR_OF_LINE;
          break;
        case CR_OF_LINE:
          if (octet !== CR) this.#refuse("bad_request", "a line that does not end with CRLF");
          i++;
          state = LF_OF_LINE;
          break;
        case LF_OF_LINE:
          if (octet !== LF) this.#refuse("bad_request", "CR without LF");
          i++;
          state = LINE;
          break;
        case LINE:
          if (octet === CR) {
            i++;
            state = LAST_LF;
          } else {
            if (!is(octet, TOKEN)) this.#refuse("bad_request", "a line that begins with no field name");
            if (this.lines.length === 4 * this.#limits.fields) {
              this.#refuse("head_too_large", `more than ${this.#limits.fields} fields`);
            }
            this.#mark = i - origin;
            state = NAME_OR_COLON;
          }
          break;
        case NAME_OR_COLON:
          i = skip(bytes, i, to, TOKEN);
          if (i === to) break;
          if (bytes[i] !== COLON) this.#refuse("bad_request", "a field name that is no token");
          this.#colon = i++ - origin;
          state = VALUE_OR_CR;
          break;
        case VALUE_OR_CR:
          i = skip(bytes, i, to, TEXT);
          if (i === to) break;
          if (bytes[i] !== CR) this.#refuse("bad_request", "a control character in a field value");
          this.lines.push(Kind.OTHER, this.#mark, this.#colon, i++ - origin);
          state = LF_OF_LINE;
          break;
        case LAST_LF:
          if (octet !== LF) this.#refuse("bad_request", "CR without LF");
          i++;
          state = END;
          break;
      }
    }
    this.#state = state;
    return i;
  }

  /** Keeps bytes[from, to) behind what is held, and returns that. */
  #hold(bytes: Uint8Array, from: number, to: number): Uint8Array {
    const length = this.#seen + to - from;
    let held = this.#held;
    if (held === null || held.length < length) {
      held = new Uint8Array(Math.max(length, 2 * (held?.length ?? MIN_HELD / 2)));
      if (this.#held !== null) held.set(this.#held);
      this.#held = held;
    }
    held.set(bytes.subarray(from, to), this.#seen);
    return held;
  }

  #refuse(code: Code, message: string): never {
    throw new Malformed(this.#start === RESPONSE ? "target_bad_response" : code, message);
  }
}

/** Most heads fit. */
const MIN_HELD = 512;
