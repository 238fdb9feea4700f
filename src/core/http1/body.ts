/** Bodies out of a stream of octets, whichever way they are framed (RFC 9112 §6, §7.1), and chunks into one. */
import { Malformed } from "../errors.ts";
import { ChunkLine } from "./chunk.ts";
import { kindOf, mayTrail } from "./names.ts";
import { CR, LF } from "./octets.ts";
import { Section, TRAILERS } from "./section.ts";
import { type Framing, LIMITS, type Limits } from "./types.ts";

/** What comes next. */
const CHUNK_LINE = 0;
const CHUNK_DATA = 1;
const CR_OF_DATA = 2;
const LF_OF_DATA = 3;
const TRAILER_SECTION = 4;
/** Octets without framing among them: so many as were declared, or all until the connection ends. */
const PLAIN = 5;
const END = 6;

/** Reads the body of one message. */
export class BodyReader {
  /** Where the payload of the last step stands in the bytes that were read. */
  from = 0;
  to = 0;
  /** The body has ended; one that lasts until the connection ends never says so. */
  done = false;
  /** Raw field lines after the last chunk, each with its CRLF. */
  trailers = "";
  #state: number;
  /** Octets to come, of the body or of a chunk. */
  #left = 0;
  readonly #limits: Limits;
  readonly #line: ChunkLine | null = null;
  #section: Section | null = null;

  constructor(framing: Framing, limits: Limits = LIMITS) {
    this.#limits = limits;
    this.#state = PLAIN;
    if (framing.kind === "chunked") {
      this.#state = CHUNK_LINE;
      this.#line = new ChunkLine();
    } else if (framing.kind === "close") this.#left = Infinity;
    else if (framing.kind === "length") this.#left = framing.length;
    if (this.#state === PLAIN && this.#left === 0) this.#end();
  }

  /**
   * One step through bytes[from, to): skips framing, finds the next run of payload, at most `max` octets of it, and
   * returns the index after it; the payload is bytes[this.from, this.to). With `done` it reads nothing. Throws
   * Malformed `bad_request` or, of trailers, `head_too_large`; of a target's answer both mean a bad response.
   */
  read(bytes: Uint8Array, from: number, to: number, max: number): number {
    let i = from;
    this.from = this.to = from;
    while (i < to) {
      switch (this.#state) {
        case PLAIN:
        case CHUNK_DATA:
          return this.#payload(i, to, max);
        case CHUNK_LINE:
          if (this.#line!.take(bytes[i++])) this.#chunk(this.#line!);
          break;
        case CR_OF_DATA:
          if (bytes[i++] !== CR) refuse("a chunk that is longer than its size");
          this.#state = LF_OF_DATA;
          break;
        case LF_OF_DATA:
          if (bytes[i++] !== LF) refuse("a chunk that does not end with CRLF");
          this.#state = CHUNK_LINE;
          break;
        case TRAILER_SECTION:
          i = this.#section!.read(bytes, i, to);
          if (this.#section!.text !== null) this.#trail(this.#section!);
          break;
        case END:
          return i;
      }
    }
    return i;
  }

  #payload(from: number, to: number, max: number): number {
    const length = Math.min(to - from, max, this.#left);
    this.#left -= length;
    this.from = from;
    this.to = from + length;
    if (this.#left === 0) {
      if (this.#state === PLAIN) this.#end();
      else this.#state = CR_OF_DATA;
    }
    return this.to;
  }

  #chunk(line: ChunkLine): void {
    this.#left = line.size;
    if (line.size > 0) this.#state = CHUNK_DATA;
    else {
      this.#state = TRAILER_SECTION;
      this.#section = new Section(TRAILERS, this.#limits);
    }
    line.reset();
  }

  #trail({ text, lines }: Section): void {
    for (let at = 0; at < lines.length; at += 4) {
      const name = text!.slice(lines[at + 1], lines[at + 2]);
      if (!mayTrail(kindOf(name, 0, name.length), name)) refuse(`the trailer ${name}`);
    }
    this.trailers = text!.slice(0, -2);
    this.#end();
  }

  #end(): void {
    this.#state = END;
    this.done = true;
  }
}

/** What stands before a chunk of `size` octets; CRLF stands after it. */
export function chunkHead(size: number): string {
  return `${size.toString(16)}\r\n`;
}

/** What stands before the trailers; an empty line stands after them and ends the body. */
export const LAST_CHUNK = "0\r\n";

function refuse(message: string): never {
  throw new Malformed("bad_request", message);
}
