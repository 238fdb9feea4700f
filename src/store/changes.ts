/** Who watches a bucket: each has a queue of its own, so that a slow one holds up nobody. */
import { type Change, hasPrefix } from "./store.ts";

interface Watcher {
  readonly bucket: string;
  readonly prefix: string;
  push(change: Change): void;
  end(): void;
}

/** The watchers of one store. */
export class Changes {
  readonly #watchers = new Set<Watcher>();

  /** Tells everybody who watches `bucket` and the key. */
  tell(bucket: string, change: Change): void {
    for (const watcher of this.#watchers) {
      if (watcher.bucket === bucket && hasPrefix(change.key, watcher.prefix)) watcher.push(change);
    }
  }

  /** The store is closed: whoever waits has seen the last change. */
  end(): void {
    for (const watcher of this.#watchers) watcher.end();
  }

  /** Counts from the call, not from the first `next()`: what happens in between is told. */
  watch(bucket: string, prefix: string, signal: AbortSignal): AsyncIterableIterator<Change> {
    const queue: Change[] = [];
    let waiting: ((result: IteratorResult<Change>) => void) | null = null;
    let over = signal.aborted;
    const end = () => {
      over = true;
      this.#watchers.delete(watcher);
      signal.removeEventListener("abort", end);
      waiting?.({ done: true, value: undefined });
      waiting = null;
    };
    const watcher: Watcher = {
      bucket,
      prefix,
      push(change) {
        if (waiting === null) return void queue.push(change);
        const deliver = waiting;
        waiting = null;
        deliver({ done: false, value: change });
      },
      end,
    };
    if (!over) {
      this.#watchers.add(watcher);
      signal.addEventListener("abort", end);
    }
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: () => {
        const change = signal.aborted ? undefined : queue.shift();
        if (change !== undefined) return Promise.resolve({ done: false, value: change });
        if (over) return Promise.resolve({ done: true, value: undefined });
        return new Promise((resolve) => waiting = resolve);
      },
      return: () => {
        end();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}
