/** What waits to be written: octets copied into batches, each of which goes out in one operation. */
import { toBytes } from "../core/latin1.ts";
import { giveBack, lend } from "./buffers.ts";

/** No batch is larger: beyond this an operation's own cost is lost in that of its octets. */
const LARGEST = 64 * 1024;

const encoder = new TextEncoder();

export class Outbox {
  /** Octets in all batches, the one under way included. */
  queued = 0;
  /** The batch that is being filled. */
  #filling: Uint8Array<ArrayBuffer> | null = null;
  #filled = 0;
  /** Full ones, in order; null while there are none, which is nearly always. */
  #full: Uint8Array<ArrayBuffer>[] | null = null;
  /** The batch that the kernel is being given. */
  #sending: Uint8Array<ArrayBuffer> | null = null;
  #sent = 0;
  #end = 0;

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
        this.#sending = this.#full.shift()!;
        this.#end = this.#sending.length;
        if (this.#full.length === 0) this.#full = null;
      } else {
        if (this.#filled === 0) return null;
        this.#sending = this.#filling!;
        this.#end = this.#filled;
        this.#filling = null;
        this.#filled = 0;
      }
      this.#sent = 0;
    }
    return this.#sending.subarray(this.#sent, this.#end);
  }

  /** The kernel took `n` octets of what `next` gave. */
  took(n: number): void {
    this.queued -= n;
    this.#sent += n;
    if (this.#sent < this.#end) return;
    giveBack(this.#sending!);
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
    (this.#full ??= []).push(batch);
    this.#filled = 0;
    return this.#filling = lend(Math.min(want, LARGEST));
  }
}
