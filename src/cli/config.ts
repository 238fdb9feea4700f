/** The verbs about links.yaml: check, plan, reload. */
import { checkAuthFiles } from "../config/auth_files.ts";
import { checkTrustFiles } from "../config/trust_files.ts";
import { printProblem, type Problem, refused } from "../config/problem.ts";
import { readStill } from "../config/still.ts";
import { Failure } from "../core/errors.ts";
import { printStep, type Step } from "../core/plan.ts";
import { printSetting, type SettingChange } from "../core/settings.ts";
import { oneLine } from "../log.ts";
import { Refused } from "./client.ts";
import { asked, CONFIG_FLAG, configFile, isFile, readLinks } from "./find.ts";
import { complain, count, out, outJson } from "./print.ts";
import { ADDRESS_FLAGS, JSON_FLAG, withDaemon } from "./reach.ts";
import { on, text, type Verb } from "./verb.ts";

/** The answer of `/v1/plan` and `/v1/reload` (interfaces: Reload). */
interface PlanJson {
  readonly plan: readonly Step[];
  readonly settings: readonly SettingChange[];
  readonly applied?: boolean;
  readonly problems: readonly Problem[];
}

export const check: Verb = {
  name: "check",
  words: "[FILE]",
  count: [0, 1],
  summary:
    "Checks links.yaml and the auth files and certificates it names: every problem with its place. Exit 2 where one is an error.",
  flags: [CONFIG_FLAG, JSON_FLAG],
  async run(given) {
    const path = configFile(given.words[0] ?? text(given, "config"));
    const { config, problems: ofFile } = await readLinks(path);
    const problems = config === null
      ? ofFile
      : [...ofFile, ...await checkAuthFiles(config), ...await checkTrustFiles(config)];
    const ok = !refused(problems);
    if (on(given, "json")) outJson({ ok, problems });
    else {
      for (const problem of problems) complain(printProblem(problem));
      if (ok && config !== null) {
        const [links, services] = [config.links.size, config.services.size];
        out(`${path} is fine: ${count(links, "link")}, ${count(services, "service")}`);
      }
    }
    return ok ? 0 : 2;
  },
};

export const plan: Verb = {
  name: "plan",
  words: "[FILE]",
  count: [0, 1],
  summary:
    "Shows what a reload would open, close and change, and does none of it. With FILE it is for that draft: what is saved in the daemon's own file is applied within a second.",
  flags: [...ADDRESS_FLAGS, JSON_FLAG],
  async run(given) {
    const [draft] = given.words;
    const text = draft === undefined ? null : await asked(readDraft(draft));
    const answer = await withDaemon(
      given,
      (api) =>
        text === null
          ? api.call<PlanJson>("GET", "/v1/plan")
          : api.call<PlanJson>("POST", "/v1/plan", { text }),
    );
    const problems = answer.problems.map((problem) =>
      draft === undefined ? problem : { ...problem, file: draft }
    );
    return printPlan({ ...answer, problems }, on(given, "json"));
  },
};

export const reload: Verb = {
  name: "reload",
  count: [0, 0],
  summary:
    "Makes the running daemon read its file now, and prints what it did. A bad file changes nothing: exit 2.",
  flags: [
    { name: "allow-empty", help: "take a file without links and services while links run" },
    ...ADDRESS_FLAGS,
    JSON_FLAG,
  ],
  async run(given) {
    try {
      const body = on(given, "allow-empty") ? { allowEmpty: true } : {};
      return printPlan(
        await withDaemon(given, (api) => api.call<PlanJson>("POST", "/v1/reload", body)),
        on(given, "json"),
      );
    } catch (error) {
      if (error instanceof Refused && error.status === 422 && error.problem.problems !== undefined) {
        return printPlan(error.problem as unknown as PlanJson, on(given, "json"));
      }
      throw error;
    }
  },
};

/** The text of a file that the daemon does not have yet. Throws Failure. */
async function readDraft(path: string): Promise<string> {
  if (!isFile(path)) throw new Failure(`there is no file ${path}`);
  const bytes = await readStill(path, 0);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Failure(`${path} is not UTF-8`, { hint: "save the file as UTF-8", cause });
  }
}

function printPlan(answer: PlanJson, json: boolean): number {
  const failed = refused(answer.problems);
  if (json) outJson(answer);
  else {
    for (const problem of answer.problems) complain(printProblem(problem));
    for (const change of answer.settings) out(oneLine(printSetting(change)));
    for (const step of answer.plan) out(oneLine(printStep(step)));
    if (answer.plan.length + answer.settings.length === 0 && !failed) out("nothing changes");
  }
  return failed ? 2 : 0;
}
