/** One authenticated daemon on one hub: streams, control messages and signs of life over one wire. */
import type { Clock } from "../clock.ts";
import { Failure } from "../core/errors.ts";
import { MAX_CREDIT } from "../core/flow.ts";
import { FrameError, FrameReader, type FrameSink, readU32, Type, writeU32 } from "../core/frame.ts";
import { latin1 } from "../core/latin1.ts";
import type { OpenFields } from "../core/open.ts";
import { ControlReader, writeControl } from "./control.ts";
import type { Control } from "./hello.ts";
import { Outbox } from "./outbox.ts";
import { parseControl } from "./parse.ts";
import { Pulse } from "./pulse.ts";
import { Stream, type StreamSink } from "./stream.ts";
import { CODE, Streams } from "./streams.ts";
import { type CloseReason, closeReason, type Wire, type WireReceiver } from "./wire.ts";

export type { CloseReason };

/** So long an end that is told why may take to read it and to close. */
const CLOSE_MS = 5_000;

/** What every stream is cut with when its session is over. */
export const SESSION_CLOSED = "session_closed";

/** Whoever runs a session. Nothing is called from within the constructor. */
export interface SessionHandler {
  /** The other side opened a stream: who reads it. It may be reset before this returns. */
  open(stream: Stream): StreamSink;
  /** A control message, checked; of a type that is known. */
  control(message: Control): void;
  /** The other side wants no more streams from here; those that are open go on. */
  draining(): void;
  /** The session is over, by whatever side; called once, after the reset of every stream. */
  closed(reason: CloseReason): void;
}

export interface SessionOptions {
  /** How many streams the other side may have open; further ones are reset with `hub_busy`. */
  readonly streams: number;
}

/** Frames of one wire to streams and back. What the peer does wrong ends the session, never the process. */
export class Session implements WireReceiver, FrameSink {
  readonly #wire: Wire;
  readonly #handler: SessionHandler;
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #streams: Streams;
  readonly #pulse: Pulse;
  readonly #frames = new FrameReader();
  readonly #control = new ControlReader();
  #heard = false;
  #over = false;

  constructor(
    wire: Wire,
    role: "dialler" | "acceptor",
    handler: SessionHandler,
    clock: Clock,
    options: SessionOptions,
  ) {
    this.#wire = wire;
    this.#handler = handler;
    this.#clock = clock;
    this.#outbox = new Outbox(wire, () => this.#streams.size, (error) => this.#fail(error));
    this.#streams = new Streams(this.#outbox, role, options.streams, clock);
    this.#pulse = new Pulse(
      clock,
      this.#ping,
      () => this.close("dead", "the other side gives no sign of life"),
    );
    queueMicrotask(() => {
      if (!this.#over) wire.start(this);
    });
  }

  /** Open streams, of both sides. */
  get streams(): number {
    return this.#streams.size;
  }

  /** How much there is to do here, to be compared with other sessions': octets that wait, streams, bulk above all. */
  get load(): number {
    return this.#outbox.length + this.#streams.load;
  }

  /** Octets that wait to leave, and how many left since the session began: what stands still has the same `sent`. */
  get progress(): { readonly queued: number; readonly sent: number } {
    const { queued, sent } = this.#outbox;
    return { queued, sent };
  }

  /** The last round trip that was measured, in ms. */
  get rttMs(): number | null {
    return this.#pulse.rttMs;
  }

  /** The other side was asked for a sign of life and has given none yet: it may be gone. */
  get silent(): boolean {
    return this.#pulse.silent;
  }

  /** Asks the other side for a sign of life now. */
  doubt(): void {
    if (!this.#over) this.#pulse.doubt();
  }

  /** Opens a stream. Throws RangeError where a field can not be sent, Error once the session is over. */
  open(fields: OpenFields, sink: StreamSink): Stream {
    if (this.#over) throw new Error("the session is over");
    return this.#streams.open(fields, sink);
  }

  /** Sends a control message. Throws RangeError where it is larger than MAX_CONTROL. */
  control(message: object): void {
    if (!this.#over) writeControl(this.#outbox, message);
  }

  /** Asks the other side for no more streams. */
  drain(): void {
    if (!this.#over) this.#outbox.frame(Type.DRAIN, 0, 0);
  }

  /** Sends what waits, says why, and ends. `code`: a word of `[a-z_]`. */
  close(code: string, message: string): void {
    if (this.#over) return;
    const reason = closeReason(code, message);
    this.#over = true;
    this.#outbox.close();
    this.#wire.close(reason);
    this.#end(reason);
  }

  // From the wire.

  bytes(bytes: Uint8Array, from: number, to: number): void {
    if (this.#over) return;
    this.#pulse.heard();
    if (!this.#heard) {
      // The first one to speak is the dialler; what the windows grow by should be known early.
      this.#heard = true;
      this.#pulse.ask();
    }
    try {
      this.#frames.read(bytes, from, to, this);
    } catch (error) {
      this.#fail(error);
    }
  }

  boundary(): void {
    if (!this.#frames.atBoundary) this.#fail(new FrameError("a message ended within a frame"));
  }

  closed(reason: CloseReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#outbox.close();
    this.#end(reason);
  }

  // From the frames.

  frame(type: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (this.#over) return;
    switch (type) {
      case Type.OPEN: {
        const stream = this.#streams.accept(id, bytes, from, to);
        if (stream !== null) stream.sink = this.#handler.open(stream);
        return;
      }
      case Type.HEAD:
        return this.#stream(id)?.receiveHead(bytes, from, to);
      case Type.END:
        return this.#stream(id)?.receiveEnd(bytes, from, to);
      case Type.RESET:
        return this.#stream(id)?.receiveReset(readCode(bytes, from, to));
      case Type.CREDIT:
        if (id === 0) return this.#streams.setInitial(readU32(bytes, from));
        return this.#stream(id)?.receiveCredit(readU32(bytes, from), MAX_CREDIT);
      case Type.PING: {
        const at = this.#outbox.frame(Type.PONG, 0, to - from);
        return this.#outbox.buffer.set(bytes.subarray(from, to), at);
      }
      case Type.PONG:
        this.#pulse.answered(readU32(bytes, from + 4));
        this.#streams.rttMs = this.#pulse.rttMs;
        return;
      case Type.DRAIN:
        return this.#handler.draining();
      case Type.CONTROL:
        return this.#message(this.#control.read(bytes, from, to));
    }
  }

  data(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (!this.#over) this.#stream(id)?.receiveData(bytes, from, to);
  }

  expect(type: number, id: number): void {
    if (type === Type.OPEN) this.#streams.checkNew(id);
    else if (id !== 0) this.#streams.checkKnown(id);
  }

  /** Undefined for one that was closed here while frames for it were on their way. */
  #stream(id: number): Stream | undefined {
    const stream = this.#streams.get(id);
    if (stream === undefined) this.#streams.checkKnown(id);
    return stream;
  }

  #message(value: unknown): void {
    if (value === undefined) return;
    const message = parseControl(value);
    if (message !== null) this.#handler.control(message);
  }

  readonly #ping = (number: number): void => {
    const at = this.#outbox.frame(Type.PING, 0, 8);
    writeU32(this.#outbox.buffer, writeU32(this.#outbox.buffer, at, 0), number);
  };

  /** Rules that the peer broke are its fault; anything else is ours. Either way the state of this session is lost. */
  #fail(error: unknown): void {
    const theirs = error instanceof FrameError || error instanceof Failure;
    this.close(
      theirs ? "protocol_error" : "internal_error",
      error instanceof Error ? error.message : String(error),
    );
  }

  #end(reason: CloseReason): void {
    this.#pulse.drop();
    this.#clock.timer(() => this.#wire.destroy()).set(CLOSE_MS);
    const error = this.#streams.cutAll(SESSION_CLOSED);
    this.#handler.closed(error === null ? reason : closeReason("internal_error", error));
  }
}

function readCode(bytes: Uint8Array, from: number, to: number): string {
  const code = latin1(bytes, from, to);
  if (!CODE.test(code)) throw new FrameError("a RESET whose code is no code");
  return code;
}
