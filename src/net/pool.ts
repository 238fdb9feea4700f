/** Connections to one target: taken, kept alive, never used twice for one request. */
import type { Clock } from "../clock.ts";
import type { TargetTls } from "../core/entry.ts";
import type { Code } from "../core/errors.ts";
import type { Framing, ResponseHead } from "../core/http1/types.ts";
import type { Target } from "../core/target.ts";
import type { Socket } from "./socket.ts";

/** Who takes a target's answer. After `end` or `failed` nothing follows but, of `end`, `flushed`. */
export interface TargetSink {
  interim(head: ResponseHead): void;
  /** The final head, or 101: from then on bytes are raw. */
  head(head: ResponseHead): void;
  /** Valid during the call only. Returns how many octets were taken; the rest comes again after `resume()`. */
  data(bytes: Uint8Array): number;
  end(trailers: string): void;
  /** There is no answer, or not the whole of it. */
  failed(code: Code): void;
  /** So many more octets of what was sent are with the kernel, framing included. */
  flushed(n: number): void;
}

export interface TargetRequest {
  /** Body octets, copied; after a 101 raw ones. */
  send(bytes: Uint8Array): void;
  /** The request has ended; after a 101 this half-closes. Not needed where the framing is `none`. */
  finish(trailers: string): void;
  /** The sink takes octets again. */
  resume(): void;
  /** The answer is of no use any more: closes the connection. The sink hears nothing more. */
  abort(): void;
}

export interface TargetRequestFacts {
  readonly method: string;
  readonly upgrade: string | null;
  readonly framing: Framing;
  readonly timeoutMs: number;
}

export interface TargetPoolOptions {
  readonly tls: TargetTls | null;
  readonly clock: Clock;
  /** How connections are made; default: `dial`. */
  readonly connect?: (signal: AbortSignal) => Promise<Socket>;
}

export class TargetPool {
  constructor(_target: Target, _options: TargetPoolOptions) {}
  /** Sends a request whose whole head is `head`. The sink is never called before this returns. */
  request(_head: string, _request: TargetRequestFacts, _sink: TargetSink): TargetRequest {
    throw new Error("not yet");
  }
  /** Closes idle connections now and the others after their answers. */
  close(): void {}
}
