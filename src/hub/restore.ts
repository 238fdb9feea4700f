/** A hub's store from a backup: into a place where none is. */
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { Failure } from "../core/errors.ts";
import { takeLock } from "../store/lock.ts";
import { checkSqlite, type Contents } from "../store/sqlite.ts";

/**
 * Puts the backup `from` where a hub looks for its store, `path`, and returns what it holds. It is whole there or not at
 * all. Throws Failure where a hub runs on it, where a store lies there, and for what is no whole backup.
 */
export async function restoreStore(from: string, path: string): Promise<Contents> {
  const folder = dirname(path);
  await orFailure(folder, Deno.mkdir(folder, { recursive: true, mode: 0o700 }));
  const lock = await orFailure(folder, takeLock(`${path}.lock`));
  if (!("release" in lock)) {
    throw new Failure(`a process (pid ${lock.holder}) has the store ${path}`, {
      hint: "end the hub first, then restore",
    });
  }
  try {
    // Also what belongs to another store: sqlite would take its journal for the new one's.
    const there = [path, `${path}-wal`, `${path}-shm`, `${path}-journal`].filter(exists);
    if (there.length > 0) {
      const moves = there.map((old) => `mv ${old} ${old}.old`).join(" && ");
      throw new Failure(`a store lies at ${path}, and is not written over`, {
        hint: `move it away: ${moves}`,
      });
    }
    return await putWhole(path, (aside) => Deno.copyFile(from, aside), from);
  } finally {
    lock.release();
  }
}

/**
 * Has `write` fill a file beside `path`, checks that it is a whole store, and gives it that name for good: 0600, on disk
 * when this resolves. `shown`: whose fault it is when it is none. Throws Failure, and nothing is there.
 */
export async function putWhole(
  path: string,
  write: (aside: string) => Promise<unknown>,
  shown: string = path,
): Promise<Contents> {
  const aside = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    // It is its owner's from the first octet on.
    await orFailure(path, Deno.writeFile(aside, new Uint8Array(), { createNew: true, mode: 0o600 }));
    await orFailure(shown, write(aside));
    await orFailure(path, Deno.chmod(aside, 0o600));
    const contents = await checkSqlite(aside).catch((error) => {
      // The name that a person knows.
      throw error instanceof Failure
        ? new Failure(error.message.replace(aside, shown), { hint: error.hint ?? undefined, cause: error })
        : error;
    });
    await orFailure(path, place(aside, path));
    return contents;
  } finally {
    await Deno.remove(aside).catch(() => {});
  }
}

/** A link is refused where something is: a rename would take its place. */
async function place(aside: string, path: string): Promise<void> {
  await sync(aside);
  try {
    await Deno.link(aside, path);
  } catch (error) {
    // A file system without links, as on a stick.
    if (error instanceof Deno.errors.AlreadyExists || exists(path)) throw error;
    await Deno.rename(aside, path);
  }
  await sync(dirname(path));
}

async function sync(path: string): Promise<void> {
  using file = await Deno.open(path);
  await file.sync();
}

async function orFailure<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    if (cause instanceof Deno.errors.AlreadyExists) {
      throw new Failure(`${path} is there already, and is not written over`, {
        hint: "name another file",
        cause,
      });
    }
    throw new Failure(`${path} can not be used: ${(cause as Error).message}`, {
      hint: "check that its folder exists, is yours and has room",
      cause,
    });
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
