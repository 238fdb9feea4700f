/** Who is signed in at the local page: one-time keys and the sessions that they open. */
import { Secrets, SESSION_MS } from "../../api/secrets.ts";
import type { Clock } from "../../clock.ts";

/** A key is carried from a terminal to a browser; whoever needs longer asks for another. */
export const KEY_MS = 60_000;

/** More than a person has browsers. */
const MOST = 32;

export class Sessions {
  readonly #keys: Secrets<true>;
  readonly #sessions: Secrets<true>;

  constructor(clock: Clock) {
    this.#keys = new Secrets(clock, KEY_MS, MOST);
    this.#sessions = new Secrets(clock, SESSION_MS, MOST);
  }

  /** A key that opens one session within a minute. */
  invite(): string {
    return this.#keys.make(true);
  }

  /** The secret of a new session for `key`; null: it is none, was used, or came too late. */
  open(key: string): string | null {
    return this.#keys.take(key) ? this.#sessions.make(true) : null;
  }

  admits(secret: string): boolean {
    return this.#sessions.find(secret) ?? false;
  }

  close(secret: string): void {
    this.#sessions.take(secret);
  }
}
