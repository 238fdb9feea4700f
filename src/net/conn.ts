/** One connection: bytes in as they come, bytes out in batches. */
import type { Socket } from "./socket.ts";

/** Whoever a connection belongs to just now. */
export interface ConnHandler {
  /**
   * Octets that came, of the read buffer: valid during the call only. Returns how many were consumed; the rest is held
   * and offered again with what comes next, or on `resume()`.
   */
  data(bytes: Uint8Array): number;
  /** End-of-file, after everything that came before it was consumed. Called once. */
  end(): void;
  /** The connection broke and is destroyed. Called once, never after `destroy()`. */
  failed(error: Error): void;
  /** `n` more octets are with the kernel; `conn.queued` are not. */
  flushed(n: number): void;
  /** End-of-file was read, though octets before it may still be held. */
  ended?(): void;
  /** Nothing can be written any more, though what the other side sent may still be read. Without it: `failed`. */
  writeFailed?(error: Error): void;
}

export interface ConnOptions {
  /** The read buffer grows up to so many octets while reads fill it; default 64 KiB, a tunnel takes 256 KiB. */
  readonly maxRead?: number;
}

export class Conn {
  /** Settable: whoever takes over sets it, then calls `resume()`. */
  handler!: ConnHandler;
  constructor(_socket: Socket, _options: ConnOptions = {}) {}
  /** Begins to read. Called once, after `handler` was set. */
  start(): void {}
  /** Offers what is held again. */
  resume(): void {}
  /** Copies `bytes` to the batch that goes out at the end of this turn. */
  write(_bytes: Uint8Array): void {}
  /** The same for Latin-1 text. */
  writeText(_text: string): void {}
  /** Octets written here and not yet with the kernel. */
  get queued(): number {
    throw new Error("not yet");
  }
  /** Octets that came and were not consumed. */
  get held(): number {
    throw new Error("not yet");
  }
  /** Flushes, then ends this direction. */
  end(): void {}
  /** Flushes, then closes. */
  close(): void {}
  /** Closes now. The handler hears nothing more. */
  destroy(): void {}
  /** Flushes, ends this direction, discards a bounded rest of what comes, closes. */
  linger(): void {}
}
