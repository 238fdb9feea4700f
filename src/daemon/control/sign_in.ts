/** How a person gets from a terminal, where the socket or the token is theirs, to the local page in a browser. */
import type { Context } from "hono";
import type { CallEnv, Operation } from "../../api/app.ts";
import { time } from "../../api/call.ts";
import { object, TIME } from "../../api/documentation.ts";
import { ApiProblem } from "../../api/problem.ts";
import { PAGE_NAME, SIGN_IN } from "./guard.ts";
import { KEY_MS } from "./sessions.ts";
import type { ControlState } from "./state.ts";

const ADDRESS = object({
  url: { type: "string", description: "Opens the local page signed in, once." },
  expiresAt: TIME,
});

/** The one operation. */
export function signInOperations(state: ControlState): Operation<CallEnv>[] {
  return [{
    method: "POST",
    path: "/v1/sign-in",
    summary: "A one-time URL that opens the local page signed in",
    answers: { 201: { doc: "The URL, good for 60 s.", schema: ADDRESS } },
    problems: [403, 503],
    run: (context) => context.json(invite(context, state), 201),
  }];
}

function invite(context: Context<CallEnv>, { control, sessions, clock }: ControlState) {
  // Else a session would lengthen itself for ever.
  if (!context.env.local && context.req.header("Authorization") === undefined) {
    throw new ApiProblem(403, "forbidden", "A session opens no other: run `connectd ui`.");
  }
  const port = control?.split(":").at(-1);
  if (port === undefined) {
    throw new ApiProblem(
      503,
      "unavailable",
      "The control API listens on no port, so no browser can reach it.",
    );
  }
  const url = `http://${PAGE_NAME}:${port}${SIGN_IN}?key=${sessions.invite()}`;
  return { url, expiresAt: time(clock.now() + KEY_MS) };
}
