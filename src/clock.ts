/** Time comes from here: one clock for the process, another that tests turn by hand. */
import { Deadline, Wheel } from "./core/wheel.ts";

/** A deadline that its owner moves as often as it likes at no cost. */
export interface Timer {
  /**
   * Fires `ms` from now, never early, up to 200 ms late; a second and more in which the process was held up does not
   * count. Replaces what was set before.
   */
  set(ms: number): void;
  /** Does not fire until set again. */
  clear(): void;
  /** Is given back; never fires again. */
  drop(): void;
}

/** What shells ask for the time. Two of them are real: the process's and a test's. */
export interface Clock {
  /** Milliseconds since 1970, UTC; can jump. */
  now(): number;
  /** Whole milliseconds on a clock that only goes forward. */
  mono(): number;
  /** A coarse deadline on the wheel, not yet set. */
  timer(fire: () => void): Timer;
}

/** A tick that comes so late found the process frozen, or the machine overrun. */
const HELD_UP_MS = 1_000;

class WheelClock implements Clock {
  readonly #wheel = new Wheel();
  #driver: ReturnType<typeof setInterval> | null = null;
  #origin = 0;
  /** When the driver ran last, on the wheel's time; Infinity: what it was late by did not count. */
  #lastTick = 0;
  /** When the forward clock was read last, by the wall's, and what it said. */
  #readAt = 0;
  #mono = 0;

  now(): number {
    return Date.now();
  }

  /** Read anew once a millisecond: asking the runtime costs as much as judging a request does. */
  mono(): number {
    const wall = Date.now();
    if (wall !== this.#readAt) {
      this.#readAt = wall;
      // Whole ones: rates are exact as long as the times they reckon with are.
      this.#mono = Math.floor(performance.now());
    }
    return this.#mono;
  }

  timer(fire: () => void): Timer {
    return new WheelTimer(this, fire);
  }

  /** For its timers only. */
  set(deadline: Deadline, ms: number): void {
    if (this.#driver === null) this.#start();
    this.#wheel.set(deadline, ms);
  }

  drop(deadline: Deadline): void {
    this.#wheel.drop(deadline);
  }

  /** The driver runs only while something is filed, and keeps no process alive. */
  #start(): void {
    this.#origin = performance.now() - this.#wheel.now;
    this.#lastTick = this.#wheel.now;
    this.#driver = setInterval(() => {
      let elapsed = performance.now() - this.#origin;
      const late = elapsed - this.#lastTick - this.#wheel.tickMs;
      this.#lastTick = late > HELD_UP_MS ? Infinity : elapsed;
      if (late > HELD_UP_MS) {
        // That time does not count: timers run before sockets are read, and what peers sent meanwhile came in time; a
        // deadline that was set before this tick counts from the one before. Not twice in a row: where each tick is so
        // late, deadlines would hardly ever pass.
        this.#origin += late;
        elapsed -= late;
      }
      this.#wheel.fire(elapsed);
      if (this.#wheel.size === 0 && this.#driver !== null) {
        clearInterval(this.#driver);
        this.#driver = null;
      }
    }, this.#wheel.tickMs);
    Deno.unrefTimer(this.#driver as unknown as number);
  }
}

/** Thousands of connections have one each: an object, not a handful of closures. */
class WheelTimer extends Deadline implements Timer {
  constructor(private readonly clock: WheelClock, fire: () => void) {
    super(fire);
  }

  set(ms: number): void {
    this.clock.set(this, ms);
  }

  clear(): void {
    this.at = Infinity;
  }

  drop(): void {
    this.clock.drop(this);
  }
}

/** The process's clock. */
export const systemClock: Clock = new WheelClock();

/** A clock for tests: time moves when `advance` is called, and due timers fire within it. */
export class TestClock implements Clock {
  readonly #wheel = new Wheel(1, 4096);
  #elapsed = 0;
  constructor(private wall = Date.UTC(2026, 0, 1)) {}
  now(): number {
    return this.wall + this.#elapsed;
  }
  mono(): number {
    return this.#elapsed;
  }
  timer(fire: () => void): Timer {
    const deadline = new Deadline(fire);
    return {
      set: (ms) => this.#wheel.set(deadline, ms),
      clear: () => void (deadline.at = Infinity),
      drop: () => this.#wheel.drop(deadline),
    };
  }
  /** Moves both times on by `ms`. */
  advance(ms: number): void {
    const until = this.#elapsed + ms;
    while (this.#elapsed < until) {
      this.#elapsed = Math.min(until, this.#elapsed + 1);
      this.#wheel.fire(this.#elapsed);
    }
  }
  /** Jumps the wall clock alone. */
  jump(ms: number): void {
    this.wall += ms;
  }
}
