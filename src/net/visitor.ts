/** A visitor's connection: one exchange after the other, in order. */
import type { Timer } from "../clock.ts";
import { Malformed, type Refusal, refusal, type Rendered } from "../core/errors.ts";
import { RequestReader } from "../core/http1/head.ts";
import type { Limits, RequestHead } from "../core/http1/types.ts";
import { clientAddress, forwardedSecure } from "./client.ts";
import { Conn, type ConnHandler } from "./conn.ts";
import { httpDate } from "./date.ts";
import { Exchange, LOW_WATER } from "./exchange.ts";
import type { Client, Listener } from "./listener.ts";
import { nextRequestId } from "./request_id.ts";
import type { Socket } from "./socket.ts";

/** A closing connection's visitor has so long to take its answer and close its side. */
const LINGER_MS = 2_000;
/** Proxies keep connections for a minute or two and expect them to work: we must not be the first to let go. */
const PROXY_KEEP_ALIVE_MS = 150_000;

/** Who comes beyond the limits has so long to say what for. */
const BEYOND_MS = 2_000;

/** A tunnel carries many visitors: what its read buffer grows to. */
const TUNNEL_READ = 256 * 1024;

const BUSY = refusal("hub_busy");
const BAD_REQUEST = refusal("bad_request");
const TIMEOUT = refusal("request_timeout");

/** How a listener takes a connection. */
export interface Standing {
  /** The peer is a proxy that is believed. */
  readonly proxy: boolean;
  /** Who it counts as; null: its requests count by client, or it is not admitted. */
  readonly client: Client | null;
  /** It is within the limits. Beyond them one request is read, and served if it is urgent. */
  readonly admitted: boolean;
}

export class Visitor implements ConnHandler {
  readonly conn: Conn;
  readonly peer: string;
  readonly client: Client | null;
  readonly #proxy: boolean;
  readonly #admitted: boolean;
  readonly #listener: Listener;
  readonly #timer: Timer;
  readonly #reader: RequestReader;
  /** The request that is being answered, or whose rest is being discarded. */
  #exchange: Exchange | null = null;
  /** Within `data`: whoever finishes there is followed up there. */
  #inside = false;
  /** Requests are read; false once the connection is closing, gone or a tunnel. */
  #open = true;
  #lingering = false;
  /** Whose request is in flight. */
  #caller: Client | null = null;
  /** The listener counts it among those with something in flight. */
  #busy = false;
  #gone = false;

  constructor(socket: Socket, peer: string, standing: Standing, listener: Listener) {
    this.conn = new Conn(socket);
    this.conn.handler = this;
    this.peer = peer;
    this.client = standing.client;
    this.#proxy = standing.proxy;
    this.#admitted = standing.admitted;
    this.#listener = listener;
    this.#reader = new RequestReader(listener.limits);
    this.#timer = listener.clock.timer(() => this.#expired());
  }

  /** Begins to serve. */
  start(): void {
    this.#timer.set(this.#proxy && this.#admitted ? PROXY_KEEP_ALIVE_MS : this.#headMs);
    this.conn.start();
  }

  get limits(): Limits {
    return this.#listener.limits;
  }

  /** Requests that the caller from `address` has in flight; 0 where that is nobody in particular. */
  crowd(address: string): number {
    return this.#listener.isLimited(address) ? this.#caller?.busy ?? 0 : 0;
  }

  /** The Date of an answer that is made now. */
  get date(): string {
    return httpDate(this.#listener.clock.now());
  }

  /** The connection ends with the next answer. */
  get draining(): boolean {
    return this.#listener.draining || !this.#admitted;
  }

  /** Has a request that is not answered, or an answer that is not flushed. */
  get busy(): boolean {
    return this.#busy;
  }

  // From the socket.

  data(bytes: Uint8Array): number {
    const end = bytes.length;
    let at = 0;
    this.#inside = true;
    try {
      while (this.#open) {
        const exchange = this.#exchange;
        if (exchange === null) {
          // Whoever takes no answers gets no more of them to fill the memory with; `flushed` goes on.
          if (at === end || this.conn.queued > LOW_WATER) break;
          at = this.#readHead(bytes, at, end);
        } else if (exchange.upgraded) {
          at = exchange.take(bytes, at, end);
          break;
        } else if (exchange.requestDone) {
          // Early bytes of an upgrade, or the next request: held until this one is answered.
          if (!exchange.answered) break;
          this.#next();
        } else {
          at = exchange.take(bytes, at, end);
          if (!exchange.requestDone) break;
        }
      }
      if (this.#exchange !== null) this.watch();
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#refuseRequest(refusal(error.code));
    } finally {
      this.#inside = false;
    }
    return at;
  }

  ended(): void {
    const exchange = this.#exchange;
    if (!this.#open || exchange?.upgraded) return;
    if (exchange === null && !this.#reader.started) return this.close();
    if (exchange === null || (exchange.waiting && !exchange.requestDone)) {
      return this.#refuseRequest(BAD_REQUEST);
    }
    if (exchange.answered) return this.close();
    this.destroy();
  }

  end(): void {
    if (this.#exchange?.upgraded) this.#exchange.rawEnd();
  }

  failed(): void {
    this.destroy();
  }

  flushed(): void {
    if (this.#gone) return;
    this.#exchange?.flushed();
    // Whoever was told may have ended exchange or connection.
    if (this.#gone) return;
    if (this.#exchange !== null) return this.watch();
    if (this.#open && this.conn.held > 0 && this.conn.queued <= LOW_WATER) {
      this.conn.resume();
      if (this.#gone || this.#exchange !== null) return;
    }
    if (this.conn.queued > 0) {
      // Who is amid a head has no more time for it by taking answers.
      if (!this.#open || !this.#reader.started) this.#timer.set(this.#listener.limits.bodyIdleMs);
      return;
    }
    this.#notBusy();
    if (this.#lingering) this.#timer.set(LINGER_MS);
    // With nothing left to write, Conn closes as soon as this returns.
    else if (!this.#open) this.#leave();
    else if (!this.#reader.started) this.#timer.set(this.#idleMs);
  }

  // From the exchange.

  /** Sets the clock by who keeps whom waiting: a visitor that owes octets, or takes none, has so long for the next. */
  watch(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (!exchange.upgraded && (exchange.owed || this.conn.queued > 0)) {
      this.#timer.set(this.#listener.limits.bodyIdleMs);
    } else this.#timer.clear();
  }

  /** An exchange has its whole answer. */
  answered(exchange: Exchange): void {
    if (exchange !== this.#exchange) return;
    if (exchange.closes) return this.linger();
    if (!exchange.requestDone) return exchange.discard();
    if (this.#inside) return;
    this.#next();
    if (this.conn.held > 0) this.conn.resume();
  }

  /** Ends the connection after what is queued, for a visitor that may still be sending. */
  linger(): void {
    this.#drop();
    this.#lingering = true;
    if (this.conn.queued === 0) this.#notBusy();
    this.conn.linger();
  }

  /** Ends the connection after what is queued. */
  close(): void {
    this.#drop();
    this.conn.close();
    if (this.conn.destroyed) this.#leave();
  }

  render(refusal: Refusal, head: RequestHead | null, requestId: string): Rendered {
    return this.#listener.refuse(refusal, head, requestId);
  }

  /** The head of an answer of our own, with what only the connection knows. */
  complete(head: string, close: boolean): string {
    return `${head.slice(0, -2)}Date: ${this.date}\r\n${close ? "Connection: close\r\n" : ""}\r\n`;
  }

  /** The connection is a tunnel from here on. */
  detach(): Conn {
    this.conn.maxRead = TUNNEL_READ;
    this.#leave();
    return this.conn;
  }

  /** Ends it now: the visitor left, or has to. */
  destroy(): void {
    const exchange = this.#exchange;
    this.conn.destroy();
    this.#leave();
    exchange?.leave();
  }

  get #headMs(): number {
    return this.#admitted ? this.#listener.limits.headTimeoutMs : BEYOND_MS;
  }

  get #idleMs(): number {
    return this.#proxy ? PROXY_KEEP_ALIVE_MS : this.#listener.limits.keepAliveMs;
  }

  #readHead(bytes: Uint8Array, at: number, end: number): number {
    const reader = this.#reader, resumed = reader.started;
    at = reader.read(bytes, at, end);
    const { head } = reader;
    // Set once: who sends a head byte by byte gets no more time for each.
    if (head === null) {
      if (!resumed && this.#admitted) this.#timer.set(this.#headMs);
    } else {
      reader.reset();
      this.#begin(head);
    }
    return at;
  }

  #begin(head: RequestHead): void {
    const listener = this.#listener;
    const address = this.#proxy ? clientAddress(head, this.peer, listener.trusted) : this.peer;
    const secure = listener.secure || (this.#proxy && forwardedSecure(head));
    const exchange = this.#exchange = new Exchange(this, head, address, secure);
    this.#timer.clear();
    if (!this.#busy) {
      this.#busy = true;
      listener.busy++;
    }
    if (!this.#admitted && !listener.urgent(head)) return exchange.refuse(BUSY);
    const caller = this.#proxy ? listener.enter(address) : this.client;
    if (caller !== null) caller.busy++;
    else if (this.#proxy) return exchange.refuse(BUSY);
    this.#caller = caller;
    listener.handler(exchange);
  }

  /** The exchange is over, and another may follow. */
  #next(): void {
    this.#forget();
    this.#timer.set(this.#idleMs);
    if (this.conn.queued === 0) this.#notBusy();
  }

  /** What was read is no request, or came too late. */
  #refuseRequest(refused: Refusal): void {
    const exchange = this.#exchange;
    if (exchange === null) return this.#say(refused);
    const { waiting, answered } = exchange;
    exchange.leave();
    if (waiting) this.#say(refused, exchange);
    else if (answered) this.linger();
    else this.close();
  }

  /** The last answer, of our own. */
  #say(refused: Refusal, exchange: Exchange | null = null): void {
    const { head, body } = this.render(
      refused,
      exchange?.head ?? null,
      exchange?.requestId ?? nextRequestId(),
    );
    this.conn.writeText(this.complete(head, true));
    if (exchange?.head.method !== "HEAD") this.conn.write(body);
    this.linger();
  }

  #expired(): void {
    const exchange = this.#exchange;
    if (this.#open && exchange === null && !this.#admitted) return this.#refuseRequest(BUSY);
    if (!this.#open || (exchange === null && !this.#reader.started)) return this.destroy();
    if (exchange === null || exchange.waiting) return this.#refuseRequest(TIMEOUT);
    this.destroy();
  }

  #notBusy(): void {
    if (!this.#busy) return;
    this.#busy = false;
    this.#listener.settled();
  }

  #forget(): void {
    const caller = this.#caller;
    this.#exchange = null;
    if (caller === null) return;
    this.#caller = null;
    caller.busy--;
    if (this.#proxy) this.#listener.leave(caller);
  }

  /** No more requests. What is queued still goes out, while the visitor takes it. */
  #drop(): void {
    this.#open = false;
    this.#forget();
    this.#timer.set(this.conn.queued > 0 ? this.#listener.limits.bodyIdleMs : LINGER_MS);
  }

  /** Gives everything back. */
  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#open = false;
    this.#timer.drop();
    this.#forget();
    this.#notBusy();
    this.#listener.left(this);
  }
}
