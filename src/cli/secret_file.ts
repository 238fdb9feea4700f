/** Files that hold a token. */
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { Failure } from "../core/errors.ts";

/**
 * Puts `secret` into the file at `path`, readable by its owner alone (0600), and returns the absolute path. Written aside
 * and renamed: a daemon that watches the file reads the old token or the new one, never a part. Throws Failure.
 */
export async function writeSecretFile(path: string, secret: string): Promise<string> {
  const file = resolve(path);
  await aside(file, `${secret}\n`, (written) => Deno.rename(written, file));
  return file;
}

/** Throws Failure unless the file could be written: to be asked before there is a token, which is shown once. */
export async function checkSecretFile(path: string): Promise<void> {
  const file = resolve(path);
  await aside(file, "", async (written) => {
    await Deno.remove(written);
    const there = await Deno.stat(file).catch(() => null);
    if (there?.isDirectory) throw new TypeError("it is a folder");
  });
}

async function aside(file: string, text: string, then: (written: string) => Promise<void>): Promise<void> {
  const written = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await Deno.writeTextFile(written, text, { mode: 0o600, createNew: true });
    await then(written);
  } catch (cause) {
    await Deno.remove(written).catch(() => {});
    throw new Failure(`no token can be written to ${file}: ${(cause as Error).message}`, {
      hint: "name another file",
      permanent: true,
      cause,
    });
  }
}
