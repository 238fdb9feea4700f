/** Notices when a file has changed and stands still again. */
import { dirname } from "node:path";
import type { Clock, Timer } from "../clock.ts";
import { type Print, printOf } from "./still.ts";

/** How often files are looked at, in ms. */
export interface WatchOptions {
  readonly clock: Clock;
  /** So long must a change stand still. */
  readonly stillMs?: number;
  /** So often files are looked at although nothing was heard: notices can be lost, and symlinks lead elsewhere. */
  readonly pollMs?: number;
}

/** A watch that runs. */
export interface Watch {
  /** The other files to watch from now on (auth files); replaces those given before. */
  also(paths: readonly string[]): void;
  close(): void;
}

/**
 * Calls `changed` with the path after each change of a watched file that has stood still for `stillMs`. What happened
 * before the call is not noticed: read the file after it.
 */
export function watchFile(path: string, options: WatchOptions, changed: (path: string) => void): Watch {
  return new FileWatch(path, options, changed);
}

/** What is known of a watched file. */
interface Known {
  /** As it was when the watch began or `changed` was last called for it. */
  told: Print;
  /** As it was at the last look. */
  seen: Print;
}

class FileWatch implements Watch {
  readonly #path: string;
  readonly #stillMs: number;
  readonly #pollMs: number;
  readonly #changed: (path: string) => void;
  readonly #timer: Timer;
  readonly #files = new Map<string, Known>();
  readonly #directories = new Map<string, Deno.FsWatcher>();
  /** Something was heard since the last look. */
  #heard = false;
  #closed = false;

  constructor(path: string, options: WatchOptions, changed: (path: string) => void) {
    this.#path = path;
    this.#stillMs = options.stillMs ?? 200;
    this.#pollMs = options.pollMs ?? 2_000;
    this.#changed = changed;
    this.#timer = options.clock.timer(() => this.#look());
    this.also([]);
    this.#timer.set(this.#pollMs);
  }

  also(paths: readonly string[]): void {
    const wanted = new Set([this.#path, ...paths]);
    for (const path of this.#files.keys()) if (!wanted.has(path)) this.#files.delete(path);
    for (const path of wanted) {
      if (this.#files.has(path)) continue;
      const print = printOf(path);
      this.#files.set(path, { told: print, seen: print });
    }
    const directories = new Set([...wanted].map((path) => dirname(path)));
    for (const [directory, watcher] of this.#directories) {
      if (directories.has(directory)) continue;
      this.#directories.delete(directory);
      watcher.close();
    }
    for (const directory of directories) if (!this.#directories.has(directory)) this.#listen(directory);
  }

  close(): void {
    this.#closed = true;
    this.#timer.drop();
    for (const watcher of this.#directories.values()) watcher.close();
    this.#directories.clear();
  }

  /** The directory, because a watch on a file goes deaf when another is renamed over it. */
  #listen(directory: string): void {
    let watcher: Deno.FsWatcher;
    try {
      watcher = Deno.watchFs(directory, { recursive: false });
    } catch {
      // No such directory, or no watches left: the poll still looks.
      return;
    }
    this.#directories.set(directory, watcher);
    void this.#hear(directory, watcher);
  }

  async #hear(directory: string, watcher: Deno.FsWatcher): Promise<void> {
    try {
      // Whichever file it is about: behind a symlink (`..data` of a Kubernetes volume) another name changes.
      for await (const event of watcher) if (event.kind !== "access") this.#soon();
    } catch {
      this.#directories.delete(directory);
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
    this.#heard = false;
    let moving = false;
    for (const [path, known] of [...this.#files]) {
      const print = printOf(path);
      if (print === known.told) known.seen = print;
      else if (print !== known.seen) {
        known.seen = print;
        moving = true;
      } else {
        known.told = print;
        this.#changed(path);
      }
    }
    if (this.#closed) return;
    this.#heard = moving;
    this.#timer.set(moving ? this.#stillMs : this.#pollMs);
  }
}
