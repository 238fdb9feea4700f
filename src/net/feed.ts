/** A message's body on its way from the read buffer to whoever takes it, who may take less than there is. */
import { BodyReader } from "../core/http1/body.ts";
import type { Framing, Limits } from "../core/http1/types.ts";

/** Returns how many of the octets it took. */
export interface Taker {
  data(bytes: Uint8Array): number;
}

export class BodyFeed {
  readonly #reader: BodyReader;
  /** Payload that the reader has passed and nobody took: it stands in front of what is fed next. */
  #pending = 0;

  /** `limits`: of the trailers. */
  constructor(framing: Framing, limits?: Limits) {
    this.#reader = new BodyReader(framing, limits);
  }

  /** All of the body was taken. */
  get done(): boolean {
    return this.#reader.done && this.#pending === 0;
  }

  /** The taker did not take all there was. */
  get stalled(): boolean {
    return this.#pending > 0;
  }

  /** Raw field lines, once `done`. */
  get trailers(): string {
    return this.#reader.trailers;
  }

  /**
   * Feeds `taker` from bytes[from, to) until the body is done, the bytes are or the taker has enough. Returns the index
   * of what to feed next, with whatever follows it then. Throws Malformed.
   */
  feed(bytes: Uint8Array, from: number, to: number, taker: Taker): number {
    const reader = this.#reader;
    for (;;) {
      if (this.#pending > 0) {
        const took = taker.data(bytes.subarray(from, from + this.#pending));
        this.#pending -= took;
        from += took;
        if (this.#pending > 0) return from;
      }
      if (reader.done || from === to) return from;
      from = reader.read(bytes, from, to, to - from);
      if (reader.to > reader.from) {
        this.#pending = reader.to - reader.from;
        from = reader.from;
      }
    }
  }
}
