/** What comes in pieces, put together: a head, a control message, a body that has to wait. */
import { FrameError } from "../core/frame.ts";

/**
 * Octets side by side in one buffer that doubles: however small the pieces that a hostile peer sends, they cost no more
 * than their octets, and each is copied twice at most.
 */
export class Pieces {
  #buffer = new Uint8Array(0);
  #length = 0;

  /** `most`: octets in all; `what` it is, for messages. */
  constructor(private readonly most: number, private readonly what: string) {}

  /** Adds a copy of bytes[from, to). Throws FrameError beyond `most`. */
  add(bytes: Uint8Array, from: number, to: number): void {
    const length = this.#length + to - from;
    if (length > this.most) throw new FrameError(`${this.what} of more than ${this.most} octets`);
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(this.most, Math.max(length, 2 * this.#buffer.length)));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes.subarray(from, to), this.#length);
    this.#length = length;
  }

  /** All of them. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}
