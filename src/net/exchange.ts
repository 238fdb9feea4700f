/** One request of a visitor and its answer. */
import type { Refusal, Rendered } from "../core/errors.ts";
import type { RequestHead, ResponseHead } from "../core/http1/types.ts";
import type { Conn } from "./conn.ts";

/** Who takes a request's body; after a 101, whatever the visitor sends. */
export interface BodySink {
  /** Valid during the call only. Returns how many octets were taken; the rest comes again after `resume()`. */
  data(bytes: Uint8Array): number;
  end(trailers: string): void;
}

export class Exchange {
  readonly head!: RequestHead;
  /** The address of the socket's peer. */
  readonly peer!: string;
  /** The client's address: the peer's, or what a trusted proxy says. */
  readonly address!: string;
  /** The visitor came by https, here or at a trusted proxy. */
  readonly secure!: boolean;
  /** The visitor left, or broke the rules: nothing that is sent reaches it. Called once, before the answer is done. */
  onLeave: (() => void) | null = null;
  /** So many more octets of the body (or after a 101) are with the kernel. */
  onFlushed: ((n: number) => void) | null = null;
  /** Little is queued: whoever waited may write on. */
  onWritable: (() => void) | null = null;
  get requestId(): string {
    throw new Error("not yet");
  }
  /** Octets on their way to the visitor that the kernel has not taken. */
  get queued(): number {
    throw new Error("not yet");
  }
  /** Asks for the body. Sends no 100: `interim` does, by the word of whoever answers. */
  receive(_sink: BodySink): void {}
  /** The sink takes octets again. */
  resume(): void {}
  /** Sends a 1xx; HTTP/1.0 visitors get none. */
  interim(_head: string | ResponseHead): void {}
  /** Sends the final head, framed for this visitor. */
  respond(_head: ResponseHead): void {}
  write(_bytes: Uint8Array): void {}
  finish(_trailers?: string): void {}
  /** Cuts the connection: never a clean end. */
  abort(): void {}
  /** Answers with what the listener's `refuse` renders; after a head was sent, cuts. */
  refuse(_refusal: Refusal): void {}
  /** A whole answer of our own. */
  answer(_rendered: Rendered): void {}
  /** Sends the 101; from here bytes flow raw, those that came too early first. `finish` half-closes. */
  upgrade(_head: ResponseHead): void {}
  /** Hands the connection over as it is, held bytes included: set its handler, then `resume()`. */
  detach(): Conn {
    throw new Error("not yet");
  }
}
