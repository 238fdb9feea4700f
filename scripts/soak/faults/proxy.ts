/** A way between daemon and hub that can be made bad: one listener, bytes copied as they are until it is told otherwise. */
import { Random } from "../../../tests/pure/random.ts";

/** What happens to bytes while a manner lasts. */
export type Manner =
  /** Copied at once. */
  | "pass"
  /** 20 to 60 ms late each read, either way. */
  | "delay"
  /** The beginning of each read goes on octet by octet, the rest in pieces of any size. */
  | "slice"
  /** Connections are taken and nothing is ever heard of them; those that are there stand still. Later both go on. */
  | "stall"
  /** As `stall`, but what was there, or came, has no future: no byte, no end, not even when the manner is over. */
  | "lose"
  /** Connections are taken and reset. */
  | "refuse";

class Pipe {
  /** Nothing passes any more, ever. */
  lost = false;
  /** Octets that still pass from the daemon, then both sides are cut; null: no such thing. */
  cutAfter: number | null = null;
  #closed = false;

  constructor(readonly daemon: Deno.TcpConn, readonly hub: Deno.TcpConn) {}

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.daemon.close();
    this.hub.close();
  }
}

export class Proxy implements Disposable {
  readonly port: number;
  /** Connections that the daemon has made in all. */
  accepted = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #pipes = new Set<Pipe>();
  readonly #held = new Set<Deno.TcpConn>();
  #manner: Manner = "pass";
  #changed = Promise.withResolvers<void>();
  #over = false;

  constructor(
    private readonly hub: () => number,
    private readonly random: Random,
    private readonly hostname = "127.0.0.1",
  ) {
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    void this.#accept();
  }

  get manner(): Manner {
    return this.#manner;
  }

  set manner(manner: Manner) {
    this.#manner = manner;
    if (manner === "lose") this.loseAll();
    if (manner === "refuse") this.cut();
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Ends what is there: at once, or in the middle of whatever comes next from the daemon. */
  cut(within = 0): void {
    for (const pipe of this.#pipes) {
      if (within === 0) pipe.close();
      else pipe.cutAfter = within;
    }
  }

  /** What is there is dead from now on, and neither side is told. */
  loseAll(): void {
    for (const pipe of this.#pipes) pipe.lost = true;
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#listener.close();
    for (const pipe of this.#pipes) pipe.close();
    for (const conn of this.#held) conn.close();
    this.#changed.resolve();
  }

  async #accept(): Promise<void> {
    try {
      for await (const conn of this.#listener) void this.#serve(conn).catch(() => {});
    } catch (error) {
      if (!this.#over) throw error;
    }
  }

  async #serve(daemon: Deno.TcpConn): Promise<void> {
    this.accepted++;
    daemon.setNoDelay(true);
    if (this.#manner === "refuse") return daemon.close();
    if (this.#manner === "lose") return void this.#held.add(daemon);
    await this.#moving();
    let hub: Deno.TcpConn;
    try {
      hub = await Deno.connect({ hostname: this.hostname, port: this.hub() });
    } catch {
      return daemon.close();
    }
    hub.setNoDelay(true);
    const pipe = new Pipe(daemon, hub);
    this.#pipes.add(pipe);
    await Promise.all([this.#copy(pipe, daemon, hub), this.#copy(pipe, hub, daemon)]);
    // One that was lost stays, so that neither side learns of it.
    if (pipe.lost) return;
    this.#pipes.delete(pipe);
    pipe.close();
  }

  async #copy(pipe: Pipe, from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const bytes = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const n = await from.read(bytes);
        await this.#moving();
        if (pipe.lost) return;
        if (n === null) return await to.closeWrite();
        let part = bytes.subarray(0, n);
        if (pipe.cutAfter !== null && from === pipe.daemon) {
          part = part.subarray(0, pipe.cutAfter);
          pipe.cutAfter -= part.length;
        }
        await this.#pass(part, to);
        if (pipe.cutAfter === 0) return pipe.close();
      }
    } catch {
      // Either side is gone, and so is the other then; unless nobody is to know.
      if (!pipe.lost) pipe.close();
    }
  }

  async #pass(bytes: Uint8Array, to: Deno.TcpConn): Promise<void> {
    if (this.#manner === "delay") await new Promise((go) => setTimeout(go, 20 + this.random.below(40)));
    let at = 0;
    if (this.#manner === "slice") {
      for (; at < Math.min(bytes.length, 100); at++) await writeAll(to, bytes.subarray(at, at + 1));
      while (at < bytes.length) {
        const next = Math.min(bytes.length, at + 1 + this.random.below(8_000));
        await writeAll(to, bytes.subarray(at, at = next));
      }
    }
    await writeAll(to, bytes.subarray(at));
  }

  async #moving(): Promise<void> {
    while (this.#manner === "stall" && !this.#over) await this.#changed.promise;
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
