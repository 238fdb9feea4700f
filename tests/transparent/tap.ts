/** Stands between whoever asks and a server, and records what the server is told, octet for octet. */
import { Buffer } from "node:buffer";

/** All of 127/8 is this machine. */
const HERE = "127.0.0.2";

export class Tap implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #joined = new Set<Joined>();
  readonly #muted: Joined[] = [];
  readonly #running: Promise<void>[] = [];

  /**
   * Before the server at 127.0.0.1:`port`. It has the same port on another address: what a server says about the port
   * that it listens on then leads to the tap.
   */
  constructor(readonly port: number) {
    this.#listener = Deno.listen({ hostname: HERE, port });
    this.#running.push(this.#accept());
  }

  /** What leads to it. */
  get authority(): string {
    return `${HERE}:${this.port}`;
  }

  /**
   * What the server was told since this was asked last: the octets of each connection that carried some. `last`: what
   * else comes on them is the rest of a request that nobody waits for.
   */
  take(last = false): Uint8Array[] {
    const told: Uint8Array[] = [];
    for (const joined of this.#joined) {
      const octets = joined.take();
      if (octets.length === 0) continue;
      told.push(octets);
      if (!last) continue;
      this.#joined.delete(joined);
      this.#muted.push(joined);
    }
    return told;
  }

  async #accept(): Promise<void> {
    for await (const asking of this.#listener) {
      try {
        const joined = new Joined(asking, await Deno.connect({ hostname: "127.0.0.1", port: this.port }));
        this.#joined.add(joined);
        this.#running.push(joined.run());
      } catch {
        asking.close();
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const joined of [...this.#joined, ...this.#muted]) joined.cut();
    await Promise.all(this.#running);
  }
}

/** Two connections that are one for whoever asks and for the server. */
class Joined {
  #told: Uint8Array[] = [];

  constructor(readonly asking: Deno.TcpConn, readonly server: Deno.TcpConn) {
    asking.setNoDelay(true);
    server.setNoDelay(true);
  }

  take(): Uint8Array {
    const told = this.#told;
    this.#told = [];
    return new Uint8Array(Buffer.concat(told));
  }

  async run(): Promise<void> {
    await Promise.all([
      // Recorded before it goes on: what the server has answered to has been recorded.
      this.#pass(this.asking, this.server, (bytes) => this.#told.push(bytes)),
      this.#pass(this.server, this.asking, () => {}),
    ]);
    this.cut();
  }

  cut(): void {
    for (const conn of [this.asking, this.server]) {
      try {
        conn.close();
      } catch {
        // Closed before.
      }
    }
  }

  async #pass(from: Deno.TcpConn, to: Deno.TcpConn, note: (bytes: Uint8Array) => void): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
        const bytes = buffer.slice(0, n);
        note(bytes);
        for (let at = 0; at < n;) at += await to.write(bytes.subarray(at));
      }
      await to.closeWrite();
    } catch {
      // One side cut the connection: so is the other's.
      this.cut();
    }
  }
}
