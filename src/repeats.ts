/** What happens a thousand times in a row is said once, and then in a while how often it did: a log must not fill a disk. */
import type { Clock, Timer } from "./clock.ts";

/** One line of a kind in so long. */
const QUIET_MS = 10_000;

/** Writes a line; `times`: how often it happened since the line before. */
type Say = (times: number) => void;

interface Kind {
  say: Say;
  times: number;
  readonly timer: Timer;
}

export class Repeats {
  readonly #kinds = new Map<string, Kind>();
  #closed = false;

  constructor(private readonly clock: Clock) {}

  /** Something of the kind `key` happened; `say` is called at once, or for the last of many when its time has come. */
  happened(key: string, say: Say): void {
    const kind = this.#kinds.get(key);
    if (kind !== undefined) {
      kind.say = say;
      kind.times++;
      return;
    }
    say(1);
    if (this.#closed) return;
    const timer = this.clock.timer(() => this.#due(key));
    timer.set(QUIET_MS);
    this.#kinds.set(key, { say, times: 0, timer });
  }

  /** Says what is still to be said. */
  close(): void {
    this.#closed = true;
    for (const { say, times, timer } of this.#kinds.values()) {
      if (times > 0) say(times);
      timer.drop();
    }
    this.#kinds.clear();
  }

  #due(key: string): void {
    const kind = this.#kinds.get(key)!;
    if (kind.times === 0) {
      kind.timer.drop();
      this.#kinds.delete(key);
      return;
    }
    kind.say(kind.times);
    kind.times = 0;
    kind.timer.set(QUIET_MS);
  }
}

/** What a line of many says of how many there were. */
export function counted(times: number): { times?: number } {
  return times === 1 ? {} : { times };
}
