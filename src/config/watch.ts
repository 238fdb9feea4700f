/** Notices when a file has changed and stands still again. */

/** A watch that runs. */
export interface Watch {
  /** The other files to watch from now on (auth files); replaces what was given before. */
  also(paths: readonly string[]): void;
  close(): void;
}

/** Calls `changed` once for each change of `path`, after it stood still for `stillMs`. */
export function watchFile(
  _path: string,
  _options: { stillMs?: number; pollMs?: number },
  _changed: (path: string) => void,
): Watch {
  throw new Error("not yet");
}

/** Resolves once size, mtime and inode of `path` have stood still for `stillMs`. */
export function readStill(_path: string, _stillMs: number): Promise<Uint8Array> {
  throw new Error("not yet");
}
