/** A connection of raw octets and the stream that carries it: both ways, each of which ends by itself. */
import type { Conn, ConnHandler } from "../net/conn.ts";
import type { Stream } from "./stream.ts";

/**
 * Reads a stream for a connection, which may still have to come about: until `attach` it keeps what comes, within the
 * stream's window. After the end of a direction a reset means only that nothing more is read of the other.
 */
export class Splice implements ConnHandler {
  /** Octets that came by the stream, and that went by it. */
  received = 0;
  sent = 0;
  #conn: Conn | null = null;
  /** What came before there was a connection. */
  #early: Uint8Array[] = [];
  /** The connection has ended its direction, and the stream its own. */
  #ended = false;
  #told = false;
  /** The connection takes nothing any more, though it may still say something. */
  #deaf = false;
  #over = false;

  /** `broken`: what the stream is reset with where the connection breaks. `done`: called once; null: both ways ended. */
  constructor(
    private readonly stream: Stream,
    private readonly broken: string,
    private readonly done: (code: string | null) => void,
  ) {
    stream.sink = {
      head() {},
      data: (bytes) => this.#receive(bytes),
      end: () => this.#endTold(),
      reset: (code) => this.#reset(code),
      writable: () => this.#conn?.resume(),
    };
  }

  get over(): boolean {
    return this.#over;
  }

  /** Takes over a connection that was not started yet. */
  attach(conn: Conn): void {
    if (this.#over) return conn.destroy();
    this.#conn = conn;
    conn.handler = this;
    for (const bytes of this.#early) conn.write(bytes);
    this.#early = [];
    if (this.#told) conn.end();
    conn.start();
  }

  /** Cuts both, and tells the other side why. */
  cut(code: string): void {
    if (this.#over) return;
    this.stream.reset(code);
    this.#finish(code);
    this.#conn?.destroy();
  }

  // From the connection.

  data(bytes: Uint8Array): number {
    if (this.#over) return bytes.length;
    const taken = this.stream.send(bytes, 0, bytes.length);
    this.sent += taken;
    return taken;
  }

  end(): void {
    if (this.#over) return;
    this.#ended = true;
    this.stream.end();
    if (this.#told) this.#close();
  }

  flushed(n: number): void {
    if (!this.#over) this.stream.consumed(n);
  }

  failed(): void {
    this.cut(this.broken);
  }

  /** What the other side of the connection said before may still be read. */
  writeFailed(): void {
    this.#deaf = true;
    this.stream.consumed(this.#conn!.queued);
  }

  // From the stream.

  #receive(bytes: Uint8Array): void {
    this.received += bytes.length;
    if (this.#conn === null) this.#early.push(bytes.slice());
    else if (!this.#deaf) this.#conn.write(bytes);
    else if (this.#ended) this.cut(this.broken);
    else this.stream.consumed(bytes.length);
  }

  #endTold(): void {
    this.#told = true;
    if (this.#ended) this.#close();
    else this.#conn?.end();
  }

  #reset(code: string): void {
    if (this.#over) return;
    this.#finish(code);
    if (this.#told) this.#conn?.close();
    else this.#conn?.destroy();
  }

  #close(): void {
    this.#finish(null);
    this.#conn!.close();
  }

  #finish(code: string | null): void {
    this.#over = true;
    this.#early = [];
    this.done(code);
  }
}
