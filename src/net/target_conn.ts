/** One connection to a target: dialled for a request, then carrying one after the other. */
import type { Timer } from "../clock.ts";
import { type Code, Malformed } from "../core/errors.ts";
import { ResponseReader } from "../core/http1/head.ts";
import type { ResponseHead } from "../core/http1/types.ts";
import { Conn, type ConnHandler } from "./conn.ts";
import { type Dialler, Dialling } from "./dialling.ts";
import { BodyFeed } from "./feed.ts";
import { idleMsAfter } from "./keep_alive.ts";
import { Outbox } from "./outbox.ts";
import type { TargetPool } from "./pool.ts";
import type { Socket } from "./socket.ts";
import type { TargetExchange } from "./target_exchange.ts";

/** Interim answers are passed on whether or not the visitor reads: a target that says nothing else is cut off. */
const MAX_INTERIM = 32;

/** Where the answer stands. ANSWERED: all of it was read, but the request is not with the kernel yet. */
const WAITING = 0, BODY = 1, RAW = 2, ANSWERED = 3;

export class TargetConn implements ConnHandler, Dialler {
  /** Since when it has been idle, by the clock's `mono`, and how long it may be. */
  idleSince = 0;
  idleMs = 0;
  readonly #pool: TargetPool;
  readonly #timer: Timer;
  readonly #reader = new ResponseReader();
  /** Null: it is being dialled. */
  #conn: Conn | null = null;
  readonly #dialling: Dialling;
  /** What was written before there was a connection, side by side: a chunk may be one octet. */
  readonly #early = new Outbox();
  /** Null: idle. */
  #exchange: TargetExchange | null = null;
  #phase = WAITING;
  /** The body that is being read; null: it is all that comes, up to the end. */
  #feed: BodyFeed | null = null;
  #interims = 0;
  /** The answer leaves the connection fit for another request. */
  #reusable = false;
  /** It carried a request before this one. */
  #kept = false;
  /** Nothing of the request can have reached the target, unless a write is under way. */
  #untouched = true;
  /** What is sent does not arrive. */
  #deaf = false;
  #closed = false;

  /** Begins to dial. */
  constructor(pool: TargetPool) {
    this.#pool = pool;
    this.#timer = pool.clock.timer(() => this.#expired());
    this.#dialling = new Dialling(pool, this, this.#timer);
  }

  // From the pool and the exchange.

  /** Carries `exchange` from here on. */
  begin(exchange: TargetExchange): void {
    this.#exchange = exchange;
    exchange.conn = this;
    this.#phase = WAITING;
    this.#untouched = true;
    this.#interims = 0;
    this.#reader.expect(exchange.facts);
    // A deadline of idleness; while it is being dialled the one for that stands.
    if (this.#conn !== null) this.#timer.clear();
    else this.#dialling.hold(exchange.facts.holdMs);
  }

  write(bytes: Uint8Array): void {
    const conn = this.#conn;
    if (conn === null) return this.#early.add(bytes);
    const first = conn.queued === 0;
    conn.write(bytes);
    // Not by what is sent later, only by what the target takes, is there more time.
    if (first) this.#awaitTarget(conn);
  }

  writeText(text: string): void {
    if (this.#conn === null) this.#early.addText(text);
    else this.#conn.writeText(text);
  }

  /** The exchange has its whole request. */
  requestEnded(): void {
    const conn = this.#conn;
    if (conn === null) return;
    if (this.#phase === RAW) {
      conn.end();
      if (conn.atEnd && conn.held === 0) this.#closeFlushed(conn);
    } else if (this.#phase === ANSWERED) this.#settle();
    else this.#awaitTarget(conn);
  }

  resume(): void {
    this.#conn?.resume();
  }

  /** Waits no longer for a target that can't be connected to. True where it did. */
  hurry(): boolean {
    return this.#conn === null && this.#dialling.hurry();
  }

  /** Closes it now. Nobody hears of it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer.drop();
    this.#detach();
    if (this.#conn === null) {
      this.#dialling.giveUp();
      this.#early.drop();
    } else this.#conn.destroy();
  }

  // From the socket.

  data(bytes: Uint8Array): number {
    const exchange = this.#exchange;
    if (exchange === null || (this.#untouched && !this.#conn!.writing)) {
      // Nobody asked for it: it may be the notice of a server that is about to close.
      this.#lost("target_bad_response");
      return bytes.length;
    }
    try {
      return this.#read(exchange, bytes);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#fail("target_bad_response", error.message);
      return bytes.length;
    }
  }

  end(): void {
    switch (this.#phase) {
      case WAITING:
        // Whether the kernel took any of the request is known when the write that is under way ends.
        if (this.#exchange !== null && this.#untouched && this.#conn!.writing) return;
        return this.#lost("target_closed");
      case BODY:
        if (this.#feed === null) return this.#complete("");
        return this.#fail("target_closed");
      case RAW:
        return this.#rawEnd();
      case ANSWERED:
        return this.close();
    }
  }

  failed(): void {
    if (this.#phase === WAITING) this.#lost("target_closed");
    else this.#fail("target_closed");
  }

  flushed(): void {
    const exchange = this.#exchange, conn = this.#conn!;
    if (exchange === null) {
      // The last octets after a 101 whose directions have both ended.
      if (conn.queued === 0) this.close();
      return;
    }
    this.#untouched = false;
    exchange.flushed(conn.queued);
    if (this.#exchange !== exchange) return;
    if (this.#phase === ANSWERED) this.#settle();
    else if (this.#phase === WAITING) {
      // Its end came while this write was under way.
      if (conn.atEnd && conn.held === 0) this.#fail("target_closed");
      else this.#awaitTarget(conn);
    }
  }

  /** The target reads no more. It may have answered nevertheless: what can be read tells, or time does. */
  writeFailed(): void {
    this.#deaf = true;
    if (this.#pool.encrypted) this.#untouched = false;
    if (this.#phase === ANSWERED) return this.close();
    // Its own direction may have ended before: then nothing that is read will tell.
    if (this.#phase === RAW && this.#conn!.atEnd && this.#conn!.held === 0) {
      return this.#fail("target_closed");
    }
    if (this.#phase !== WAITING) return;
    if (this.#untouched && this.#kept) this.#lost("target_closed");
    else if (this.#conn!.atEnd) this.#fail("target_closed");
    else this.#timer.set(this.#exchange!.facts.timeoutMs);
  }

  connected(socket: Socket): void {
    const conn = this.#conn = new Conn(socket);
    conn.handler = this;
    this.#exchange?.sink.connected();
    for (const bytes of this.#early.reclaim()) conn.write(bytes);
    this.#awaitTarget(conn);
    conn.start();
  }

  notConnected(code: Code, cause: string): void {
    this.#fail(code, cause);
  }

  /** Returns how many octets were read. Throws Malformed. */
  #read(exchange: TargetExchange, bytes: Uint8Array): number {
    const end = bytes.length;
    let at = 0;
    // Whoever is told something may abort, and then it is over in the middle of this.
    while (this.#exchange === exchange) {
      switch (this.#phase) {
        case WAITING:
          if (at === end) return at;
          at = this.#reader.read(bytes, at, end);
          if (this.#reader.head === null) return at;
          this.#take(exchange, this.#reader.head, at === end);
          break;
        case BODY: {
          const feed = this.#feed;
          if (feed === null) return at === end ? at : at + exchange.data(bytes.subarray(at));
          at = feed.feed(bytes, at, end, exchange);
          if (!feed.done) return at;
          // An answer that nobody asked for might be taken for that to the next request.
          if (at < end) this.#reusable = false;
          this.#complete(feed.trailers);
          break;
        }
        case RAW:
          return at === end ? at : at + exchange.data(bytes.subarray(at));
        case ANSWERED:
          if (at < end) this.#reusable = false;
          return end;
      }
    }
    return end;
  }

  /** `last`: no octet came after it. */
  #take(exchange: TargetExchange, head: ResponseHead, last: boolean): void {
    const { status, framing } = head;
    if (status < 200 && status !== 101) {
      if (++this.#interims > MAX_INTERIM) {
        throw new Malformed("target_bad_response", "interim answers without end");
      }
      this.#reader.next();
      return exchange.sink.interim(head);
    }
    this.#timer.clear();
    if (status === 101) {
      this.#phase = RAW;
      exchange.requestDone = false;
      return exchange.sink.head(head);
    }
    this.#phase = BODY;
    this.#reusable = head.keepAlive;
    this.idleMs = idleMsAfter(head);
    const bodiless = framing.kind === "none" || (framing.kind === "length" && framing.length === 0);
    this.#feed = bodiless || framing.kind === "close" ? null : new BodyFeed(framing);
    if (bodiless && !last) this.#reusable = false;
    exchange.sink.head(head);
    if (bodiless && this.#exchange === exchange) this.#complete("");
  }

  /** The answer is whole. */
  #complete(trailers: string): void {
    const { sink } = this.#exchange!;
    this.#phase = ANSWERED;
    this.#settle();
    sink.end(trailers);
  }

  /** The answer is whole: so may the request be. */
  #settle(): void {
    const exchange = this.#exchange!, conn = this.#conn!;
    if (!exchange.requestDone) return;
    // It may want the rest of it, but not for ever.
    if (conn.queued > 0 && !this.#deaf) return this.#timer.set(exchange.facts.timeoutMs);
    if (!this.#reusable || this.#deaf || conn.atEnd) return this.close();
    this.#detach();
    this.#phase = WAITING;
    this.#kept = true;
    this.#timer.set(this.idleMs);
    this.#pool.keep(this);
  }

  /** The time for an answer runs from the last octet that the target took, unless it is the visitor who owes the next. */
  #awaitTarget(conn: Conn): void {
    const { requestDone, facts } = this.#exchange!;
    if (this.#phase !== WAITING) return;
    if (requestDone || conn.queued > 0) this.#timer.set(facts.timeoutMs);
    else this.#timer.clear();
  }

  #rawEnd(): void {
    const { sink, requestDone } = this.#exchange!;
    // The other direction will never end.
    if (this.#deaf) return this.#fail("target_closed");
    if (requestDone) this.#closeFlushed(this.#conn!);
    sink.end("");
  }

  /** Both directions of what was upgraded have ended. */
  #closeFlushed(conn: Conn): void {
    if (conn.queued === 0) return this.close();
    conn.close();
    this.#timer.set(this.#exchange!.facts.timeoutMs);
    this.#detach();
  }

  /** It ended, or can not be trusted, before it answered. A request that it has nothing of goes by another, once. */
  #lost(code: Code): void {
    const exchange = this.#exchange, conn = this.#conn!;
    if (exchange === null) {
      this.#pool.forget(this);
      return this.close();
    }
    if (!this.#kept || !this.#untouched || conn.writing) return this.#fail(code);
    const unsent = conn.reclaim();
    this.close();
    this.#pool.again(exchange, unsent);
  }

  #fail(code: Code, cause: string | null = null): void {
    const exchange = this.#exchange;
    this.close();
    exchange?.sink.failed(code, cause);
  }

  #expired(): void {
    if (this.#exchange === null) this.#lost("target_closed");
    else if (this.#phase === ANSWERED) this.close();
    else if (this.#conn === null) this.#dialling.expired();
    else this.#fail("target_timeout");
  }

  #detach(): void {
    if (this.#exchange !== null) this.#exchange.conn = null;
    this.#exchange = null;
  }
}
