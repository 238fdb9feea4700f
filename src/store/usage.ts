/** Who used what, as a trail tells it: when they began, and when they had done, with how often and how much. */
import type { Clock, Timer } from "../clock.ts";

/** What is told at the end. */
export interface Used {
  readonly connections: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly ms: number;
}

export interface UsageOptions<T> {
  readonly clock: Clock;
  began(what: T): void;
  ended(what: T, used: Used): void;
}

/** A client that connects anew for each request is told once: so long after the last connection a use is over. */
const LULL_MS = 60_000;

/** So many uses at a time are told as one each; of the others, every connection. */
const MOST = 10_000;

class Use<T> {
  connections = 0;
  open = 0;
  bytesIn = 0;
  bytesOut = 0;
  lastAt: number;
  constructor(readonly what: T, readonly since: number, readonly lull: Timer) {
    this.lastAt = since;
  }
}

export class Usage<T> {
  readonly #o: UsageOptions<T>;
  readonly #uses = new Map<string, Use<T>>();

  constructor(options: UsageOptions<T>) {
    this.#o = options;
  }

  /** A connection begins; those with the same `key` are one use. What is returned is called once, as it ends. */
  begin(key: string, what: T): (bytesIn: number, bytesOut: number) => void {
    let use = this.#uses.get(key);
    if (use === undefined) {
      use = new Use(what, this.#o.clock.mono(), this.#o.clock.timer(() => this.#end(key)));
      if (this.#uses.size < MOST) this.#uses.set(key, use);
      this.#o.began(what);
    }
    const counted = use;
    counted.connections++;
    counted.open++;
    counted.lull.clear();
    return (bytesIn, bytesOut) => {
      counted.open--;
      counted.bytesIn += bytesIn;
      counted.bytesOut += bytesOut;
      counted.lastAt = this.#o.clock.mono();
      if (counted.open > 0) return;
      if (this.#uses.get(key) === counted) counted.lull.set(LULL_MS);
      else this.#tell(counted);
    };
  }

  /** Tells of all: nothing begins any more. */
  close(): void {
    for (const key of [...this.#uses.keys()]) this.#end(key);
  }

  #end(key: string): void {
    const use = this.#uses.get(key)!;
    this.#uses.delete(key);
    // One that is still open tells by itself.
    if (use.open === 0) this.#tell(use);
  }

  #tell({ what, connections, bytesIn, bytesOut, since, lastAt, lull }: Use<T>): void {
    lull.drop();
    this.#o.ended(what, { connections, bytesIn, bytesOut, ms: lastAt - since });
  }
}
