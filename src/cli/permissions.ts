/** `connectd permissions`: the flags of `deno run` that let a daemon do what its file asks for, and nothing else. */
import { printProblem } from "../config/problem.ts";
import { BadFile } from "../daemon/reload.ts";
import { CONFIG_FLAG, configFile, readLinks } from "./find.ts";
import { denoFlags, grantsOf, programFolder } from "./grants.ts";
import { complain, out, outJson } from "./print.ts";
import { controlOf, JSON_FLAG, LISTEN_FLAG, listenOf, STATE_FLAG, stateOf } from "./reach.ts";
import { CONTROL_FLAG } from "./run.ts";
import { on, text, type Verb } from "./verb.ts";

export const permissions: Verb = {
  name: "permissions",
  count: [0, 0],
  summary: "Prints the flags of `deno run` that a daemon needs for links.yaml, and no others.",
  more: "Give it the flags that `run` will be given. Start a daemon with them:\n" +
    "  deno run $(connectd permissions) mod.ts run\n" +
    "A link that a later reload adds and they do not cover is in `error`, and says which flag it lacks.",
  flags: [CONFIG_FLAG, STATE_FLAG, LISTEN_FLAG, CONTROL_FLAG, { ...JSON_FLAG, help: "print them as JSON" }],
  async run(given) {
    const state = stateOf(given), listen = listenOf(given), control = controlOf(given);
    const file = configFile(text(given, "config"));
    const { config, problems } = await readLinks(file);
    if (config === null) throw new BadFile(`${file} can not be taken as it is`, problems);
    for (const problem of problems) complain(printProblem(problem));
    const grants = grantsOf(config, { program: programFolder(), state, listen, control });
    if (on(given, "json")) outJson({ ...grants, flags: denoFlags(grants) });
    else out(denoFlags(grants).join("\n"));
    return 0;
  },
};
