/** File descriptors: the process keeps some, so that visitors never have the last one. */
import { type Clock, systemClock, type Timer } from "../clock.ts";
import type { Log } from "../log.ts";

/**
 * So many are kept for what matters more than one visitor more: sessions, the APIs, and files that a reload reads. The
 * runtime does not tell how many the process may have, so they are held open, and closed when there are no others.
 */
const KEPT = 64;

/** Beside the kept ones so many must be free before visitors are admitted again, or it would be over for one of them. */
const MARGIN = 32;

/** It is looked so often whether they are. */
const LOOK_MS = 300;

/** A lack that comes and goes is said once in so long. */
const QUIET_MS = 60_000;

/** There was no descriptor for a connection. */
export class NoDescriptor extends Error {
  override readonly name = "NoDescriptor";
  constructor(cause?: unknown) {
    super("no file descriptor is left: the process may open too few files", { cause });
  }
}

export class Descriptors {
  /** They ran out, and too few are free again: no visitor is admitted, and no connection made for one. */
  short = false;
  readonly #clock: Clock;
  readonly #look: Timer;
  /** Who keeps them, and where; all are of one process and keep the same ones. */
  readonly #keepers = new Set<{ readonly path: string; readonly log: Log }>();
  #kept: Deno.FsFile[] = [];
  #saidAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#look = clock.timer(() => this.#regain());
  }

  /** Keeps some until what is returned is called. `path`: a file or folder that may be read and stays. */
  keep(path: string, log: Log): () => void {
    const keeper = { path, log };
    this.#keepers.add(keeper);
    if (this.#keepers.size === 1) this.#regain();
    return () => {
      if (!this.#keepers.delete(keeper) || this.#keepers.size > 0) return;
      this.#look.clear();
      this.short = false;
      this.#free();
    };
  }

  /**
   * Whether `error`, of a connection that could not be accepted or made, came of there being no descriptor; then the
   * kept ones are free for whoever tries next.
   */
  ranOut(error: unknown): boolean {
    if (!isLack(error) && !this.#none()) return false;
    if (!this.short) this.#begin();
    return true;
  }

  #begin(): void {
    this.short = true;
    this.#free();
    this.#look.set(LOOK_MS);
    const now = this.#clock.mono();
    if (now - this.#saidAt < QUIET_MS) return;
    this.#saidAt = now;
    for (const { log } of this.#keepers) {
      log.warn("file descriptors ran out: no more visitors are admitted until some have left", {
        hint: "raise the limit of open files (LimitNOFILE, ulimit -Hn)",
      });
    }
  }

  /** Takes the kept ones back, if that leaves some. */
  #regain(): void {
    const [keeper] = this.#keepers;
    if (keeper === undefined) return void (this.short = false);
    const files: Deno.FsFile[] = [];
    try {
      while (files.length < KEPT + (this.short ? MARGIN : 0)) files.push(Deno.openSync(keeper.path));
    } catch (error) {
      for (const file of files) file.close();
      if (isLack(error)) return this.short ? this.#look.set(LOOK_MS) : this.#begin();
      // Where it can't be read nothing can be kept, and it only shows when the next visitor comes.
      files.length = 0;
    }
    for (const file of files.splice(KEPT)) file.close();
    this.#kept = files;
    this.short = false;
  }

  #free(): void {
    for (const file of this.#kept.splice(0)) file.close();
  }

  /** Errors of resolving a name do not say what they lacked. */
  #none(): boolean {
    const [keeper] = this.#keepers;
    if (keeper === undefined) return false;
    try {
      Deno.openSync(keeper.path).close();
      return false;
    } catch (error) {
      return isLack(error);
    }
  }
}

/** Those of this process. */
export const descriptors = new Descriptors(systemClock);

/** The process has as many as it may, or the machine has. */
function isLack(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === "EMFILE" || code === "ENFILE";
}
