/** The hub's API: who may call what. */
import type { Hono } from "hono";
import { createApp } from "../api/app.ts";
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
  const health = ["/healthz", "/readyz"].map((path) => ({
    method: "GET" as const,
    path,
    run: (context: ApiContext) => {
      if (path === "/readyz" && state.draining()) {
        throw new ApiProblem(503, "hub_draining", "The hub is about to end.");
      }
      return context.json({ ok: true });
    },
  }));
  return createApp<ApiEnv>({
    operations: [...scoped, ...health],
    admit: (context) => {
      if (context.req.path.startsWith("/v1/")) context.set("caller", identify(context, state));
    },
    explain: (error) => error instanceof Failure ? new ApiProblem(503, "store_unavailable", UNSTORED) : null,
    log,
  });
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
