/** One request or connection within a session. */
import { Window } from "../core/flow.ts";
import { FrameError, LAST, MAX_PAYLOAD, MORE, Type, writeU32 } from "../core/frame.ts";
import { latin1 } from "../core/latin1.ts";
import type { OpenFields } from "../core/open.ts";
import type { Sender } from "./outbox.ts";
import { Pieces } from "./pieces.ts";
import type { Streams } from "./streams.ts";
import { writeText } from "./text.ts";

export type { OpenFields };

/** The most octets of one head: what the codec admits, and as much again for what is added on the way. */
export const MAX_HEAD = 128 * 1024;

/** Below this a loop copies faster than a view is made for `set`. */
const SMALL = 48;

/** Whoever reads a stream. Nothing is called after a reset, of either side. Bytes are valid during the call only. */
export interface StreamSink {
  /** A whole HTTP head, interim ones too. `last`: the message ends with it, no `end` follows. */
  head(bytes: Uint8Array, last: boolean): void;
  /** Octets. Give credit back with `stream.consumed` when they are out of memory. */
  data(bytes: Uint8Array): void;
  /** Nothing more comes. `trailers`: raw field lines, each with CRLF. */
  end(trailers: string): void;
  /** The stream was cut by the other side (its code), or with its session (`session_closed`). */
  reset(code: string): void;
  /** `send` accepted less than it was given; now it accepts more. */
  writable(): void;
}

/** Ends of a stream, both ways. Everything is a no-op once it is cut. */
export class Stream implements Sender {
  readonly id: number;
  readonly open: OpenFields;
  /** Who reads it. */
  sink: StreamSink;
  readonly #streams: Streams;
  readonly #window: Window;
  /** What the other side still takes. */
  #credit: number;
  /** `send` ran out of credit. */
  #short = false;
  /** DATA of this stream in batch number `#round`. */
  #batched = 0;
  #round = -1;
  #moved = 0;
  #sentEnd = false;
  #gotHead = false;
  #gotEnd = false;
  #cut = false;
  /** Of a head in several frames, what came. */
  #head: Pieces | null = null;

  /** Made by Streams only. `window` and `credit`: what may come at first, and what may be sent. */
  constructor(
    streams: Streams,
    id: number,
    open: OpenFields,
    sink: StreamSink,
    window: number,
    credit: number,
  ) {
    this.#streams = streams;
    this.id = id;
    this.open = open;
    this.sink = sink;
    this.#window = new Window(window);
    this.#credit = credit;
  }

  /** What may come and is not dealt with. */
  get window(): number {
    return this.#window.size;
  }

  /** Octets of DATA so far, both ways, up to what makes a stream bulk. */
  get moved(): number {
    return this.#moved;
  }

  /**
   * Sends a head, Latin-1 text or bytes, at once whatever waits. `last`: the message ends with it, there is no `end`.
   * Throws RangeError beyond MAX_HEAD octets.
   */
  sendHead(head: string | Uint8Array, last: boolean): void {
    if (this.#cut || this.#sentEnd) return;
    const { length } = head;
    if (length > MAX_HEAD) throw new RangeError(`a head of ${length} octets`);
    const { outbox } = this.#streams;
    for (let from = 0; from < length;) {
      const to = Math.min(length, from + MAX_PAYLOAD - 1);
      const at = outbox.frame(Type.HEAD, this.id, 1 + to - from);
      outbox.buffer[at] = to < length ? MORE : last ? LAST : 0;
      const whole = to - from === length;
      if (typeof head === "string") writeText(outbox.buffer, at + 1, whole ? head : head.slice(from, to));
      else outbox.buffer.set(whole ? head : head.subarray(from, to), at + 1);
      from = to;
    }
    if (last) this.#ended();
  }

  /**
   * Sends as much of bytes[from, to) as credit and wire take now and returns how many octets; if not all, `writable`
   * comes. Once the stream is cut it takes everything and sends nothing.
   */
  send(bytes: Uint8Array, from: number, to: number): number {
    if (this.#cut || this.#sentEnd) return to - from;
    const { outbox } = this.#streams;
    let at = from;
    while (at < to) {
      // Asking for room may send the batch: only then is it known which one this is part of.
      const room = outbox.room(this.#round === outbox.round ? this.#batched : 0);
      const n = Math.min(to - at, MAX_PAYLOAD, this.#credit, room);
      if (n === 0) break;
      const place = outbox.frame(Type.DATA, this.id, n);
      copy(bytes, at, at + n, outbox.buffer, place);
      at += n;
      this.#credit -= n;
      outbox.used(n);
      this.#batched = this.#round === outbox.round ? this.#batched + n : n;
      this.#round = outbox.round;
    }
    if (at > from) this.#count(at - from);
    if (at < to) {
      if (this.#credit === 0) this.#short = true;
      else outbox.wait(this);
    }
    return at - from;
  }

  /** Sends nothing more. `trailers`: raw field lines, at most 64 KiB. */
  end(trailers = ""): void {
    if (this.#cut || this.#sentEnd) return;
    if (trailers.length > MAX_PAYLOAD) throw new RangeError(`trailers of ${trailers.length} octets`);
    const { outbox } = this.#streams;
    const at = outbox.frame(Type.END, this.id, trailers.length);
    if (trailers !== "") writeText(outbox.buffer, at, trailers);
    this.#ended();
  }

  /** Cuts the stream, both ways. `code`: at most 64 of `[a-z0-9_]`; the other side's sink gets it. */
  reset(code: string): void {
    if (this.#cut) return;
    this.#streams.refuse(this.id, code);
    this.cut();
  }

  /** `n` octets that came are out of memory: the other side may send as many again. */
  consumed(n: number): void {
    if (this.#cut || this.#gotEnd || !this.#window.consumed(n)) return;
    const before = this.#window.size;
    const credit = this.#streams.grant(this.#window);
    this.#streams.resized(this.#window.size - before);
    if (credit === 0) return;
    const { outbox } = this.#streams;
    const at = outbox.frame(Type.CREDIT, this.id, 4);
    writeU32(outbox.buffer, at, credit);
  }

  /** The outbox has room. */
  writable(): void {
    if (!this.#cut && !this.#sentEnd) this.sink.writable();
  }

  // From the other side; the session calls these. They throw FrameError where it broke the rules.

  /** A HEAD frame with payload bytes[from, to). */
  receiveHead(bytes: Uint8Array, from: number, to: number): void {
    const flags = bytes[from];
    if (this.#gotEnd || this.open.kind !== "http" || flags > LAST) throw this.#broken("HEAD");
    let head = bytes.subarray(from + 1, to);
    if (flags === MORE || this.#head !== null) {
      this.#head ??= new Pieces(MAX_HEAD, "a head");
      this.#head.add(bytes, from + 1, to);
      if (flags === MORE) return;
      head = this.#head.bytes;
      this.#head = null;
    }
    this.#gotHead = true;
    if (flags === LAST) this.#gotAll();
    this.sink.head(head, flags === LAST);
  }

  /** Octets of a DATA frame. */
  receiveData(bytes: Uint8Array, from: number, to: number): void {
    const n = to - from;
    if (this.#gotEnd || this.#head !== null || (!this.#gotHead && this.open.kind === "http")) {
      throw this.#broken("DATA");
    }
    if (!this.#window.received(n)) throw new FrameError(`DATA beyond the credit of stream ${this.id}`);
    this.#count(n);
    this.sink.data(bytes.subarray(from, to));
  }

  receiveEnd(bytes: Uint8Array, from: number, to: number): void {
    if (this.#gotEnd || this.#head !== null || (!this.#gotHead && this.open.kind === "http")) {
      throw this.#broken("END");
    }
    this.#gotAll();
    this.sink.end(from === to ? "" : latin1(bytes, from, to));
  }

  receiveCredit(n: number, most: number): void {
    if (n === 0 || n > most - this.#credit) throw this.#broken("CREDIT");
    this.#credit += n;
    if (!this.#short) return;
    this.#short = false;
    this.writable();
  }

  receiveReset(code: string): void {
    this.cut();
    this.sink.reset(code);
  }

  /** Nothing is sent or received any more. */
  cut(): void {
    if (this.#cut) return;
    this.#cut = true;
    this.#streams.gone(this);
  }

  #ended(): void {
    this.#sentEnd = true;
    if (this.#gotEnd) this.#streams.gone(this);
  }

  #gotAll(): void {
    this.#gotEnd = true;
    if (this.#sentEnd) this.#streams.gone(this);
  }

  #count(n: number): void {
    if (this.#moved >= this.#streams.bulk) return;
    this.#moved += n;
    this.#streams.moved(n);
  }

  #broken(what: string): FrameError {
    return new FrameError(`${what} where none may come, on stream ${this.id}`);
  }
}

function copy(bytes: Uint8Array, from: number, to: number, into: Uint8Array, at: number): void {
  if (to - from > SMALL) into.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), at);
  else while (from < to) into[at++] = bytes[from++];
}
