/** The command line: finds the verb, reads its words, runs it, and turns what it threw into one sentence and an exit code. */
import { BadFile } from "../daemon/reload.ts";
import { audit } from "./audit.ts";
import { completionsVerb } from "./completions.ts";
import { check, plan, reload } from "./config.ts";
import { doctor } from "./doctor.ts";
import { explain } from "./explain.ts";
import { helpVerb, verbNamed } from "./help.ts";
import { hub } from "./hub.ts";
import { init } from "./init.ts";
import { install } from "./install.ts";
import { link } from "./link.ts";
import { list, renew, revoke } from "./links.ts";
import { login } from "./login.ts";
import { logs } from "./logs.ts";
import { permissions } from "./permissions.ts";
import { complain, complainOf } from "./print.ts";
import { expose } from "./private/expose.ts";
import { join } from "./private/join.ts";
import { reach } from "./private/reach.ts";
import { share } from "./private/share.ts";
import { replay } from "./replay.ts";
import { requests } from "./requests.ts";
import { run } from "./run.ts";
import { status } from "./status.ts";
import { token } from "./token.ts";
import { TOPICS } from "./topics.ts";
import { ui } from "./ui.ts";
import { readWords, UsageError, type Verb } from "./verb.ts";
import { version } from "./version.ts";

const help = helpVerb(() => VERBS);

/** Every verb, in the order of the help. */
export const VERBS: readonly Verb[] = [
  run,
  hub,
  link,
  list,
  revoke,
  renew,
  status,
  check,
  plan,
  reload,
  explain,
  expose,
  reach,
  share,
  join,
  requests,
  replay,
  logs,
  audit,
  ui,
  token,
  login,
  init,
  doctor,
  permissions,
  install,
  completionsVerb(() => VERBS, Object.keys(TOPICS)),
  version,
  help,
];

/** Runs the command line `args` (without the program) and returns the exit code: 0 success, 1 error, 2 invalid arguments or file. */
export async function main(args: readonly string[]): Promise<number> {
  let verb: Verb | null = null;
  try {
    const first = args[0];
    if (first === "--help" || first === "-h") return await help.run({ flags: {}, words: [] });
    if (first === "--version" || first === "-V") return await version.run({ flags: {}, words: [] });
    const named = first !== undefined && !first.startsWith("-");
    verb = named ? verbNamed(first, VERBS) : run;
    const given = readWords(verb, named ? args.slice(1) : args);
    if (given.flags.help === true) return await help.run({ flags: {}, words: [verb.name] });
    return await verb.run(given);
  } catch (error) {
    complainOf(error);
    if (error instanceof UsageError && error.hint === null) {
      complain(`  see: connectd ${verb === null ? "help" : `help ${verb.name}`}`);
    }
    return error instanceof UsageError || error instanceof BadFile ? 2 : 1;
  }
}
