/** Notices when a file has changed and stands still again. */
import { dirname } from "node:path";
import type { Clock, Timer } from "../clock.ts";
import { type Print, printOf } from "./still.ts";

/** How often a file is looked at, in ms. */
export interface WatchOptions {
  readonly clock: Clock;
  /** So long must a change stand still. */
  readonly stillMs?: number;
  /** So often it is looked at although nothing was heard: notices can be lost, and symlinks lead elsewhere. */
  readonly pollMs?: number;
}

/** A watch that runs. */
export interface Watch {
  close(): void;
}

/**
 * Calls `changed` after each change of the file at `path` that has stood still for `stillMs`. What happened before the
 * call is not noticed: read the file after it.
 */
export function watchFile(path: string, options: WatchOptions, changed: () => void): Watch {
  return new FileWatch(path, options, changed);
}

class FileWatch implements Watch {
  readonly #path: string;
  readonly #stillMs: number;
  readonly #pollMs: number;
  readonly #changed: () => void;
  readonly #timer: Timer;
  #watcher: Deno.FsWatcher | null = null;
  /** As it was when the watch began or `changed` was last called. */
  #told: Print;
  /** As it was at the last look. */
  #seen: Print;
  /** Something was heard since the last look. */
  #heard = false;
  #closed = false;

  constructor(path: string, options: WatchOptions, changed: () => void) {
    this.#path = path;
    this.#stillMs = options.stillMs ?? 200;
    this.#pollMs = options.pollMs ?? 2_000;
    this.#changed = changed;
    this.#told = this.#seen = printOf(path);
    this.#timer = options.clock.timer(() => this.#look());
    this.#timer.set(this.#pollMs);
    void this.#listen();
  }

  close(): void {
    this.#closed = true;
    this.#timer.drop();
    this.#watcher?.close();
    this.#watcher = null;
  }

  /** To the directory, because a watch on a file goes deaf when another is renamed over it. */
  async #listen(): Promise<void> {
    try {
      this.#watcher = Deno.watchFs(dirname(this.#path), { recursive: false });
      // Whichever file it is about: behind a symlink (`..data` of a Kubernetes volume) another name changes.
      for await (const event of this.#watcher) if (event.kind !== "access") this.#soon();
    } catch {
      // No such directory, or no watches left: the poll still looks.
    }
  }

  /** Looks when things may have settled. A busy neighbour in the directory does not put it off. */
  #soon(): void {
    if (this.#heard || this.#closed) return;
    this.#heard = true;
    this.#timer.set(this.#stillMs);
  }

  /** A file that looks as at the last look, and not as when it was told of, has changed and stands still. */
  #look(): void {
    const print = printOf(this.#path);
    const moving = print !== this.#told && print !== this.#seen;
    const changed = print !== this.#told && print === this.#seen;
    this.#seen = print;
    if (changed) {
      this.#told = print;
      this.#changed();
    }
    if (this.#closed) return;
    this.#heard = moving;
    this.#timer.set(moving ? this.#stillMs : this.#pollMs);
  }
}
