/** One request to a target: what its sender holds. */
import { chunkHead, LAST_CHUNK } from "../core/http1/body.ts";
import type { Taker } from "./feed.ts";
import type { TargetRequest, TargetRequestFacts, TargetSink } from "./pool.ts";
import type { TargetConn } from "./target_conn.ts";

export class TargetExchange implements TargetRequest, Taker {
  readonly facts: TargetRequestFacts;
  readonly sink: TargetSink;
  /** What carries it; null once nothing is to be sent or read for it any more. Only connections write it. */
  conn: TargetConn | null = null;
  /** Nothing follows from the sender. A 101 sets it back. */
  requestDone: boolean;
  /** Octets that were sent and that `flushed` has not told of. */
  #unflushed = 0;

  constructor(facts: TargetRequestFacts, sink: TargetSink) {
    this.facts = facts;
    this.sink = sink;
    this.requestDone = facts.framing.kind === "none";
  }

  send(bytes: Uint8Array): void {
    const { conn } = this, { length } = bytes;
    // A chunk without octets would end the body.
    if (conn === null || length === 0) return;
    this.#unflushed += length;
    if (this.facts.framing.kind !== "chunked") return conn.write(bytes);
    conn.writeText(chunkHead(length));
    conn.write(bytes);
    conn.writeText("\r\n");
  }

  finish(trailers: string): void {
    const { conn } = this;
    if (conn === null || this.requestDone) return;
    this.requestDone = true;
    if (this.facts.framing.kind === "chunked") conn.writeText(LAST_CHUNK + trailers + "\r\n");
    conn.requestEnded();
  }

  resume(): void {
    this.conn?.resume();
  }

  abort(): void {
    this.conn?.close();
  }

  hurry(): boolean {
    return this.conn?.hurry() ?? false;
  }

  // For its connection only.

  /** Octets of the answer. Once it is aborted, the rest of what was read goes nowhere. */
  data(bytes: Uint8Array): number {
    return this.conn === null ? bytes.length : this.sink.data(bytes);
  }

  /** Of all that was written `queued` octets are not with the kernel. */
  flushed(queued: number): void {
    const gone = this.#unflushed - queued;
    if (gone <= 0) return;
    this.#unflushed -= gone;
    this.sink.flushed(gone);
  }
}
