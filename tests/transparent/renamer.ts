/**
 * Makes up for clients that can not resolve `*.localhost`: they ask an address of this machine whose text is as long as
 * the name, and either is put in the other's place, wherever it stands and whatever it stands in.
 */
import { Buffer } from "node:buffer";

export class Renamer implements Disposable {
  readonly authority: string;
  readonly #name: string;
  readonly #port: number;
  readonly #listener: Deno.TcpListener;
  readonly #conns = new Set<Deno.TcpConn>();

  /** Leads to `name`, which is served at 127.0.0.1:`port`. */
  constructor(name: string, port: number) {
    this.#name = name;
    this.#port = port;
    for (let attempt = 0;; attempt++) {
      const listener = Deno.listen({ hostname: HERE, port: 0 });
      this.authority = `${HERE}:${listener.addr.port}`;
      this.#listener = listener;
      if (this.authority.length === name.length) break;
      listener.close();
      if (attempt === 100) throw new Error(`no address of this machine is as long as ${name}`);
    }
    this.#accept();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
  }

  async #accept(): Promise<void> {
    for await (const asking of this.#listener) {
      const asked = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
      for (const conn of [asking, asked]) {
        conn.setNoDelay(true);
        this.#conns.add(conn);
      }
      this.#pass(asking, asked, this.authority, this.#name);
      this.#pass(asked, asking, this.#name, this.authority);
    }
  }

  async #pass(from: Deno.TcpConn, to: Deno.TcpConn, old: string, anew: string): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      // A client like the one that this is for writes and reads whole heads: no name is cut in two.
      for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
        const text = Buffer.from(buffer.subarray(0, n)).toString("latin1").replaceAll(old, anew);
        const bytes = Buffer.from(text, "latin1");
        for (let at = 0; at < n;) at += await to.write(bytes.subarray(at));
      }
      await to.closeWrite();
    } catch {
      // Ended, by either side or with the test.
    }
  }
}

const HERE = "127.127.127.1";
