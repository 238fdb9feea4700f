/** The beginning of a body that goes by. */

/** So much of each body is kept. */
export const BODY_MAX = 64 * 1024;

const NONE = new Uint8Array(0);

export class KeptBody {
  /** Octets that went by. */
  seen = 0;
  #buffer = NONE;
  #length = 0;
  #full = false;

  /** `room`: whether the memory may be had for so many octets more; it counts them where it says yes. */
  constructor(private readonly room: (octets: number) => boolean) {}

  /** Octets of memory that `room` was asked for. */
  get held(): number {
    return this.#buffer.length;
  }

  /** What is kept: no more than BODY_MAX, and less where there was no room. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Nothing is missing of what went by. */
  get whole(): boolean {
    return this.#length === this.seen;
  }

  /** Keeps a copy of `bytes` as far as there is room. */
  add(bytes: Uint8Array): void {
    this.seen += bytes.length;
    if (this.#full) return;
    const wanted = Math.min(BODY_MAX, this.#length + bytes.length);
    if (wanted > this.#buffer.length && !this.#grow(wanted)) return void (this.#full = true);
    const n = wanted - this.#length;
    this.#buffer.set(n === bytes.length ? bytes : bytes.subarray(0, n), this.#length);
    this.#length = wanted;
    this.#full = wanted === BODY_MAX;
  }

  /** Nothing more is coming: memory that was taken in advance is given back. Returns how many octets. */
  trim(): number {
    const spare = this.held - this.#length;
    if (spare > 0) this.#buffer = this.#buffer.slice(0, this.#length);
    return spare;
  }

  #grow(wanted: number): boolean {
    // Most bodies are one piece, and then nothing is left over.
    const size = Math.min(BODY_MAX, Math.max(wanted, 2 * this.#buffer.length));
    if (!this.room(size - this.#buffer.length)) return false;
    const larger = new Uint8Array(size);
    larger.set(this.bytes);
    this.#buffer = larger;
    return true;
  }
}
