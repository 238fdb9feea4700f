/** One request of a visitor and its answer. */
import { type Refusal, refusal, type Rendered } from "../core/errors.ts";
import { responseToVisitor } from "../core/headers.ts";
import { chunkHead, LAST_CHUNK } from "../core/http1/body.ts";
import { areTrailers } from "../core/http1/trailers.ts";
import type { RequestHead, ResponseHead } from "../core/http1/types.ts";
import type { Conn } from "./conn.ts";
import { BodyFeed } from "./feed.ts";
import { nextRequestId } from "./request_id.ts";
import type { Visitor } from "./visitor.ts";

/** Who takes a request's body; after a 101, whatever the visitor sends. */
export interface BodySink {
  /** Valid during the call only. Returns how many octets were taken; the rest comes again after `resume()`. */
  data(bytes: Uint8Array): number;
  end(trailers: string): void;
}

/** Where an answer stands. OVER: the visitor is gone, or the connection someone else's. */
const WAITING = 0, BODY = 1, DONE = 2, RAW = 3, OVER = 4;

/** How an answer's body is framed for this visitor. */
const NONE = 0, LENGTH = 1, CHUNKED = 2, TO_CLOSE = 3;

/** Of a body that nobody asked for, so much is read to keep the connection. */
const DISCARD_OCTETS = 64 * 1024;

/** Below so many queued octets whoever waited to write may go on. */
export const LOW_WATER = 64 * 1024;

const BAD_RESPONSE = refusal("target_bad_response");

export class Exchange {
  readonly head: RequestHead;
  /** The client's address: the peer's, or what a trusted proxy says. */
  readonly address: string;
  /** The visitor came by https, here or at a trusted proxy. */
  readonly secure: boolean;
  /**
   * Nothing more that is sent reaches the visitor: it left, it broke the rules, or the answer did. Called once, and not
   * after the answer is done.
   */
  onLeave: (() => void) | null = null;
  /** So many more octets of the body (or after a 101) are with the kernel. */
  onFlushed: ((n: number) => void) | null = null;
  /** Little is queued: whoever waited may write on. */
  onWritable: (() => void) | null = null;
  readonly #visitor: Visitor;
  #requestId = "";
  /** Null: no body. */
  readonly #feed: BodyFeed | null;
  #sink: BodySink | null = null;
  /** The visitor waits for a 100. */
  #expecting: boolean;
  #requestDone: boolean;
  #phase = WAITING;
  #framing = NONE;
  /** Octets that a declared length still promises. */
  #left = 0;
  /** Octets of the answer's body that were written, and how many of them `onFlushed` was not told. */
  #unflushed = 0;
  #close = false;
  /** Of an upgraded connection: the visitor's direction has ended. */
  #rawEnded = false;

  /** Made by the visitor's connection only. */
  constructor(visitor: Visitor, head: RequestHead, address: string, secure: boolean) {
    this.#visitor = visitor;
    this.head = head;
    this.address = address;
    this.secure = secure;
    const { framing } = head;
    this.#requestDone = framing.kind === "none" || (framing.kind === "length" && framing.length === 0);
    this.#feed = this.#requestDone ? null : new BodyFeed(framing, visitor.limits);
    this.#expecting = head.expect && !this.#requestDone;
  }

  /** The address of the socket's peer. */
  get peer(): string {
    return this.#visitor.peer;
  }

  /** Unique in this process and most likely beyond it: `[A-Za-z0-9-]`. */
  get requestId(): string {
    return this.#requestId ||= nextRequestId();
  }

  /** The Date of an answer of our own. */
  get date(): string {
    return this.#visitor.date;
  }

  /** Requests that its client has in flight, this one among them; 0 where that is nobody in particular, as on this machine. */
  get crowd(): number {
    return this.#visitor.crowd(this.address);
  }

  /** Octets on their way to the visitor that the kernel has not taken. */
  get queued(): number {
    return this.#visitor.conn.queued;
  }

  /** Asks for the body. Sends no 100: `interim` does, by the word of whoever answers. */
  receive(sink: BodySink): void {
    if (this.#phase === OVER || this.#phase === DONE) return;
    this.#sink = sink;
    if (this.#rawEnded || (this.#feed === null && this.#phase !== RAW)) return sink.end("");
    this.#visitor.watch();
    this.#visitor.conn.resume();
  }

  /** The sink takes octets again. */
  resume(): void {
    if (this.#phase !== OVER) this.#visitor.conn.resume();
  }

  /** Sends a 1xx; HTTP/1.0 visitors get none. */
  interim(head: string | ResponseHead): void {
    if (this.#phase !== WAITING || this.head.minor === 0) return;
    const text = typeof head === "string" ? head : responseToVisitor(head, { chunked: false, close: false });
    if (this.#expecting && text.startsWith("100", 9)) {
      this.#expecting = false;
      this.#visitor.watch();
    } else if (this.queued > LOW_WATER) return; // Nothing else limits how many of them a target sends.
    this.#visitor.conn.writeText(text);
  }

  /** Sends the final head, framed for this visitor. */
  respond(head: ResponseHead): void {
    if (this.#phase !== WAITING) return;
    const { framing } = head;
    if (this.head.method === "HEAD" || head.status === 204 || head.status === 304) this.#framing = NONE;
    else if (framing.kind === "length") {
      this.#framing = LENGTH;
      this.#left = framing.length;
    } else if (framing.kind === "none") this.#framing = NONE;
    else this.#framing = this.head.minor === 0 ? TO_CLOSE : CHUNKED;
    this.#close = this.#mustClose();
    this.#phase = BODY;
    this.#visitor.conn.writeText(
      responseToVisitor(head, { chunked: this.#framing === CHUNKED, close: this.#close }),
    );
    this.#visitor.watch();
  }

  /** Sends body octets, copied. More than the head declared cut the connection: it may be a second answer. */
  write(bytes: Uint8Array): void {
    const { length } = bytes;
    if ((this.#phase !== BODY && this.#phase !== RAW) || length === 0) return;
    const { conn } = this.#visitor;
    if (this.#framing === CHUNKED) {
      conn.writeText(chunkHead(length));
      conn.write(bytes);
      conn.writeText("\r\n");
    } else {
      if (this.#framing === NONE || (this.#framing === LENGTH && (this.#left -= length) < 0)) {
        return this.#cut();
      }
      conn.write(bytes);
    }
    if (this.#unflushed === 0) this.#visitor.watch();
    this.#unflushed += length;
  }

  /** Ends the answer; after a 101 half-closes. Fewer octets than the head declared cut the connection. */
  finish(trailers = ""): void {
    const { conn } = this.#visitor;
    if (this.#phase === RAW) {
      conn.end();
      if (this.#rawEnded) this.#endRaw();
      return;
    }
    if (this.#phase !== BODY) return;
    if (this.#framing === LENGTH && this.#left !== 0) return this.#cut();
    if (this.#framing === CHUNKED) {
      // They come from a daemon: an empty line within them would begin an answer to somebody else's request.
      if (trailers !== "" && !areTrailers(trailers)) return this.#cut();
      conn.writeText(LAST_CHUNK + trailers + "\r\n");
    }
    this.#done();
  }

  /** Cuts the connection: never a clean end. What is queued still goes out. */
  abort(): void {
    if (this.#phase === OVER || this.#phase === DONE) return;
    this.#phase = OVER;
    this.#visitor.close();
  }

  /** Answers with what the listener's `refuse` renders; after a head was sent, cuts. */
  refuse(refusal: Refusal): void {
    if (this.#phase !== WAITING) return this.abort();
    this.answer(this.#visitor.render(refusal, this.head, this.requestId));
  }

  /** A whole answer of our own. */
  answer(rendered: Rendered): void {
    if (this.#phase !== WAITING) return;
    this.#close = this.#mustClose();
    const { conn } = this.#visitor;
    conn.writeText(this.#visitor.complete(rendered.head, this.#close));
    if (this.head.method !== "HEAD") conn.write(rendered.body);
    this.#done();
  }

  /** Sends the 101; from here bytes flow raw, those that came too early first. `finish` half-closes. */
  upgrade(head: ResponseHead): void {
    if (this.#phase !== WAITING) return;
    // Where a body and early bytes could be mistaken for each other, nobody shall have to tell them apart.
    if (this.head.framing.kind !== "none" || this.head.minor === 0) {
      this.onLeave?.();
      return this.refuse(BAD_RESPONSE);
    }
    this.#visitor.conn.writeText(responseToVisitor(head, { chunked: false, close: false }));
    this.#phase = RAW;
    this.#framing = TO_CLOSE;
    this.#visitor.watch();
    if (this.#sink !== null) this.#visitor.conn.resume();
  }

  /** Hands the connection over as it is, held bytes included: set its handler, then `resume()`. */
  detach(): Conn {
    this.#phase = OVER;
    return this.#visitor.detach();
  }

  // For the visitor's connection only.

  /** The request was read to its end. */
  get requestDone(): boolean {
    return this.#requestDone;
  }

  get answered(): boolean {
    return this.#phase === DONE;
  }

  get upgraded(): boolean {
    return this.#phase === RAW;
  }

  /** The connection ends with this exchange. */
  get closes(): boolean {
    return this.#close;
  }

  /** The visitor is to send, and nothing here keeps it from it. */
  get owed(): boolean {
    return this.#sink !== null && !this.#requestDone && !this.#expecting && !this.#feed!.stalled;
  }

  /** Takes what it can of bytes[from, to); returns the index of the rest. Throws Malformed. */
  take(bytes: Uint8Array, from: number, to: number): number {
    const sink = this.#sink;
    if (sink === null || from === to) return from;
    if (this.#phase === RAW) return from + sink.data(bytes.subarray(from, to));
    const feed = this.#feed!;
    this.#expecting = false;
    from = feed.feed(bytes, from, to, sink);
    if (feed.done && !this.#requestDone) {
      this.#requestDone = true;
      this.#visitor.conn.rest();
      sink.end(feed.trailers);
    }
    return from;
  }

  /** The answer is out and the request is not in: reads the rest as long as that is little. */
  discard(): void {
    this.#sink = new Discard(() => this.#visitor.linger());
    this.#visitor.conn.resume();
  }

  /** Octets went to the kernel. Framing is counted as on its way until all is gone: credit is late, never early. */
  flushed(): void {
    const { queued } = this.#visitor.conn;
    const gone = this.#unflushed - queued;
    if (gone > 0) {
      this.#unflushed -= gone;
      this.onFlushed?.(gone);
    }
    if (queued < LOW_WATER && this.#phase !== OVER) this.onWritable?.();
  }

  /** The visitor is gone, whichever way. */
  leave(): void {
    if (this.#phase === OVER || this.#phase === DONE) return;
    this.#phase = OVER;
    this.onLeave?.();
  }

  /** True while the visitor has seen nothing of the final answer. */
  get waiting(): boolean {
    return this.#phase === WAITING;
  }

  /** After a 101: the visitor has ended its direction. */
  rawEnd(): void {
    this.#rawEnded = true;
    this.#sink?.end("");
    if (this.#visitor.conn.ending) this.#endRaw();
  }

  /** The answer is not what its head says. */
  #cut(): void {
    this.leave();
    this.#visitor.close();
  }

  #endRaw(): void {
    if (this.#phase !== RAW) return;
    this.#phase = DONE;
    this.#visitor.close();
  }

  #done(): void {
    this.#phase = DONE;
    this.#visitor.answered(this);
  }

  /**
   * The connection can not be kept: the visitor said so, we are about to end, or a body is coming that would have
   * to be read. A visitor that waits for a 100 it won't get may send its body or not (RFC 9110 §10.1.1): a request
   * that it sends instead must not be taken for that body.
   */
  #mustClose(): boolean {
    if (!this.head.keepAlive || this.head.minor === 0 || this.#visitor.draining) return true;
    if (this.#requestDone) return false;
    if (this.#expecting) return true;
    const { framing } = this.head;
    return this.#sink === null && framing.kind === "length" && framing.length > DISCARD_OCTETS;
  }
}

class Discard implements BodySink {
  #left = DISCARD_OCTETS;
  constructor(private readonly tooMuch: () => void) {}

  data(bytes: Uint8Array): number {
    this.#left -= bytes.length;
    if (this.#left < 0) this.tooMuch();
    return bytes.length;
  }

  end(): void {}
}
