/** An access log: one line a request, gathered in memory and written behind. Whoever serves never waits for it. */
import type { Clock, Timer } from "../clock.ts";
import { KEEP_ACCESS_MS } from "../core/limits.ts";
import type { Log } from "../log.ts";
import { AccessFiles, type Bounds, type LineFile } from "./access_files.ts";
import { type Access, AccessLines } from "./access_line.ts";
import { type Page, readNewest, type Search } from "./access_reader.ts";

/** A line is written so soon; the clock's timers may be 200 ms late. */
const BEHIND_MS = 50;

/** Where nothing can be written, it is tried so often. */
const RETRY_MS = 1_000;

/** What is too old is looked for so often. */
const TIDY_MS = 3_600_000;

/** Octets that wait at most; beyond them the oldest go. */
const WAITING_MAX = 4 * 1024 * 1024;

/** What was lost to a slow disk is said so often at most. */
const SAID_MS = 10_000;

const NEWLINE = 0x0a;

export interface AccessLogOptions {
  readonly folder: string;
  /** `access` for `access.log`. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Null: nothing is written. */
  readonly keepMs: number | null;
  readonly bounds?: Bounds;
}

export class AccessLog {
  /** Lines that were never written. */
  lost = 0;
  readonly #o: AccessLogOptions;
  readonly #files: AccessFiles;
  readonly #lines = new AccessLines();
  /** Whole lines that wait, the oldest first. */
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #octets = 0;
  #keepMs: number | null;
  readonly #soon: Timer;
  readonly #tidy: Timer;
  /** One work on the files at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  /** What writes all that waits; null: nothing does. */
  #writing: Promise<void> | null = null;
  /** The last try failed. */
  #failing = false;
  #saidLost = 0;
  #saidAt = -Infinity;

  constructor(options: AccessLogOptions) {
    this.#o = options;
    const { folder, name, clock, bounds, keepMs } = options;
    this.#files = new AccessFiles(folder, name, bounds);
    this.#keepMs = keepMs;
    this.#soon = clock.timer(() => void this.#write());
    this.#tidy = clock.timer(() => void this.#tidied());
    void this.#tidied();
  }

  /** From now on lines are kept so long; null: none is written. */
  keep(ms: number | null): void {
    this.#keepMs = ms;
  }

  /** Costs no more than to put the line together. */
  add(access: Access): void {
    if (this.#keepMs === null) return;
    const lines = this.#lines;
    if (lines.count === 0 && !this.#failing) this.#soon.set(BEHIND_MS);
    lines.add(access);
    if (!lines.full) return;
    this.#gather();
    if (!this.#failing) void this.#write();
  }

  /** Resolves when everything that was added is written, or can't be. */
  flush(): Promise<void> {
    return this.#write();
  }

  /** The newest lines that are wanted, with everything that was added so far. Rejects with the runtime's error. */
  async read<T>(search: Search<T>): Promise<Page<T>> {
    await this.flush();
    // Opened in turn: a file that is full afterwards gets another name, and is read all the same.
    const open: (LineFile & { file: Deno.FsFile })[] = [];
    try {
      await this.#inTurn(async () => {
        for (const one of await this.#files.list()) {
          if (search.before !== null && one.number > search.before.number) continue;
          open.push({ ...one, file: await Deno.open(one.path) });
        }
      });
      return await readNewest(open, search);
    } finally {
      for (const { file } of open) file.close();
    }
  }

  /** Writes what is left, and closes the files. */
  async close(): Promise<void> {
    this.#tidy.drop();
    await this.flush();
    this.#soon.drop();
    await this.#inTurn(() => Promise.resolve(this.#files.close()));
    for (const lines of this.#waiting) this.lost += countOf(lines);
    this.#waiting = [];
    if (this.lost > this.#saidLost) this.#sayLost("the access log ends without some of its lines");
  }

  /** What was gathered goes where it waits. */
  #gather(): void {
    if (this.#lines.count === 0) return;
    this.#push(this.#lines.take());
  }

  #push(lines: Uint8Array<ArrayBuffer>): void {
    this.#waiting.push(lines);
    this.#octets += lines.length;
    while (this.#octets > WAITING_MAX) {
      const oldest = this.#waiting.shift()!;
      this.#octets -= oldest.length;
      this.lost += countOf(oldest);
    }
  }

  /** Writes all that waits, unless it can't. */
  #write(): Promise<void> {
    return this.#writing ??= this.#inTurn(async () => {
      this.#gather();
      while (this.#waiting.length > 0) {
        const lines = this.#waiting.shift()!;
        this.#octets -= lines.length;
        const { written, error } = await this.#files.append(lines, this.#o.clock.now());
        if (error !== null) {
          // They are the oldest; what came meanwhile may have filled the room.
          this.#waiting.unshift(lines.subarray(written));
          this.#octets += lines.length - written;
          this.#failed(error);
          break;
        }
        this.#written();
        this.#gather();
      }
      // At once: whoever adds a line from here on asks for another.
      this.#writing = null;
    });
  }

  #written(): void {
    const { clock } = this.#o;
    if (this.#failing) {
      this.#failing = false;
      this.#sayLost("the access log is written again");
    } else if (this.lost > this.#saidLost && clock.mono() - this.#saidAt >= SAID_MS) {
      this.#sayLost("the disk is too slow for the access log: lines were dropped");
    }
  }

  #failed(error: Error): void {
    if (!this.#failing) {
      const { path } = this.#files, { message } = error;
      this.#o.log.warn("the access log can not be written: it is tried again, and the newest lines wait", {
        path,
        error: message,
      });
    }
    this.#failing = true;
    this.#soon.set(RETRY_MS);
  }

  #sayLost(message: string): void {
    this.#o.log.warn(message, { path: this.#files.path, lost: this.lost - this.#saidLost });
    this.#saidLost = this.lost;
    this.#saidAt = this.#o.clock.mono();
  }

  async #tidied(): Promise<void> {
    this.#tidy.set(TIDY_MS);
    const keepMs = this.#keepMs ?? KEEP_ACCESS_MS;
    await this.#inTurn(() => this.#files.tidy(this.#o.clock.now(), keepMs)).catch(({ message }: Error) => {
      this.#o.log.warn("old access logs can not be removed", { folder: this.#o.folder, error: message });
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

function countOf(lines: Uint8Array): number {
  let count = 0;
  for (let at = lines.indexOf(NEWLINE); at >= 0; at = lines.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
