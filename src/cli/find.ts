/** Where the files of a role are: the state directory, the configuration, the token. */
import { resolve } from "node:path";
import { Failure } from "../core/errors.ts";

/** The configuration a verb means without `--config`: the first of these below the working folder. */
const CONFIG_FILES = ["links.yaml", "config/links.yaml"];

/** The path of links.yaml: `given`, else the first of the usual places. Throws a Failure where there is none. */
export function configFile(given: string | null): string {
  const found = given ?? CONFIG_FILES.find(exists);
  if (found === undefined) {
    throw new Failure(`there is no ${CONFIG_FILES.join(" or ")} here`, {
      hint: "name one with --config FILE",
      permanent: true,
    });
  }
  return resolve(found);
}

/** The usual configuration where there is one, else null. */
export function usualConfigFile(given: string | null): string | null {
  return given === null && !CONFIG_FILES.some(exists) ? null : configFile(given);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
