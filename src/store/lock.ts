/** A file that one process at a time has. */

/** A lock that this process has. */
export interface Held {
  /** Gives it back at once. */
  release(): void;
}

/** The lock, or who has it: its process id, `unknown` where that is not written yet. */
export type Lock = Held | { readonly holder: string };

/**
 * Takes the lock at `path`, making the file (0600) where there is none. It is the kernel's, and ends with the process,
 * however that ends. Rejects with the runtime's error where the file can't be used.
 */
export async function takeLock(path: string): Promise<Lock> {
  const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  if (await file.tryLock(true)) {
    await file.truncate();
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
    return {
      release() {
        // A process that is just being started has all files of its parent for a moment: closing alone is not enough.
        file.unlockSync();
        file.close();
      },
    };
  }
  file.close();
  return { holder: (await Deno.readTextFile(path)).trim() || "unknown" };
}
