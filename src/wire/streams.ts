/** The streams of one session: their ids, their number, and the windows they share. */
import type { Clock } from "../clock.ts";
import { Budget, INITIAL_WINDOW, NEWCOMER_WINDOW, type Window } from "../core/flow.ts";
import { FrameError, Type, writeU32 } from "../core/frame.ts";
import { NARROW, NARROW_BACK, type OpenFields, openLength, readOpen, writeOpen } from "../core/open.ts";
import type { Outbox } from "./outbox.ts";
import { Stream, type StreamSink } from "./stream.ts";
import { StreamTable } from "./table.ts";
import { writeText } from "./text.ts";

/** A stream that has moved so much counts as this much load, however much more it moves. */
const BULK = 1024 * 1024;
/** What an open stream weighs against octets that wait. */
const STREAM_WEIGHT = 4 * 1024;
/** Until the first PONG: a far hub's, so that windows rather grow. */
const ASSUMED_RTT_MS = 100;

/** What a RESET says: it goes into logs and answers. */
export const CODE = /^[a-z0-9_]{1,64}$/;

export class Streams {
  readonly outbox: Outbox;
  readonly bulk = BULK;
  rttMs: number | null = null;
  readonly #open = new StreamTable();
  readonly #budget = new Budget();
  /** The last id that was taken, by this side and by the other. */
  #own: number;
  #theirs: number;
  /** How many of the open ones the other side opened, and how many it may. */
  #accepted = 0;
  readonly #most: number;
  /** What the other side said that our streams begin with. */
  #initial = INITIAL_WINDOW;
  #weight = 0;
  readonly #clock: Clock;

  /** The dialler opens even ids, the acceptor odd ones. `most`: how many the other side may have open. */
  constructor(outbox: Outbox, role: "dialler" | "acceptor", most: number, clock: Clock) {
    this.outbox = outbox;
    [this.#own, this.#theirs] = role === "dialler" ? [0, -1] : [-1, 0];
    this.#most = most;
    this.#clock = clock;
  }

  get size(): number {
    return this.#open.size;
  }

  /** What the streams weigh, in octets: open ones, and more so those that have moved much. */
  get load(): number {
    return this.#weight + this.#open.size * STREAM_WEIGHT;
  }

  get(id: number): Stream | undefined {
    return this.#open.get(id);
  }

  /** Opens a stream and tells the other side. */
  open(fields: OpenFields, sink: StreamSink): Stream {
    const window = this.#budget.initial, credit = this.#initial;
    const id = this.#nextId();
    const flags = (credit === NEWCOMER_WINDOW ? NARROW : 0) | (window === NEWCOMER_WINDOW ? NARROW_BACK : 0);
    const at = this.outbox.frame(Type.OPEN, id, openLength(fields));
    writeOpen(this.outbox.buffer, at, fields, flags);
    return this.#add(new Stream(this, id, fields, sink, window, credit));
  }

  /**
   * The other side opens a stream. Null where it has too many, or too much was promised to it: it is told `hub_busy`. Throws FrameError for an id that
   * is not the next of its own.
   */
  accept(id: number, bytes: Uint8Array, from: number, to: number): Stream | null {
    this.checkNew(id);
    this.#theirs = id;
    const fields = readOpen(bytes, from, to);
    const flags = bytes[from + 1];
    if (this.#accepted >= this.#most || this.#budget.full) {
      this.refuse(id, "hub_busy");
      return null;
    }
    this.#accepted++;
    const window = (flags & NARROW) !== 0 ? NEWCOMER_WINDOW : INITIAL_WINDOW;
    const credit = (flags & NARROW_BACK) !== 0 ? NEWCOMER_WINDOW : INITIAL_WINDOW;
    return this.#add(new Stream(this, id, fields, NOBODY, window, credit));
  }

  /** Throws FrameError unless `id` may be the other side's next: ahead of its last, and not open. */
  checkNew(id: number): void {
    if (((id ^ this.#theirs) & 1) !== 0 || !isAhead(id, this.#theirs) || this.#open.get(id) !== undefined) {
      throw new FrameError(`OPEN of stream ${id}`);
    }
  }

  /** Throws FrameError unless `id` was opened some time: frames for a stream that was just closed are still coming. */
  checkKnown(id: number): void {
    const last = ((id ^ this.#own) & 1) === 0 ? this.#own : this.#theirs;
    if (isAhead(id, last)) throw new FrameError(`a frame on stream ${id}, which nobody opened`);
  }

  /** Tells the other side that stream `id` is cut. Throws RangeError where `code` is none. */
  refuse(id: number, code: string): void {
    if (!CODE.test(code)) throw new RangeError(`a stream is cut with ${JSON.stringify(code)}`);
    const at = this.outbox.frame(Type.RESET, id, code.length);
    writeText(this.outbox.buffer, at, code);
  }

  /** The other side said what our streams begin with from now on. */
  setInitial(octets: number): void {
    if (octets !== INITIAL_WINDOW && octets !== NEWCOMER_WINDOW) {
      throw new FrameError(`streams begin with ${octets}`);
    }
    this.#initial = octets;
  }

  /** Cuts them all: the session is over. Returns what a reader threw: it must not keep the others open. */
  cutAll(code: string): string | null {
    let failure: string | null = null;
    for (const stream of this.#open.values()) {
      try {
        stream.receiveReset(code);
      } catch (error) {
        failure = String(error);
      }
    }
    return failure;
  }

  // What a stream tells of itself.

  grant(window: Window): number {
    return window.grant(this.#clock.mono(), this.rttMs ?? ASSUMED_RTT_MS, this.#budget.crowded);
  }

  /** The sum of windows changed by `octets`. */
  resized(octets: number): void {
    if (!this.#budget.add(octets)) return;
    const at = this.outbox.frame(Type.CREDIT, 0, 4);
    writeU32(this.outbox.buffer, at, this.#budget.initial);
  }

  moved(octets: number): void {
    this.#weight += octets;
  }

  gone(stream: Stream): void {
    if (!this.#open.delete(stream)) return;
    if (((stream.id ^ this.#own) & 1) !== 0) this.#accepted--;
    this.#weight -= stream.moved;
    this.outbox.forget(stream);
    this.resized(-stream.window);
  }

  #add(stream: Stream): Stream {
    this.#open.add(stream);
    this.resized(stream.window);
    return stream;
  }

  #nextId(): number {
    do this.#own = followingId(this.#own); while (this.#open.get(this.#own) !== undefined);
    return this.#own;
  }
}

/** The id after `id` of the same side. After the last, within a day of load, they begin again; 0 is no stream's. */
export function followingId(id: number): number {
  const next = id + 2 >>> 0;
  return next === 0 ? 2 : next;
}

/** What lies less than half the circle of ids ahead of `last` is new, the rest was there before. */
export function isAhead(id: number, last: number): boolean {
  return (id - last | 0) > 0;
}

/** Reads a stream until its session's handler has said who does. */
const NOBODY: StreamSink = { head() {}, data() {}, end() {}, reset() {}, writable() {} };
