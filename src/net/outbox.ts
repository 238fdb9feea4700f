/** What waits to be written: octets copied into batches, each of which goes out in one operation. */
import { toBytes } from "../core/latin1.ts";
import { giveBack, lend } from "./buffers.ts";

/** No batch is larger: beyond this an operation's own cost is lost in that of its octets. */
const LARGEST = 64 * 1024;

const encoder = new TextEncoder();

/** What is written after what stands before it, bytes[from, to); `release`: whose it is, null: a buffer of net's own. */
interface Batch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly from: number;
  readonly to: number;
  readonly release: (() => void) | null;
}

export class Outbox {
  /** Octets in all batches, the one under way included. */
  queued = 0;
  /** The batch that is being filled. */
  #filling: Uint8Array<ArrayBuffer> | null = null;
  #filled = 0;
  /** Full ones, in order; null while there are none, which is nearly always. */
  #full: Batch[] | null = null;
  /** The batch that the kernel is being given. */
  #sending: Uint8Array<ArrayBuffer> | null = null;
  #sent = 0;
  #end = 0;
  #release: (() => void) | null = null;

  add(bytes: Uint8Array): void {
    const { length } = bytes;
    this.queued += length;
    let from = 0;
    while (from < length) {
      const batch = this.#room(length - from);
      const n = Math.min(batch.length - this.#filled, length - from);
      batch.set(n === length ? bytes : bytes.subarray(from, from + n), this.#filled);
      this.#filled += n;
      from += n;
    }
  }

  /** Adds bytes[from, to) as they lie there: nobody may touch them until `release` is called, which `drop` does not. */
  give(bytes: Uint8Array<ArrayBuffer>, from: number, to: number, release: () => void): void {
    this.queued += to - from;
    if (this.#filled > 0) this.#next(null);
    (this.#full ??= []).push({ bytes, from, to, release });
  }

  /** Adds Latin-1 text. */
  addText(text: string): void {
    const { length } = text;
    if (length === 0) return;
    const batch = this.#room(Math.min(length, LARGEST));
    const to = this.#filled;
    if (batch.length - to < length) return this.add(toBytes(text));
    const { read, written } = encoder.encodeInto(text, batch.subarray(to, to + length));
    // Octets above 0x7f are rare in heads, and UTF-8 takes two for each.
    if (read !== length || written !== length) {
      for (let i = 0; i < length; i++) batch[to + i] = text.charCodeAt(i);
    }
    this.#filled += length;
    this.queued += length;
  }

  /** What to write next, or null. Until `took` has been told of all of it, the same batch goes on. */
  next(): Uint8Array | null {
    if (this.#sending === null) {
      if (this.#full !== null) {
        ({ bytes: this.#sending, from: this.#sent, to: this.#end, release: this.#release } = this.#full
          .shift()!);
        if (this.#full.length === 0) this.#full = null;
      } else {
        if (this.#filled === 0) return null;
        this.#sending = this.#filling!;
        this.#end = this.#filled;
        this.#filling = this.#release = null;
        this.#sent = this.#filled = 0;
      }
    }
    return this.#sending.subarray(this.#sent, this.#end);
  }

  /** The kernel took `n` octets of what `next` gave. */
  took(n: number): void {
    this.queued -= n;
    this.#sent += n;
    if (this.#sent < this.#end) return;
    if (this.#release === null) giveBack(this.#sending!);
    else this.#release();
    this.#sending = null;
  }

  /** True when a whole batch waits: there is nothing to gain by waiting for more. */
  get hasFull(): boolean {
    return this.#full !== null;
  }

  /** Takes out all that was added and not taken by the kernel. No operation may be under way. */
  reclaim(): Uint8Array[] {
    const rest: Uint8Array[] = [];
    for (let bytes = this.next(); bytes !== null; bytes = this.next()) {
      rest.push(bytes.slice());
      this.took(bytes.length);
    }
    return rest;
  }

  /** Forgets everything. A batch that is being written is left to the collector: the kernel may still read it. */
  drop(): void {
    this.#sending = this.#filling = this.#full = null;
    this.#filled = this.queued = 0;
  }

  /** The batch to fill, with at least one octet free. A small one with something in it is exchanged for one that holds `want` more. */
  #room(want: number): Uint8Array<ArrayBuffer> {
    const batch = this.#filling;
    if (batch === null) return this.#filling = lend(Math.min(want, LARGEST));
    if (batch.length - this.#filled >= want) return batch;
    if (batch.length < LARGEST) {
      const larger = lend(Math.min(this.#filled + want, LARGEST));
      larger.set(batch.subarray(0, this.#filled));
      giveBack(batch);
      return this.#filling = larger;
    }
    if (this.#filled < batch.length) return batch;
    this.#next(lend(Math.min(want, LARGEST)));
    return this.#filling!;
  }

  /** What was filled waits; goes on with `filling`. */
  #next(filling: Uint8Array<ArrayBuffer> | null): void {
    (this.#full ??= []).push({ bytes: this.#filling!, from: 0, to: this.#filled, release: null });
    this.#filling = filling;
    this.#filled = 0;
  }
}
