/** Proxies that have yet to say whom they bring (the PROXY protocol). */
import type { Clock } from "../clock.ts";
import type { ServerLimits } from "../core/limits.ts";
import { readProxied } from "./proxied.ts";
import type { Socket } from "./socket.ts";

export interface GreetingsOptions {
  readonly clock: Clock;
  limits(): ServerLimits;
  /** True for the address of a proxy that may say whom it brings. */
  readonly trusted: (ip: string) => boolean;
  /** `peer` was cut, and why. */
  readonly refused: (peer: string, why: string) => void;
  /** Whom a proxy has brought. */
  readonly take: (socket: Socket, address: string) => void;
}

export class Greetings {
  readonly #o: GreetingsOptions;
  /** The oldest first. */
  readonly #pending = new Set<Socket>();

  constructor(options: GreetingsOptions) {
    this.#o = options;
  }

  /** Waits for what `peer` says, and passes on whom it brings. False: it is none who may, and was cut. */
  begin(conn: Socket, peer: string): boolean {
    if (!this.#o.trusted(peer)) {
      this.#cut(conn, peer, "it is none of trusted_proxies, and proxy_protocol admits nobody else");
      return false;
    }
    const [oldest] = this.#pending;
    if (this.#pending.size >= this.#o.limits().connections) oldest?.close();
    this.#pending.add(conn);
    void this.#greet(conn, peer);
    return true;
  }

  close(): void {
    for (const conn of this.#pending) conn.close();
  }

  async #greet(conn: Socket, peer: string): Promise<void> {
    const { clock, take } = this.#o;
    const timer = clock.timer(() => conn.close());
    timer.set(this.#o.limits().headTimeoutMs);
    try {
      const { socket, source } = await readProxied(conn);
      take(socket, source ?? peer);
    } catch (error) {
      if (error instanceof SyntaxError) this.#cut(conn, peer, `it sent ${error.message}`);
      else close(conn);
    } finally {
      timer.drop();
      this.#pending.delete(conn);
    }
  }

  #cut(conn: Socket, peer: string, why: string): void {
    close(conn);
    this.#o.refused(peer, why);
  }
}

function close(conn: Socket): void {
  try {
    conn.close();
  } catch {
    // Its time was over.
  }
}
