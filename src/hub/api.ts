/** The hub's API: who may call what. */
import type { Hono } from "hono";
import { createApp, type Operation as ApiOperation } from "../api/app.ts";
import { object } from "../api/documentation.ts";
import { documentOperation } from "../api/openapi.ts";
import { ApiProblem } from "../api/problem.ts";
import { Failure } from "../core/errors.ts";
import type { Log } from "../log.ts";
import { linkRoutes } from "./api_links.ts";
import type { ApiContext, ApiEnv, Caller } from "./api_operation.ts";
import { tokenRoutes } from "./api_tokens.ts";
import type { HubState } from "./state.ts";

/** The API over `state`. */
export function createApi(state: HubState, log: Log): Hono<ApiEnv> {
  const scoped = [...linkRoutes(state), ...tokenRoutes(state)].map(({ scopes, run, ...where }) => ({
    ...where,
    run: (context: ApiContext) => {
      if (scopes.includes(context.var.caller.scope)) return run(context);
      throw new ApiProblem(403, "forbidden", `This needs a token of scope ${scopes.join(" or ")}.`);
    },
  }));
  const operations = [...scoped, ...healthRoutes(state)];
  return createApp<ApiEnv>({
    operations: [...operations, documentOperation("connectd hub", "/v1/openapi.json", operations)],
    admit: (context) => {
      if (context.req.path.startsWith("/v1/")) context.set("caller", identify(context, state));
    },
    explain: (error) => error instanceof Failure ? new ApiProblem(503, "store_unavailable", UNSTORED) : null,
    log,
  });
}

function healthRoutes(state: HubState): ApiOperation<ApiEnv>[] {
  const schema = object({ ok: { type: "boolean" } });
  return [
    {
      method: "GET",
      path: "/healthz",
      summary: "Whether the hub answers",
      open: true,
      answers: { 200: { doc: "It does.", schema } },
      run: (context) => context.json({ ok: true }),
    },
    {
      method: "GET",
      path: "/readyz",
      summary: "Whether visitors may be sent here",
      open: true,
      answers: { 200: { doc: "They may.", schema } },
      problems: [503],
      run(context) {
        if (state.draining()) throw new ApiProblem(503, "hub_draining", "The hub is about to end.");
        return context.json({ ok: true });
      },
    },
  ];
}

const UNSTORED = "The hub can not store changes just now: nothing was changed.";

function identify(context: ApiContext, { tokens }: HubState): Caller {
  if (context.env.local) return { scope: "admin", workspace: null };
  const caller = tokens.identify(context.req.header("Authorization"));
  if (caller !== null) return caller;
  throw new ApiProblem(401, "unauthorized", "This needs a valid token: Authorization: Bearer ….", [
    ["WWW-Authenticate", `Bearer realm="hub"`],
  ]);
}
