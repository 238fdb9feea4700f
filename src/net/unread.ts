/** A connection that was read too far: what was read comes first. */
import type { Socket } from "./socket.ts";

export class Unread implements Socket {
  readonly #conn: Socket;
  #bytes: Uint8Array | null;

  /** `bytes` belong to it from now on. */
  constructor(conn: Socket, bytes: Uint8Array) {
    this.#conn = conn;
    this.#bytes = bytes.length === 0 ? null : bytes;
  }

  read(p: Uint8Array): Promise<number | null> {
    const bytes = this.#bytes;
    if (bytes === null) return this.#conn.read(p);
    const n = Math.min(bytes.length, p.length);
    p.set(bytes.subarray(0, n));
    this.#bytes = n === bytes.length ? null : bytes.subarray(n);
    return Promise.resolve(n);
  }

  write(p: Uint8Array): Promise<number> {
    return this.#conn.write(p);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    this.#bytes = null;
    this.#conn.close();
  }
}
