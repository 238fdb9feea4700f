/** Where connections wait for a target that can't be connected to: one of them knocks, and when it is let in all are. */
import type { Clock, Timer } from "../clock.ts";

/** A connection that waits. */
export interface Waiting {
  /** Dials again; enters again where that fails. */
  redial(): void;
}

/** A knock comes so long after the one before, at first and at most: a target that starts is found soon, at little cost. */
const FIRST_MS = 100, MOST_MS = 500;

/** That of one target. */
export class WaitingRoom {
  readonly #clock: Clock;
  /** The one that has waited longest stands first. */
  readonly #waiting = new Set<Waiting>();
  #timer: Timer | null = null;
  #pauseMs = FIRST_MS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  enter(waiting: Waiting): void {
    this.#waiting.add(waiting);
    if (this.#timer !== null) return;
    this.#timer = this.#clock.timer(() => this.#knock());
    this.#timer.set(this.#pauseMs);
  }

  /** True where it was there. */
  leave(waiting: Waiting): boolean {
    return this.#waiting.delete(waiting);
  }

  /** Somebody was let in. */
  opened(): void {
    this.#pauseMs = FIRST_MS;
    if (this.#waiting.size === 0) return;
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const waiting of all) waiting.redial();
  }

  /** Whoever knocks may wait long for an answer: the next goes meanwhile. */
  #knock(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#timer?.drop();
      this.#timer = null;
      return;
    }
    this.#pauseMs = Math.min(2 * this.#pauseMs, MOST_MS);
    this.#timer!.set(this.#pauseMs);
    this.#waiting.delete(first);
    first.redial();
  }
}
