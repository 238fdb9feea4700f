/** The lines before chunks: a size, and extensions that are read and dropped (RFC 9112 §7.1). */
import { Malformed } from "../errors.ts";
import {
  appended,
  BACKSLASH,
  CR,
  EQUALS,
  hexDigit,
  is,
  LF,
  QUOTE,
  SEMICOLON,
  TEXT,
  TOKEN,
} from "./octets.ts";

const MAX_DIGITS = 16;
/** Of one body, in sum: it is to consist of data. */
const MAX_EXTENSIONS = 1024;

/** What comes next. */
const SIZE = 0;
const NAME_BEGINS = 1;
const NAME = 2;
const VALUE_BEGINS = 3;
const VALUE = 4;
const QUOTED = 5;
const ESCAPED = 6;
const QUOTE_ENDED = 7;
const LAST_LF = 8;

/** Reads the lines of one body, one after another. */
export class ChunkLine {
  /** What the line says, once it is complete. */
  size = 0;
  #state = SIZE;
  #digits = 0;
  #extensions = 0;

  /** Takes one octet; true where it ends the line. Throws Malformed `bad_request`. */
  take(octet: number): boolean {
    if (this.#state !== SIZE && this.#state !== LAST_LF && ++this.#extensions > MAX_EXTENSIONS) {
      refuse(`more than ${MAX_EXTENSIONS} octets of chunk extensions`);
    }
    switch (this.#state) {
      case SIZE:
        if (!this.#digit(octet)) this.#next(octet, this.#digits > 0);
        break;
      case NAME_BEGINS:
        this.#state = NAME;
        if (!is(octet, TOKEN)) refuse("a chunk extension without a name");
        break;
      case NAME:
        if (octet === EQUALS) this.#state = VALUE_BEGINS;
        else if (!is(octet, TOKEN)) this.#next(octet, true);
        break;
      case VALUE_BEGINS:
        this.#state = octet === QUOTE ? QUOTED : VALUE;
        if (octet !== QUOTE && !is(octet, TOKEN)) refuse("a chunk extension without the value it announces");
        break;
      case VALUE:
        if (!is(octet, TOKEN)) this.#next(octet, true);
        break;
      case QUOTED:
      case ESCAPED:
        if (!is(octet, TEXT)) refuse("a control character in a chunk extension");
        if (this.#state === ESCAPED) this.#state = QUOTED;
        else if (octet === QUOTE) this.#state = QUOTE_ENDED;
        else if (octet === BACKSLASH) this.#state = ESCAPED;
        break;
      case QUOTE_ENDED:
        this.#next(octet, true);
        break;
      case LAST_LF:
        if (octet !== LF) refuse("a chunk line that does not end with CRLF");
        return true;
    }
    return false;
  }

  /** Goes on to the next line. */
  reset(): void {
    this.#state = SIZE;
    this.size = this.#digits = 0;
  }

  #digit(octet: number): boolean {
    const digit = hexDigit(octet);
    if (digit < 0) return false;
    this.size = appended(this.size, digit, 16);
    if (this.size < 0 || ++this.#digits > MAX_DIGITS) refuse("a chunk size that is too large");
    return true;
  }

  /** What may follow where something is complete: an extension, or the end. */
  #next(octet: number, complete: boolean): void {
    if (!complete || (octet !== CR && octet !== SEMICOLON)) {
      refuse("a chunk line that is no size with extensions");
    }
    this.#state = octet === CR ? LAST_LF : NAME_BEGINS;
  }
}

function refuse(message: string): never {
  throw new Malformed("bad_request", message);
}
