/** The daemon's file in the control API, and how the daemon is. */
import type { CallEnv, Operation } from "../../api/app.ts";
import { readObject, readOptionalObject } from "../../api/call.ts";
import { object } from "../../api/documentation.ts";
import { FILE_PROBLEMS } from "../../api/file_problems.ts";
import { ApiProblem } from "../../api/problem.ts";
import { callerOf } from "./caller.ts";
import { checkMembers, isFlag } from "./members.ts";
import { SETTINGS, STATUS, STEPS } from "./schemas.ts";
import type { ControlState } from "./state.ts";

const PLANNED = { plan: STEPS, settings: SETTINGS, problems: FILE_PROBLEMS };
const RELOADED = object({ ...PLANNED, applied: { type: "boolean" } });

/** Of a text of a mebibyte, the most that a file may have, as a text of JSON. */
const TEXT_MAX = 4 * 1024 * 1024;

/** The operations on the file, and those that say how the daemon is. */
export function configOperations(state: ControlState): Operation<CallEnv>[] {
  return [
    {
      method: "GET",
      path: "/healthz",
      summary: "Whether the daemon answers",
      open: true,
      answers: { 200: { doc: "It does.", schema: object({ ok: { type: "boolean" } }) } },
      run: (context) => context.json({ ok: true }),
    },
    {
      method: "GET",
      path: "/v1/status",
      summary: "How the daemon, its file and its hubs are",
      answers: { 200: { doc: "As it is now.", schema: STATUS } },
      run: (context) => context.json(state.status()),
    },
    {
      method: "GET",
      path: "/v1/plan",
      summary: "What a reload would do",
      answers: { 200: { doc: "Its steps.", schema: object(PLANNED) } },
      run: async (context) => context.json(await state.plan()),
    },
    {
      method: "POST",
      path: "/v1/plan",
      summary: "What a reload would do if another text stood in the file",
      body: { schema: object({ text: { type: "string", description: "A whole links.yaml." } }) },
      answers: {
        200: { doc: "Its steps; problems have the path of the daemon's file.", schema: object(PLANNED) },
      },
      async run(context) {
        const body = await readObject(context, TEXT_MAX);
        checkMembers({ text: null, ...body }, {
          text: (value) => typeof value === "string" ? null : "is no text",
        });
        if (state.status().config.file === null) {
          throw new ApiProblem(422, "no_file", "The daemon runs without a file: no text would change it.");
        }
        return context.json(await state.plan(body.text as string));
      },
    },
    {
      method: "POST",
      path: "/v1/reload",
      summary: "Read the file and apply it",
      body: {
        schema: object({
          allowEmpty: { type: "boolean", description: "`true`: a file without links is meant so." },
        }, ["allowEmpty"]),
        optional: true,
      },
      answers: {
        200: { doc: "What was done.", schema: RELOADED },
        422: { doc: "The file is refused, and nothing was changed.", schema: RELOADED },
      },
      async run(context) {
        const wish = readReload(await readOptionalObject(context));
        const answer = await state.reload({ ...wish, by: callerOf(context) });
        return context.json(answer, answer.applied ? 200 : 422);
      },
    },
  ];
}

function readReload(body: Record<string, unknown>): { allowEmpty?: boolean } {
  checkMembers(body, { allowEmpty: isFlag });
  return body;
}
