/** A member's stream and the daemon's, joined: octets and credit both ways, each of which ends by itself. */
import { giveBack, lend } from "../net/buffers.ts";
import type { Stream, StreamSink } from "../wire/stream.ts";

/** Octets that wait, in a buffer that is lent. */
interface Held {
  readonly buffer: Uint8Array<ArrayBuffer>;
  from: number;
  to: number;
}

/** One direction: reads one stream and sends on the other, which may still have to come about. */
class Direction implements StreamSink {
  octets = 0;
  /** The direction that reads the stream which this one sends on. */
  back!: Direction;
  #to: Stream | null = null;
  /** What was not taken yet, within the window of `from`. */
  readonly #held: Held[] = [];
  #ended = false;
  /** Why nothing is read of the other direction any more, once this one has ended. */
  #code: string | null = null;

  constructor(private readonly from: Stream, private readonly over: (code: string | null) => void) {
    from.sink = this;
  }

  /** All of it was sent. */
  get done(): boolean {
    return this.#ended && this.#held.length === 0;
  }

  sendTo(to: Stream): void {
    this.#to = to;
    this.#flush();
  }

  head(): void {}

  data(bytes: Uint8Array): void {
    this.octets += bytes.length;
    const { length } = bytes;
    const taken = this.#to === null || this.#held.length > 0 ? 0 : this.#to.send(bytes, 0, length);
    if (taken > 0) this.from.consumed(taken);
    if (taken < length) this.#hold(taken === 0 ? bytes : bytes.subarray(taken));
  }

  end(): void {
    this.#ended = true;
    if (this.#to !== null) this.#flush();
  }

  /** What came before an end is whole, and still goes out. */
  reset(code: string): void {
    if (!this.#ended) {
      this.#to?.reset(code);
      return this.over(code);
    }
    if (this.done) return this.#cut(code);
    this.#code = code;
  }

  writable(): void {
    this.back.#flush();
  }

  /** A buffer is filled before there is another: many small pieces would each keep one. */
  #hold(bytes: Uint8Array): void {
    const last = this.#held.at(-1), { length } = bytes;
    if (last !== undefined && last.buffer.length - last.to >= length) {
      last.buffer.set(bytes, last.to);
      last.to += length;
      return;
    }
    const buffer = lend(length);
    buffer.set(bytes);
    this.#held.push({ buffer, from: 0, to: length });
  }

  #flush(): void {
    const to = this.#to!;
    while (this.#held.length > 0) {
      const [first] = this.#held;
      const taken = to.send(first.buffer, first.from, first.to);
      first.from += taken;
      this.from.consumed(taken);
      if (first.from < first.to) return;
      this.#held.shift();
      giveBack(first.buffer);
    }
    if (!this.#ended) return;
    to.end();
    if (this.#code !== null) this.#cut(this.#code);
    else if (this.back.done) this.over(null);
  }

  #cut(code: string): void {
    this.#to?.reset(code);
    this.over(code);
  }
}

/** Both directions. Nobody on either side is trusted: a stream that is cut ends the other. */
export class Bridge {
  readonly #member: Stream;
  readonly #up: Direction;
  #daemon: Stream | null = null;
  #down: Direction | null = null;
  #over = false;

  /** `done`: called once; null: both ways ended. `byDaemon`: the code is the daemon's, as against the member's or ours. */
  constructor(member: Stream, private readonly done: (code: string | null, byDaemon: boolean) => void) {
    this.#member = member;
    this.#up = new Direction(member, (code) => this.#finish(code, false));
  }

  /** Octets towards the service, and back. */
  get octets(): { readonly in: number; readonly out: number } {
    return { in: this.#up.octets, out: this.#down?.octets ?? 0 };
  }

  /** Who reads the member's stream. */
  get sink(): StreamSink {
    return this.#up;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Joins the daemon's stream. */
  join(daemon: Stream): void {
    this.#daemon = daemon;
    const down = this.#down = new Direction(daemon, (code) => this.#finish(code, true));
    down.back = this.#up;
    this.#up.back = down;
    down.sendTo(this.#member);
    this.#up.sendTo(daemon);
  }

  /** Cuts both. */
  cut(code: string): void {
    if (this.#over) return;
    this.#member.reset(code);
    this.#daemon?.reset(code);
    this.#finish(code, false);
  }

  #finish(code: string | null, byDaemon: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.done(code, byDaemon);
  }
}
