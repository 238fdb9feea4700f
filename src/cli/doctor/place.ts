/** The doctor at this machine: the runtime, descriptors, the state directory, files that hold secrets. */
import { authFiles, checkAuthFiles } from "../../config/auth_files.ts";
import type { Config } from "../../config/links.ts";
import { checkTrustFiles } from "../../config/trust_files.ts";
import { type Check, type Finding, findings, why } from "./finding.ts";

const LIMIT_MS = 5_000;

/** The first Deno that connectd runs on. */
const DENO: readonly [major: number, minor: number] = [2, 9];

/** Beyond so many the limit of open files is nobody's trouble; a request takes one or two. */
const DESCRIPTORS = 4_096;

/** What can be looked at without waiting. */
export function placeChecks(state: string, config: Config | null, tokenFiles: readonly string[]): Check[] {
  const at = (check: string, about: string | null, look: () => Promise<readonly Finding[]>): Check => ({
    check,
    about,
    limitMs: LIMIT_MS,
    late: "the disk does not answer: see whether it hangs",
    run: look,
  });
  return [
    at("deno", null, () => Promise.resolve([denoFinding()])),
    at("state", state, () => stateFindings(state)),
    ...(config === null ? [] : [at("files", config.file, () => problemFindings(config))]),
    ...[
      ...new Set([
        ...tokenFiles,
        `${state}/control.token`,
        `${state}/metrics.token`,
        ...(config === null ? [] : authFiles(config).map(({ path }) => path)),
      ]),
    ]
      .map((path) => at("secret", path, () => secretFindings(path))),
  ];
}

function denoFinding(): Finding {
  const { ok, fail } = findings("deno", null);
  const { deno } = Deno.version;
  const [major, minor] = deno.split(".").map(Number);
  if (major > DENO[0] || (major === DENO[0] && minor >= DENO[1])) return ok(deno);
  return fail(`${deno} is older than ${DENO.join(".")}`, "bring it up to date: deno upgrade");
}

/**
 * How many files this process may open, tried: the runtime does not tell. It holds up everything else for some ms, so it
 * comes before whatever opens files or sockets.
 */
export function descriptorFinding(): Finding {
  const { ok, warn } = findings("descriptors", null);
  const open: Deno.FsFile[] = [];
  try {
    while (open.length < DESCRIPTORS) open.push(Deno.openSync("/"));
    return ok(`${DESCRIPTORS} and more`);
  } catch {
    const seen = `only ${open.length} more files can be open at once in a process that is started here`;
    return warn(seen, "raise the limit: LimitNOFILE in a unit, `ulimit -Hn` in a shell");
  } finally {
    for (const file of open) file.close();
  }
}

async function stateFindings(state: string): Promise<Finding[]> {
  const { ok, warn, fail } = findings("state", state);
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(state);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [ok("not there yet; `connectd run` makes it")];
    return [fail(why(error), "name another with --state DIR, or run as the daemon's user")];
  }
  if (!info.isDirectory) return [fail("it is no directory", "name another with --state DIR")];
  try {
    await Deno.remove(await Deno.makeTempFile({ dir: state, prefix: "doctor-" }));
  } catch (error) {
    return [
      fail(
        `nothing can be written there: ${why(error)}`,
        "run as the daemon's user, and see whether the disk is full",
      ),
    ];
  }
  const mode = info.mode === null ? 0o700 : info.mode & 0o777;
  if ((mode & 0o077) === 0) return [ok(`mode ${octal(mode)}, writable`)];
  return [warn(`mode ${octal(mode)}: others on this machine can look into it`, `chmod 700 ${state}`)];
}

/** What is wrong in the files that the configuration names. */
async function problemFindings(config: Config): Promise<Finding[]> {
  const problems = [...await checkAuthFiles(config), ...await checkTrustFiles(config)];
  return problems.map(({ file, line, message, hint }) =>
    findings("files", `${file}:${line}`).fail(message, hint ?? "mend the file, or name another")
  );
}

async function secretFindings(path: string): Promise<Finding[]> {
  const { ok, warn } = findings("secret", path);
  let mode: number | null;
  try {
    ({ mode } = await Deno.stat(path));
  } catch {
    // Whoever needs it says that it is not there.
    return [];
  }
  if (mode === null) return [];
  if ((mode & 0o007) === 0) return [ok(`mode ${octal(mode & 0o777)}`)];
  return [
    warn(`mode ${octal(mode & 0o777)}: everybody on this machine can read or change it`, `chmod 600 ${path}`),
  ];
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
