/** A file that one process at a time has. */

/** The lock, or who has it: its process id, `unknown` where that is not written yet. */
export type Lock = { readonly file: Deno.FsFile } | { readonly holder: string };

/**
 * Takes the lock at `path`, making the file (0600) where there is none. It is the kernel's, and ends when the file is
 * closed or with the process, however that ends. Rejects with the runtime's error where the file can't be used.
 */
export async function takeLock(path: string): Promise<Lock> {
  const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  if (await file.tryLock(true)) {
    await file.truncate();
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
    return { file };
  }
  file.close();
  return { holder: (await Deno.readTextFile(path)).trim() || "unknown" };
}
