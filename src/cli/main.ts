/** The command line: finds the verb, reads its words, runs it, and turns what it threw into one sentence and an exit code. */
import { nearest } from "../config/suggest.ts";
import { BadFile } from "../daemon/reload.ts";
import { audit } from "./audit.ts";
import { completionsVerb } from "./completions.ts";
import { check, plan, reload } from "./config.ts";
import { doctor } from "./doctor.ts";
import { explain } from "./explain.ts";
import { hub } from "./hub.ts";
import { init } from "./init.ts";
import { install } from "./install.ts";
import { link } from "./link.ts";
import { list, renew, revoke } from "./links.ts";
import { permissions } from "./permissions.ts";
import { complain, complainOf, out } from "./print.ts";
import { run } from "./run.ts";
import { status } from "./status.ts";
import { token } from "./token.ts";
import { ui } from "./ui.ts";
import { brief, readWords, UsageError, type Verb, verbHelp } from "./verb.ts";
import { version } from "./version.ts";

const help: Verb = {
  name: "help",
  words: "[VERB]",
  count: [0, 1],
  summary: "Shows what there is, or what a verb does.",
  flags: [],
  run({ words }) {
    out((words[0] === undefined ? overview() : verbHelp(verbNamed(words[0]))).trimEnd());
    return Promise.resolve(0);
  },
};

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
  audit,
  ui,
  token,
  init,
  doctor,
  permissions,
  install,
  completionsVerb(() => VERBS, []),
  version,
  help,
];

function overview(): string {
  const rows = VERBS.map((verb) => [`  connectd ${verb.name} ${verb.words ?? ""}`.trimEnd(), brief(verb)]);
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return "connectd gives a local service a public link, under a policy that its owner writes in one file.\n\n" +
    rows.map(([left, right]) => left.padEnd(width) + right).join("\n") +
    "\n\nWithout a verb: run. `connectd VERB --help` shows a verb's flags. From a checkout: deno task VERB.";
}

function verbNamed(name: string): Verb {
  const verb = VERBS.find((verb) => verb.name === name);
  if (verb !== undefined) return verb;
  const meant = nearest(name, VERBS.map((verb) => verb.name));
  throw new UsageError(
    `there is no verb ${JSON.stringify(name)}`,
    meant === null ? {} : { hint: `did you mean ${meant}?` },
  );
}

/** Runs the command line `args` (without the program) and returns the exit code: 0 success, 1 error, 2 invalid arguments or file. */
export async function main(args: readonly string[]): Promise<number> {
  let verb: Verb | null = null;
  try {
    const first = args[0];
    if (first === "--help" || first === "-h") return await help.run({ flags: {}, words: [] });
    if (first === "--version" || first === "-V") return await version.run({ flags: {}, words: [] });
    const named = first !== undefined && !first.startsWith("-");
    verb = named ? verbNamed(first) : run;
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
