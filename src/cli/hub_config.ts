/** `connectd hub check` and `hub reload`: hub.yaml before a hub has it, and while it runs with it. */
import { printProblem, type Problem, refused } from "../config/problem.ts";
import type { ReloadAnswer } from "../hub/file.ts";
import { hubSocketPath } from "../hub/place.ts";
import { oneLine } from "../log.ts";
import { Failure } from "../core/errors.ts";
import { printSetting } from "../core/settings.ts";
import { ApiClient, Refused, Unanswered } from "./client.ts";
import { readHubFile } from "./hub_settings.ts";
import { certificateProblems } from "./hub_certificate.ts";
import { complain, out, outJson } from "./print.ts";
import { stateOf } from "./reach.ts";
import { type Given, on } from "./verb.ts";

/** Prints every problem of a hub.yaml; returns the exit code. */
export async function checkHub(given: Given, [named]: readonly string[]): Promise<number> {
  const [file, { config, problems: written }] = await readHubFile(given, named);
  const problems = [...written, ...config === null ? [] : await certificateProblems(config)];
  const ok = !refused(problems);
  if (on(given, "json")) outJson({ ok, problems });
  else {
    printProblems(problems);
    if (ok) out(`${file} is fine`);
  }
  return ok ? 0 : 2;
}

/** Makes the hub that runs read its file; returns the exit code. */
export async function reloadHub(given: Given): Promise<number> {
  const answer = await askHub(given, async (api) => {
    try {
      return await api.call<ReloadAnswer>("POST", "/v1/reload");
    } catch (error) {
      if (error instanceof Refused && error.status === 422) return error.problem as unknown as ReloadAnswer;
      throw error;
    }
  });
  if (on(given, "json")) outJson(answer);
  else {
    printProblems(answer.problems);
    for (const change of answer.changes) out(oneLine(printSetting(change)));
    if (answer.applied && answer.changes.length === 0) {
      out("nothing changes: the hub goes by the file as it is");
    }
  }
  return answer.applied ? 0 : 2;
}

/** Asks the hub on the state directory. Throws a Failure that says how to start one where none answers. */
export async function askHub<T>(given: Given, ask: (api: ApiClient) => Promise<T>): Promise<T> {
  const socket = hubSocketPath(stateOf(given));
  try {
    return await ask(new ApiClient({ socket }, "the hub"));
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    throw new Failure(`no hub answers at ${socket}`, {
      hint: "start one with `connectd hub`, or say where it is with --state DIR",
      cause: error,
    });
  }
}

function printProblems(problems: readonly Problem[]): void {
  for (const problem of problems) complain(printProblem(problem));
}
