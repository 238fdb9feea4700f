/** One authenticated daemon on one hub: streams, control messages and signs of life over one wire. */
import type { Clock } from "../clock.ts";
import type { Control } from "./hello.ts";
import { type OpenFields, Stream, type StreamSink } from "./stream.ts";
import type { CloseReason, Wire } from "./wire.ts";
export type { CloseReason };

/** Whoever runs a session. */
export interface SessionHandler {
  /** The other side opened a stream: who reads it. It may be reset before this returns. */
  open(stream: Stream): StreamSink;
  /** A control message, checked. */
  control(message: Control): void;
  /** The other side wants no more streams from here; those that are open go on. */
  draining(): void;
  /** The session is over, on whatever side; called once, after the reset of every stream. */
  closed(reason: CloseReason): void;
}

export interface SessionOptions {
  /** How many streams the other side may have open. */
  readonly streams: number;
}

export class Session {
  readonly streams: number = 0;
  readonly load: number = 0;
  readonly rttMs: number | null = null;
  constructor(
    _wire: Wire,
    _role: "dialler" | "acceptor",
    _handler: SessionHandler,
    _clock: Clock,
    _options: SessionOptions,
  ) {}
  open(_fields: OpenFields, _sink: StreamSink): Stream {
    throw new Error("not yet");
  }
  control(_message: object): void {}
  drain(): void {}
  close(_code: string, _message: string): void {}
}
