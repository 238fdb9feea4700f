/** The open streams of a session by their ids. */
import type { Stream } from "./stream.ts";

/** An idle session has few slots; no session has more, and what does not fit stands in a map. */
const LEAST = 16, MOST = 1024;

/**
 * A Map alone would do, but one that is filled and emptied with every request costs a busy hub a sixth of its time:
 * whenever its table is made anew, the old one lives on until the next full collection, and with it all that it held.
 */
export class StreamTable {
  size = 0;
  /** A stream stands at its id modulo the length. Ids are dealt out in order: few meet. */
  #slots: (Stream | null)[] = new Array(LEAST).fill(null);
  /** Those whose slot another one has. */
  readonly #others = new Map<number, Stream>();

  get(id: number): Stream | undefined {
    const stream = this.#slots[id & (this.#slots.length - 1)];
    if (stream !== null && stream.id === id) return stream;
    return this.#others.size === 0 ? undefined : this.#others.get(id);
  }

  /** Adds a stream whose id is not there. */
  add(stream: Stream): void {
    this.size++;
    while (!this.#place(stream) && this.#slots.length < MOST) this.#grow();
  }

  /** Takes a stream out; false: it is not there. */
  delete(stream: Stream): boolean {
    const slot = stream.id & (this.#slots.length - 1);
    if (this.#slots[slot] === stream) this.#slots[slot] = null;
    else if (!this.#others.delete(stream.id)) return false;
    this.size--;
    return true;
  }

  values(): Stream[] {
    return [...this.#slots.filter((stream) => stream !== null), ...this.#others.values()];
  }

  #place(stream: Stream): boolean {
    const slot = stream.id & (this.#slots.length - 1);
    if (this.#slots[slot] === null) this.#slots[slot] = stream;
    else if (this.#slots.length < MOST) return false;
    else this.#others.set(stream.id, stream);
    return true;
  }

  #grow(): void {
    const streams = this.values();
    this.#slots = new Array(this.#slots.length * 2).fill(null);
    // Twice as many slots: what did not meet before does not now.
    for (const stream of streams) this.#place(stream);
  }
}
