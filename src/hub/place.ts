/** Where a hub is on its machine: its socket, its store, and the lock that says it runs. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import { Failure } from "../core/errors.ts";
import { openSqlite } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { Tokens } from "./tokens.ts";

/** A unix socket's path holds this many bytes on Linux: sun_path, less its NUL. */
const SOCKET_PATH_MAX = 107;

/**
 * The socket of the hub on the state directory `state`: in it, or, where that is too long for a socket, in
 * $XDG_RUNTIME_DIR. Throws Failure where that is not set either.
 */
export function hubSocketPath(state: string): string {
  const path = resolve(state, "hub.sock");
  if (fits(path)) return path;
  const runtime = Deno.env.get("XDG_RUNTIME_DIR");
  const digest = createHash("sha256").update(resolve(state)).digest("hex").slice(0, 16);
  if (runtime && fits(resolve(runtime, `connectd-hub-${digest}.sock`))) {
    return resolve(runtime, `connectd-hub-${digest}.sock`);
  }
  throw new Failure(`the path ${path} is too long for a socket`, {
    hint: "name a shorter one with --state DIR, or set XDG_RUNTIME_DIR",
    permanent: true,
  });
}

function fits(path: string): boolean {
  return new TextEncoder().encode(path).length <= SOCKET_PATH_MAX;
}

/** The store of the hub that has no other. */
export function hubStorePath(state: string): string {
  return resolve(state, "hub.db");
}

/**
 * Opens the hub's store at `path` for this process alone: names and tokens are held in memory, and a second writer
 * would not be noticed. Throws Failure while another process has it. The lock is the kernel's and ends with the process.
 */
export async function openHubStore(path: string, clock: Clock): Promise<Store> {
  const lock = await takeLock(`${resolve(path)}.lock`, path);
  try {
    const store = await openSqlite(path, clock);
    return {
      bucket: (name, options) => store.bucket(name, options),
      close: () => store.close().finally(() => lock.close()),
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

async function takeLock(path: string, store: string): Promise<Deno.FsFile> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  } catch (cause) {
    throw new Failure(`the store ${store} can not be used: ${(cause as Error).message}`, {
      hint: "check that its folder exists and is yours",
      permanent: true,
      cause,
    });
  }
  if (await file.tryLock(true)) {
    await file.truncate();
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
    return file;
  }
  const pid = (await Deno.readTextFile(path)).trim();
  file.close();
  throw new Failure(`another process (pid ${pid || "unknown"}) has the store ${store}`, {
    hint: "end it, or name another store",
    permanent: true,
  });
}

/** The tokens in the store at `path`, for the command line while no hub runs. `close` gives the store back. */
export async function openTokens(
  path: string,
  clock: Clock = systemClock,
): Promise<{ tokens: Tokens; close(): Promise<void> }> {
  const store = await openHubStore(path, clock);
  try {
    return { tokens: await Tokens.open(store, clock), close: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
}
