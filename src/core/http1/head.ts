/** Heads out of a stream of octets: incremental, resumed at any octet, without a copy where a head comes in one piece. */
import { readRequest } from "./request.ts";
import { type Asked, readResponse } from "./response.ts";
import { REQUEST, RESPONSE, Section } from "./section.ts";
import { LIMITS, type Limits, type RequestHead, type ResponseHead } from "./types.ts";

/** Reads requests, one at a time. */
export class RequestReader {
  /** The head, once it is complete. */
  head: RequestHead | null = null;
  readonly #section: Section;

  constructor(limits: Limits = LIMITS) {
    this.#section = new Section(REQUEST, limits);
  }

  /** An octet of the head was read. */
  get started(): boolean {
    return this.#section.started;
  }

  /**
   * Reads bytes[from, to) up to the end of the head and returns the index after what was read. With a head there it
   * reads nothing. Throws Malformed: `bad_request`, `uri_too_long` or `head_too_large`; nothing is to be read after that.
   */
  read(bytes: Uint8Array, from: number, to: number): number {
    if (this.head !== null) return from;
    const next = this.#section.read(bytes, from, to);
    if (this.#section.text !== null) this.head = readRequest(this.#section);
    return next;
  }

  /** Goes on to the next request. */
  reset(): void {
    this.head = null;
    this.#section.reset();
  }
}

/** Reads what answers one request after another: interim heads, then the final one. */
export class ResponseReader {
  /** The head, once it is complete; a 1xx too, after which `next` goes on. */
  head: ResponseHead | null = null;
  readonly #section: Section;
  #asked: Asked = { method: "GET", upgrade: null };

  constructor(limits: Limits = LIMITS) {
    this.#section = new Section(RESPONSE, limits);
  }

  /** An octet of the head was read. */
  get started(): boolean {
    return this.#section.started;
  }

  /** Begins with the answer to another request. */
  expect(request: Asked): void {
    this.#asked = request;
    this.next();
  }

  /**
   * Reads bytes[from, to) up to the end of the head and returns the index after what was read. With a head there it
   * reads nothing. Throws Malformed `target_bad_response`; nothing is to be read after that.
   */
  read(bytes: Uint8Array, from: number, to: number): number {
    if (this.head !== null) return from;
    const next = this.#section.read(bytes, from, to);
    if (this.#section.text !== null) this.head = readResponse(this.#section, this.#asked);
    return next;
  }

  /** Goes on to the head after a 1xx. */
  next(): void {
    this.head = null;
    this.#section.reset();
  }
}
