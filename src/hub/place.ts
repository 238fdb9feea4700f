/** Where a hub is on its machine: its socket, its store, and the lock that says it runs. */
import { resolve } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import { Failure } from "../core/errors.ts";
import { privateSocketPath } from "../net/private_socket.ts";
import { type Held, type Lock, takeLock } from "../store/lock.ts";
import { reasonOf } from "../store/reasons.ts";
import { openSqlite } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { Tokens } from "./tokens.ts";

/** The socket of the hub on the state directory `state`. Throws Failure where no path is short enough for one. */
export function hubSocketPath(state: string): string {
  return privateSocketPath(state, "hub.sock", "connectd-hub");
}

/** The store of the hub that has no other. */
export function hubStorePath(state: string): string {
  return resolve(state, "hub.db");
}

/** Another process has the store. */
export class StoreTaken extends Failure {}

/**
 * Opens the hub's store at `path` for this process alone: names and tokens are held in memory, and a second writer
 * would not be noticed. Throws StoreTaken while another process has it, Failure. The lock is the kernel's and ends with the process.
 */
export async function openHubStore(path: string, clock: Clock): Promise<Store> {
  const lock = await lockStore(`${resolve(path)}.lock`, path);
  try {
    const store = await openSqlite(path, clock);
    return {
      trail: store.trail,
      bucket: (name, options) => store.bucket(name, options),
      snapshot: (path) => store.snapshot(path),
      close: () => store.close().finally(() => lock.release()),
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function lockStore(path: string, store: string): Promise<Held> {
  let lock: Lock;
  try {
    lock = await takeLock(path);
  } catch (cause) {
    const { what, hint = "check that its folder exists and is yours" } = reasonOf((cause as Error).message);
    throw new Failure(`the store ${store} can not be used: ${what}`, {
      hint,
      permanent: true,
      cause,
    });
  }
  if ("release" in lock) return lock;
  throw new StoreTaken(`another process (pid ${lock.holder}) has the store ${store}`, {
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
