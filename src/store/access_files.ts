/** Where an access log lies: the file that is written to, and those that were full before it. */
import { Failure } from "../core/errors.ts";

const DAY_MS = 86_400_000;

/** A file of that size, or that old, gives way to another. */
const FILE_OCTETS = 16 * 1024 * 1024, FILE_MS = DAY_MS;

/** Somebody who moves the file has lines of so long in it afterwards. */
const LOOK_MS = 1_000;

/** All of them together. */
const ALL_OCTETS = 256 * 1024 * 1024;

const NEWLINE = 0x0a;

/** How long files are kept, and how large they become. */
export interface Bounds {
  readonly fileOctets: number;
  readonly fileMs: number;
  readonly allOctets: number;
}

export const BOUNDS: Bounds = { fileOctets: FILE_OCTETS, fileMs: FILE_MS, allOctets: ALL_OCTETS };

/** One file of lines; a later one has a greater number. */
export interface LineFile {
  readonly number: number;
  readonly path: string;
}

/**
 * `<name>.log`, and `<name>-000001.log` and so on before it: the numbers grow, so that a file keeps its name, and a shell's
 * `<name>*.log` has them in their order. One process writes; calls follow each other.
 */
export class AccessFiles {
  readonly #path: string;
  #file: Deno.FsFile | null = null;
  /** The number that the open file gets when it is full. */
  #number = 0;
  /** Its octets, and when its first line was written, ms since 1970. */
  #size = 0;
  #begun = 0;
  /** When it was last looked whether it is still there. */
  #lookedAt = 0;

  constructor(
    private readonly folder: string,
    private readonly name: string,
    private readonly bounds: Bounds = BOUNDS,
  ) {
    this.#path = `${folder}/${name}.log`;
  }

  get path(): string {
    return this.#path;
  }

  /**
   * Writes whole lines behind those that are there, at `now`; returns how many octets of them are in the file, as whole
   * lines, and why there are no more.
   */
  async append(lines: Uint8Array, now: number): Promise<{ written: number; error: Error | null }> {
    let written = 0;
    try {
      await this.#ready(lines.length, now);
      while (written < lines.length) written += await this.#file!.write(lines.subarray(written));
      this.#size += written;
      return { written, error: null };
    } catch (error) {
      // Opened anew it begins behind the last whole line.
      this.close();
      const whole = lines.subarray(0, written).lastIndexOf(NEWLINE) + 1;
      return { written: whole, error: error as Error };
    }
  }

  /** Removes what is older than `keepMs`, and the oldest beyond the bound on all. */
  async tidy(now: number, keepMs: number): Promise<void> {
    let octets = 0;
    for (const { number, path } of await this.list()) {
      const { size, mtime } = await Deno.stat(path);
      octets += size;
      const old = now - (mtime?.getTime() ?? now) > keepMs || octets > this.bounds.allOctets;
      if (!old) continue;
      if (number === this.#number) this.close();
      await Deno.remove(path);
    }
  }

  /** Those that are there, the newest first. */
  async list(): Promise<LineFile[]> {
    const found: LineFile[] = [];
    let last = 0, current = false;
    for await (const { name, isFile } of Deno.readDir(this.folder)) {
      if (!isFile || !name.startsWith(this.name) || !name.endsWith(".log")) continue;
      const between = name.slice(this.name.length, -".log".length);
      if (between === "") current = true;
      else if (/^-\d{6,15}$/.test(between)) {
        const number = Number(between.slice(1));
        found.push({ number, path: `${this.folder}/${name}` });
        last = Math.max(last, number);
      }
    }
    // Numbers never go back, whatever was removed: readers know places by them.
    this.#number = Math.max(this.#number, last + 1);
    if (current) found.push({ number: this.#number, path: this.#path });
    return found.sort((a, b) => b.number - a.number);
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** The file takes `octets` more: it is there, open, and neither too large nor too old. */
  async #ready(octets: number, now: number): Promise<void> {
    if (this.#file !== null && Math.abs(now - this.#lookedAt) >= LOOK_MS) await this.#look(now);
    if (this.#file === null) await this.#open(now);
    const over = this.#size + octets > this.bounds.fileOctets || now - this.#begun >= this.bounds.fileMs;
    if (this.#size === 0 || !over) return;
    this.close();
    await Deno.rename(this.#path, `${this.folder}/${this.name}-${String(this.#number).padStart(6, "0")}.log`);
    this.#number++;
    await this.#open(now);
  }

  /** Closes it where somebody has removed or moved it. */
  async #look(now: number): Promise<void> {
    this.#lookedAt = now;
    const [there, ours] = await Promise.all([statOrNull(this.#path), this.#file!.stat()]);
    if (there === null || there.ino !== ours.ino || there.dev !== ours.dev) this.close();
    else this.#size = ours.size;
  }

  async #open(now: number): Promise<void> {
    const there = await statOrNull(this.#path);
    // Opening a pipe would wait for somebody to read it.
    if (there !== null && !there.isFile) throw new Failure(`${this.#path} is no file`);
    await this.list();
    const file = this.#file = await Deno.open(this.#path, {
      read: true,
      append: true,
      create: true,
      mode: 0o600,
    });
    this.#size = await endLines(file);
    this.#begun = await firstTime(file) ?? now;
    this.#lookedAt = now;
  }
}

async function statOrNull(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Cuts off a last line that has no end: its process was killed, or the disk was full. Returns the size. */
async function endLines(file: Deno.FsFile): Promise<number> {
  const { size } = await file.stat();
  const block = new Uint8Array(64 * 1024);
  for (let to = size; to > 0;) {
    const from = Math.max(0, to - block.length);
    const n = await readAt(file, from, block.subarray(0, to - from));
    const end = from + block.subarray(0, n).lastIndexOf(NEWLINE) + 1;
    if (end < size && (end > from || from === 0)) await file.truncate(end);
    if (end > from || from === 0) return end;
    to = from;
  }
  return 0;
}

/** Of the first line; null: there is none that says it. */
async function firstTime(file: Deno.FsFile): Promise<number | null> {
  const block = new Uint8Array(4096);
  const n = await readAt(file, 0, block);
  const text = new TextDecoder().decode(block.subarray(0, n));
  const time = Date.parse(/"at":"([^"]{1,40})"/.exec(text)?.[1] ?? "");
  return Number.isNaN(time) ? null : time;
}

/** Reads octets from `at` on, as many as there are room for; returns how many it found. */
export async function readAt(file: Deno.FsFile, at: number, into: Uint8Array): Promise<number> {
  await file.seek(at, Deno.SeekMode.Start);
  let n = 0;
  while (n < into.length) {
    const more = await file.read(into.subarray(n));
    if (more === null) break;
    n += more;
  }
  return n;
}
