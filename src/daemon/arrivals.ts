/** Who waits for the hubs to say something. */
import type { Clock } from "../clock.ts";

export class Arrivals {
  readonly #waiting = new Set<() => void>();

  constructor(private readonly clock: Clock) {}

  /** Resolves when `here` holds, or after `ms`: a hub that is away holds up nobody for long. */
  until(here: () => boolean, ms: number): Promise<void> {
    if (here()) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.clock.timer(() => done());
      const look = () => {
        if (here()) done();
      };
      const done = () => {
        timer.drop();
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      timer.set(ms);
    });
  }

  /** Something was said. */
  look(): void {
    for (const look of [...this.#waiting]) look();
  }
}
