/** The control API: a daemon's links and its file, for whoever may command it (interfaces: APIs). */
import type { Context, Hono } from "hono";
import { type CallEnv, createApp, type Operation } from "../../api/app.ts";
import { documentOperation } from "../../api/openapi.ts";
import { ApiProblem } from "../../api/problem.ts";
import { Failure } from "../../core/errors.ts";
import type { Log } from "../../log.ts";
import { trailOperations } from "./audit.ts";
import { configOperations } from "./config.ts";
import { eventOperations } from "./event_stream.ts";
import { explainOperations } from "./explain.ts";
import { linkOperations } from "./links.ts";
import { logOperations } from "./logs.ts";
import { metricsOperations } from "./metrics.ts";
import { addPages, problemAsPage } from "./pages/pages.ts";
import { requestOperations } from "./requests.ts";
import { serviceOperations } from "./services.ts";
import { signInOperations } from "./sign_in.ts";
import type { ControlState } from "./state.ts";

type Call = Context<CallEnv>;

/** The API over `state`, and the pages beside it. `admit` throws ApiProblem for a call that may not go on. */
export function createControlApi(
  state: ControlState,
  admit: (context: Call) => void,
  log: Log,
): Hono<CallEnv> {
  const api = createApp<CallEnv>({
    operations: controlOperations(state),
    admit,
    explain: (error) => error instanceof Failure ? new ApiProblem(503, "unavailable", error.message) : null,
    page: (context, problem) => problemAsPage(context, state, problem),
    log,
  });
  addPages(api, state);
  return api;
}

/** Every operation, each family in a file of its own. */
export function controlOperations(state: ControlState): Operation<CallEnv>[] {
  const operations = [
    ...configOperations(state),
    ...linkOperations(state),
    ...serviceOperations(state),
    ...explainOperations(state),
    ...eventOperations(state),
    ...trailOperations(state),
    ...requestOperations(state),
    ...logOperations(state),
    ...metricsOperations(state),
    ...signInOperations(state),
  ];
  return [...operations, documentOperation("connectd daemon", "/openapi.json", operations)];
}
