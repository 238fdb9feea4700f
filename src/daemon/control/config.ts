/** The daemon's file in the control API, and how the daemon is. */
import type { CallEnv, Operation } from "../../api/app.ts";
import { readOptionalObject } from "../../api/call.ts";
import { object } from "../../api/documentation.ts";
import { FILE_PROBLEMS } from "../../api/file_problems.ts";
import { callerOf } from "./caller.ts";
import { checkMembers, isFlag } from "./members.ts";
import { STATUS, STEPS } from "./schemas.ts";
import type { ControlState } from "./state.ts";

const RELOADED = object({ plan: STEPS, applied: { type: "boolean" }, problems: FILE_PROBLEMS });

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
      answers: { 200: { doc: "Its steps.", schema: object({ plan: STEPS, problems: FILE_PROBLEMS }) } },
      run: async (context) => context.json(await state.plan()),
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
