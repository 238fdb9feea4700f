/** How a connection to a target comes about: dialled once, or again and again while its request is held. */
import type { Timer } from "../clock.ts";
import type { Code } from "../core/errors.ts";
import { NoDescriptor } from "./descriptors.ts";
import type { TargetPool } from "./pool.ts";
import type { Socket } from "./socket.ts";
import type { Waiting } from "./waiting_room.ts";

/** From the first packet to a connection, TLS included. */
const CONNECT_MS = 5_000;

/** Who wants the connection. */
export interface Dialler {
  connected(socket: Socket): void;
  /** There will be none. */
  notConnected(code: Code, cause: string): void;
}

export class Dialling implements Waiting {
  readonly #pool: TargetPool;
  readonly #dialler: Dialler;
  /** The dialler's, lent until there is a connection. */
  readonly #timer: Timer;
  readonly #abort = new AbortController();
  /** When it began to be held; null: it never was. */
  #since: number | null = null;
  #holdMs = 0;
  /** Why the last attempt was in vain; null: there was none before this one. */
  #vain: string | null = null;

  /** Begins at once. `timer` is to call `expired`. */
  constructor(pool: TargetPool, dialler: Dialler, timer: Timer) {
    this.#pool = pool;
    this.#dialler = dialler;
    this.#timer = timer;
    this.redial();
  }

  /** For so long it is dialled again where it is in vain: the target has nothing of the request. */
  hold(ms: number): void {
    if (ms === 0) return;
    this.#since = this.#pool.clock.mono();
    this.#holdMs = ms;
  }

  /** It is held no longer. True where it was, by now. */
  hurry(): boolean {
    this.#holdMs = 0;
    return this.#vain !== null;
  }

  /** Nobody wants it any more. */
  giveUp(): void {
    this.#pool.waiting.leave(this);
    this.#abort.abort();
  }

  expired(): void {
    if (this.#pool.waiting.leave(this)) this.#refused();
    else this.#dialler.notConnected("target_timeout", "no connection in time");
  }

  redial(): void {
    this.#timer.set(CONNECT_MS);
    void this.#dial();
  }

  async #dial(): Promise<void> {
    let socket: Socket;
    try {
      socket = await this.#pool.connect(this.#abort.signal);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      const { message } = error as Error;
      if (error instanceof NoDescriptor) return this.#dialler.notConnected("link_busy", message);
      return this.#inVain(message);
    }
    if (this.#abort.signal.aborted) return socket.close();
    this.#timer.clear();
    this.#pool.waiting.opened();
    this.#dialler.connected(socket);
  }

  #inVain(why: string): void {
    this.#vain = why;
    const left = this.#holdMs - this.#heldFor();
    if (left <= 0) return this.#refused();
    this.#timer.set(left);
    this.#pool.waiting.enter(this);
  }

  #refused(): void {
    const held = this.#since === null ? "" : `, held for ${this.#heldFor()} ms`;
    this.#dialler.notConnected("target_refused", this.#vain + held);
  }

  #heldFor(): number {
    return this.#since === null ? 0 : this.#pool.clock.mono() - this.#since;
  }
}
