/** One request or connection within a session. */
import type { OpenFields } from "../core/open.ts";
export type { OpenFields };

/** Whoever reads a stream. Nothing is called after `end` of both sides or after a reset, of either side. */
export interface StreamSink {
  /** A whole HTTP head. `last`: the message ends with it, no `end` follows. Bytes are valid during the call only. */
  head(bytes: Uint8Array, last: boolean): void;
  /** Octets, valid during the call only. Give credit back with `stream.consumed` when they are out of memory. */
  data(bytes: Uint8Array): void;
  /** Nothing more comes. `trailers`: raw field lines, each with CRLF. */
  end(trailers: string): void;
  /** The stream was cut by the other side (its code), or with its session (`session_closed`). */
  reset(code: string): void;
  /** `send` accepted less than it was given; now it accepts more. */
  writable(): void;
}

export class Stream {
  /** Reads what comes. */
  sink!: StreamSink;
  constructor(readonly id: number, readonly open: OpenFields) {}
  /** Sends a head, Latin-1 text or bytes of at most MAX_HEAD octets. `last`: there is no body and no `end`. */
  sendHead(_head: string | Uint8Array, _last: boolean): void {
    throw new Error("not yet");
  }
  /** Sends as much of bytes[from, to) as credit and wire take now and returns how much; if not all, `writable` comes. */
  send(_bytes: Uint8Array, _from: number, _to: number): number {
    throw new Error("not yet");
  }
  /** Sends nothing more. */
  end(_trailers?: string): void {
    throw new Error("not yet");
  }
  /** Cuts the stream, both ways. */
  reset(_code: string): void {
    throw new Error("not yet");
  }
  /** `n` octets that came are out of memory: the other side may send as many again. */
  consumed(_n: number): void {
    throw new Error("not yet");
  }
}
