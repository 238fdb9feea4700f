/** A connection that has had its last answer: what still comes is read and thrown away until the other side ends, too. */
import type { Conn, ConnHandler } from "./conn.ts";

/** So many octets of a request that nobody wants are discarded, then it closes regardless. */
const LINGER_OCTETS = 1024 * 1024;

/** Discards what comes; the owner hears of the end. */
export class Lingering implements ConnHandler {
  #left = LINGER_OCTETS;
  #ended = false;
  constructor(private readonly conn: Conn, private readonly owner: ConnHandler) {}

  data(bytes: Uint8Array): number {
    this.#left -= bytes.length;
    if (this.#left < 0) this.end();
    return bytes.length;
  }

  end(): void {
    this.#ended = true;
    this.#closeIfFlushed();
  }

  failed(error: Error): void {
    this.owner.failed(error);
  }

  flushed(n: number): void {
    this.owner.flushed(n);
    if (this.#ended) this.#closeIfFlushed();
  }

  #closeIfFlushed(): void {
    if (this.conn.queued > 0 || this.conn.destroyed) return;
    this.conn.destroy();
    this.owner.failed(new Error("the connection was closed after its last answer"));
  }
}
