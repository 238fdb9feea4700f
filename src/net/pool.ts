/** Connections to one target: taken, kept alive, never used twice for one request. */
import type { Clock } from "../clock.ts";
import type { TargetTls } from "../core/entry.ts";
import type { Code } from "../core/errors.ts";
import type { Framing, ResponseHead } from "../core/http1/types.ts";
import type { Target } from "../core/target.ts";
import { dialForVisitor } from "./dial.ts";
import type { Socket } from "./socket.ts";
import { TargetConn } from "./target_conn.ts";
import { TargetExchange } from "./target_exchange.ts";
import { WaitingRoom } from "./waiting_room.ts";

/** Who takes a target's answer. After `end` or `failed` nothing follows but, of `end`, `flushed`. */
export interface TargetSink {
  /** A connection was made for the request; not called where one was kept. */
  connected(): void;
  interim(head: ResponseHead): void;
  /** The final head, or 101: from then on bytes are raw. */
  head(head: ResponseHead): void;
  /** Valid during the call only. Returns how many octets were taken; the rest comes again after `resume()`. */
  data(bytes: Uint8Array): number;
  end(trailers: string): void;
  /** There is no answer, or not the whole of it. `cause`: what the runtime or the codec said, for the owner's eyes. */
  failed(code: Code, cause: string | null): void;
  /**
   * So many more of the octets given to `send` are with the kernel. What frames them counts as on its way until it is
   * gone: who gives credit back by this gives it late, never early.
   */
  flushed(n: number): void;
}

export interface TargetRequest {
  /** Body octets, copied, no more than the framing declared; after a 101 raw ones. */
  send(bytes: Uint8Array): void;
  /** The request has ended; after a 101 this half-closes. Not needed where the framing is `none`. */
  finish(trailers: string): void;
  /** The sink takes octets again. */
  resume(): void;
  /** The answer is of no use any more: closes the connection. The sink hears nothing more. */
  abort(): void;
  /** It is held no longer. True where it was: nothing of it has reached the target. */
  hurry(): boolean;
}

export interface TargetRequestFacts {
  readonly method: string;
  readonly upgrade: string | null;
  readonly framing: Framing;
  readonly timeoutMs: number;
  /** How long it waits for a target that can't be connected to, dialled again and again. */
  readonly holdMs: number;
}

export interface TargetPoolOptions {
  readonly tls: TargetTls | null;
  readonly clock: Clock;
  /** How connections are made; default: `dialForVisitor`. */
  readonly connect?: (signal: AbortSignal) => Promise<Socket>;
}

/**
 * A kept connection costs both sides a descriptor and, for the seconds that it is idle, 2 KiB of read buffer here, 64 KiB
 * after bulk. Fewer than there are visitors at a time would be made and closed all the time: 128 halved the speed at 256
 * visitors, and 512 doubled the cost of a request at 1,024.
 */
const MAX_IDLE = 4_096;

/**
 * A target may close a connection while a request is on its way there, and then nobody knows whether it was carried out.
 * Servers close what has been idle for some seconds, so one that was in use just now is safe enough for any request.
 */
const FRESH_MS = 1_000;

export class TargetPool {
  readonly clock: Clock;
  readonly connect: (signal: AbortSignal) => Promise<Socket>;
  /** A write that failed may have sent part of what it was given: TLS writes in records of its own. */
  readonly encrypted: boolean;
  readonly waiting: WaitingRoom;
  /** The one that was used last stands at the end. */
  readonly #idle: TargetConn[] = [];
  #closed = false;

  constructor(target: Target, options: TargetPoolOptions) {
    this.clock = options.clock;
    this.connect = options.connect ?? ((signal) => dialForVisitor(target, options.tls, signal));
    this.encrypted = target.kind === "https";
    this.waiting = new WaitingRoom(options.clock);
  }

  /** Sends a request whose whole head is `head`. The sink is never called before this returns. */
  request(head: string, request: TargetRequestFacts, sink: TargetSink): TargetRequest {
    const exchange = new TargetExchange(request, sink);
    // What is upgraded never comes back, so it takes none that others could use.
    const kept = request.upgrade === null ? this.#take(isSafe(request.method)) : null;
    const conn = kept ?? new TargetConn(this);
    conn.begin(exchange);
    conn.writeText(head);
    return exchange;
  }

  /** Closes idle connections now and the others after their answers. */
  close(): void {
    this.#closed = true;
    for (const conn of this.#idle.splice(0)) conn.close();
  }

  // For the connections only.

  /** `conn` is fit for another request. */
  keep(conn: TargetConn): void {
    if (this.#closed || this.#idle.length >= MAX_IDLE) return conn.close();
    conn.idleSince = this.clock.mono();
    this.#idle.push(conn);
  }

  /** `conn` has ended while it was idle. */
  forget(conn: TargetConn): void {
    const at = this.#idle.indexOf(conn);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** `exchange` was given a kept connection that had ended: nothing of `unsent`, the whole of it so far, was sent. */
  again(exchange: TargetExchange, unsent: readonly Uint8Array[]): void {
    const conn = new TargetConn(this);
    conn.begin(exchange);
    for (const bytes of unsent) conn.write(bytes);
  }

  #take(safe: boolean): TargetConn | null {
    if (this.#idle.length === 0) return null;
    const now = this.clock.mono();
    for (let conn = this.#idle.at(-1); conn !== undefined; conn = this.#idle.at(-1)) {
      const idle = now - conn.idleSince;
      // Its timer is coarse and may be late.
      const expired = idle >= conn.idleMs;
      // All others have been idle for longer.
      if (!expired && !safe && idle >= FRESH_MS) break;
      this.#idle.pop();
      if (!expired) return conn;
      conn.close();
    }
    return null;
  }
}

/** Asks for nothing to be done (RFC 9110 §9.2.1); TRACE, the fourth, is never forwarded. */
function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}
