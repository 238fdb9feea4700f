/** `Idempotency-Key` on operations that make something. */
import { readText } from "../api/call.ts";
import type { Parameters } from "../api/documentation.ts";
import type { ApiContext, Operation } from "./api_operation.ts";
import type { Call, Kept } from "./idempotency.ts";
import type { HubState } from "./state.ts";

/** The header field of such an operation. */
export const IDEMPOTENCY: Parameters = {
  "Idempotency-Key": {
    doc:
      "Of the caller's choice: for 24 h the same call with it gives the same answer, and makes nothing more.",
    schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
  },
};

/** What an answer says besides its body. */
const FIELDS = ["Content-Type", "Location", "ETag"];

/** As a body is read. */
const BODY_MAX = 64 * 1024;

/** What `context` calls, where it says that it may be said twice; null: it does not. Throws ApiProblem. */
async function callOf(context: ApiContext): Promise<Call | null> {
  const key = context.req.header("Idempotency-Key");
  if (key === undefined) return null;
  const { caller } = context.var, { method, url, headers, signal } = context.req.raw;
  const body = await readText(context, BODY_MAX);
  // Whoever runs the operation reads it as it came.
  context.req.raw = new Request(url, { method, headers, body: body === "" ? null : body, signal });
  return {
    key,
    caller: caller.token === null ? "" : `${caller.workspace}/${caller.token}`,
    credential: context.req.header("Authorization") ?? "",
    operation: `${method} ${context.req.path}`,
    body,
  };
}

/** `operation` as it is run. */
export function once(operation: Operation, { desk }: HubState): Operation {
  if (operation.creates === undefined) return operation;
  return {
    ...operation,
    async run(context) {
      const call = await callOf(context);
      if (call === null) return await operation.run(context);
      const { status, fields, body } = await desk.idempotency.once(call, async (draw): Promise<Kept> => {
        context.set("draw", draw);
        const answer = await operation.run(context);
        const fields = FIELDS.map((name) => [name, answer.headers.get(name) ?? ""] as const);
        return {
          status: answer.status,
          fields: fields.filter(([, value]) => value !== ""),
          body: await answer.text(),
        };
      });
      return new Response(body, { status, headers: fields.map(([name, value]) => [name, value]) });
    },
  };
}
