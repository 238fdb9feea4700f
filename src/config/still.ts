/** Reads a file between two writes, not amid one. */
import { Failure } from "../core/errors.ts";

/** What changes when a file is written or replaced; null: there is none. Follows symlinks. */
export type Print = string | null;

/** The size, times and inode of the file at `path`. */
export function printOf(path: string): Print {
  try {
    // Synchronous, some microseconds a file: two looks never overlap, and a watch begins when it is made.
    return printOfInfo(Deno.statSync(path));
  } catch {
    // Missing and unreadable look alike here; whoever reads the file next learns which it is.
    return null;
  }
}

/** ctime and mode too: a file that becomes readable has changed, and an editor may keep mtime. */
function printOfInfo({ size, mtime, ctime, mode, ino, dev }: Deno.FileInfo): string {
  return `${size} ${mtime?.getTime()} ${ctime?.getTime()} ${mode} ${ino} ${dev}`;
}

/** A writer that never rests must not hold a reload up for ever. */
const PATIENCE_MS = 10_000;

/**
 * The bytes of the file at `path`, at most `max` of them, once its size, mtime and inode have stood still for
 * `stillMs`. Throws Failure when there is none, it is no regular file, can not be read, or is written all the time.
 */
export async function readStill(path: string, stillMs: number, max = Infinity): Promise<Uint8Array> {
  const started = performance.now();
  try {
    let before = await statFile(path);
    while (true) {
      if (stillMs > 0) await new Promise((resolve) => setTimeout(resolve, stillMs));
      // Opened by name: after a rename over it, the new file is read or the prints differ.
      const bytes = await readSome(path, max);
      const after = await statFile(path);
      if (after === before) return bytes;
      if (performance.now() - started > PATIENCE_MS) {
        throw new Failure(`${path} is being written all the time`, {
          hint: "write a new file and rename it over",
        });
      }
      before = after;
    }
  } catch (error) {
    throw failure(path, error);
  }
}

async function statFile(path: string): Promise<string> {
  const info = await Deno.stat(path);
  // A pipe or a device would block, or never end.
  if (!info.isFile) throw new Failure(`${path} is ${info.isDirectory ? "a directory" : "no regular file"}`);
  return printOfInfo(info);
}

async function readSome(path: string, max: number): Promise<Uint8Array> {
  if (max === Infinity) return await Deno.readFile(path);
  using file = await Deno.open(path);
  const bytes = new Uint8Array(Math.min(max, (await file.stat()).size + 1));
  let length = 0;
  while (length < bytes.length) {
    const n = await file.read(bytes.subarray(length));
    if (n === null) break;
    length += n;
  }
  return bytes.subarray(0, length);
}

function failure(path: string, error: unknown): Error {
  if (error instanceof Failure) return error;
  if (error instanceof Deno.errors.NotFound) {
    return new Failure(`there is no file ${path}`, { hint: "name another with --config", cause: error });
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new Failure(`${path} can not be read: this process was started without --allow-read=${path}`, {
      hint: "start it again with what `connectd permissions` prints",
      cause: error,
    });
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new Failure(`${path} may not be read`, { hint: "check its owner and mode (ls -l)", cause: error });
  }
  return new Failure(`${path} can not be read: ${error instanceof Error ? error.message : error}`, {
    cause: error,
  });
}
