/** The verbs about links.yaml: check, plan, reload. */
import { loadConfig } from "../config/load.ts";
import { printProblem, type Problem } from "../config/problem.ts";
import { Refused } from "./client.ts";
import { configFile } from "./find.ts";
import { complain, out, outJson } from "./print.ts";
import { ADDRESS_FLAGS, JSON_FLAG, withDaemon } from "./reach.ts";
import { on, text, type Verb } from "./verb.ts";

/** A step of a plan as the control API prints it (interfaces: Reload). */
interface StepJson {
  readonly step: "open" | "close" | "retune";
  readonly name: string;
  readonly changes: readonly { key: string; from: string | null; to: string | null }[];
  readonly cuts?: { streams: number };
}

interface PlanJson {
  readonly plan: readonly StepJson[];
  readonly applied?: boolean;
  readonly problems: readonly Problem[];
}

export const check: Verb = {
  name: "check",
  words: "[FILE]",
  count: [0, 1],
  summary:
    "Reads links.yaml, and the auth files it names, and prints every problem with its place. Exit 2 where one is an error.",
  flags: [{
    name: "config",
    short: "c",
    value: "FILE",
    help: "the file (default: links.yaml, config/links.yaml)",
  }, JSON_FLAG],
  async run(given) {
    const path = configFile(given.words[0] ?? text(given, "config"));
    const { config, problems } = await loadConfig(path, Date.now());
    if (on(given, "json")) outJson({ ok: config !== null, problems });
    else {
      for (const problem of problems) complain(printProblem(problem));
      if (config !== null) {
        out(
          `${path} is fine: ${count(config.links.size, "link")}, ${count(config.services.size, "service")}`,
        );
      }
    }
    return config === null ? 2 : 0;
  },
};

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

export const plan: Verb = {
  name: "plan",
  count: [0, 0],
  summary: "Shows what a reload of the running daemon would open, close and change, and does none of it.",
  flags: [...ADDRESS_FLAGS, JSON_FLAG],
  async run(given) {
    return printPlan(
      await withDaemon(given, (api) => api.call<PlanJson>("GET", "/v1/plan")),
      on(given, "json"),
    );
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

function printPlan(answer: PlanJson, json: boolean): number {
  const failed = answer.problems.some(({ severity }) => severity === "error");
  if (json) outJson(answer);
  else {
    for (const problem of answer.problems) complain(printProblem(problem));
    for (const step of answer.plan) out(printStep(step));
    if (answer.plan.length === 0 && !failed) out("nothing changes");
  }
  return failed ? 2 : 0;
}

const SIGNS = { open: "+", close: "-", retune: "~" };

/** `~ stripe rate 100/m → 50/m (cuts 3 streams)`. */
function printStep({ step, name, changes, cuts }: StepJson): string {
  const what = step === "retune"
    ? changes.map(({ key, from, to }) => ` ${key} ${from ?? "none"} → ${to ?? "none"}`).join(",")
    : "";
  const cut = cuts !== undefined && cuts.streams > 0 ? ` (cuts ${count(cuts.streams, "stream")})` : "";
  return `${SIGNS[step]} ${name}${what}${cut}`;
}
