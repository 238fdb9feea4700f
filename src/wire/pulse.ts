/** Signs of life: asks when nothing came for a while, gives up when nothing comes back. */
import type { Clock, Timer } from "../clock.ts";

/** Nothing came for so long: ask. */
const ASK_MS = 5_000;
/** Nothing for so long in all: dead. */
const DEAD_MS = 12_000;

/** One timer, which every read of the wire moves at the cost of a field write. */
export class Pulse {
  /** The last round trip; null: none was measured yet. */
  rttMs: number | null = null;
  #asked = false;
  /** The number in the last PING, and when it went out. */
  #number = 0;
  #askedAt = 0;
  readonly #clock: Clock;
  readonly #timer: Timer;

  /** `ping`: send one that carries this number. `dead`: the other side is gone. */
  constructor(clock: Clock, private readonly ping: (number: number) => void, dead: () => void) {
    this.#clock = clock;
    this.#timer = clock.timer(() => {
      if (this.#asked) dead();
      else this.doubt();
    });
    this.#timer.set(ASK_MS);
  }

  /** It was asked and has said nothing since. */
  get silent(): boolean {
    return this.#asked;
  }

  /** There is reason to think that it is gone: it is to say something now. */
  doubt(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.ask();
    this.#timer.set(DEAD_MS - ASK_MS);
  }

  /** Something came. */
  heard(): void {
    this.#asked = false;
    this.#timer.set(ASK_MS);
  }

  /** Sends a PING; its PONG says how long a round trip takes. */
  ask(): void {
    this.#askedAt = this.#clock.mono();
    this.ping(++this.#number);
  }

  /** A PONG came with `number`. */
  answered(number: number): void {
    if (number === this.#number) this.rttMs = this.#clock.mono() - this.#askedAt;
  }

  drop(): void {
    this.#timer.drop();
  }
}
