/** Where the files of a role are: the state directory, the configuration, the token. */
import { resolve } from "node:path";
import type { Config } from "../config/links.ts";
import { loadConfig, type Loaded } from "../config/load.ts";
import { Failure } from "../core/errors.ts";
import { type Flag, UsageError } from "./verb.ts";

export const CONFIG_FLAG: Flag = {
  name: "config",
  short: "c",
  value: "FILE",
  help: "the file (default: links.yaml, config/links.yaml)",
};

/** The configuration a verb means without `--config`: the first of these below the working folder. */
const CONFIG_FILES = ["links.yaml", "config/links.yaml"];

/** The path of links.yaml: `given`, else the first of the usual places. Throws UsageError where there is none. */
export function configFile(given: string | null): string {
  const found = given ?? CONFIG_FILES.find(isFile);
  if (found === undefined) {
    throw new UsageError(`there is no ${CONFIG_FILES.join(" or ")} here`, {
      hint: "write one with `connectd init`, or name it with --config FILE",
    });
  }
  return resolve(found);
}

/** The usual configuration where there is one, else null. */
export function usualConfigFile(given: string | null): string | null {
  return given === null && !CONFIG_FILES.some(isFile) ? null : configFile(given);
}

/** Reads the links.yaml at `path`. Throws UsageError where there is none or it can't be read. */
export function readLinks(path: string): Promise<Loaded<Config>> {
  return asked(loadConfig(path, Date.now()));
}

/** What `loading` gives; a file that was asked for and can't be read is a matter of what was typed. */
export async function asked<T>(loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new UsageError(error.message, {
      ...(error.hint === null ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

/** Whether there is a file at `path`. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
