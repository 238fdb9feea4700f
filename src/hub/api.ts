/** The hub's API: who may call what. */
import type { Hono } from "hono";
import { createApp } from "../api/app.ts";
import { object } from "../api/documentation.ts";
import { documentOperation } from "../api/openapi.ts";
import { ApiProblem } from "../api/problem.ts";
import { Failure } from "../core/errors.ts";
import type { Log } from "../log.ts";
import { auditRoutes } from "./api_audit.ts";
import { eventRoutes } from "./api_events.ts";
import { linkRoutes } from "./api_links.ts";
import { logRoutes } from "./api_logs.ts";
import { manageRoutes } from "./api_manage.ts";
import { METRICS_PATH, metricsRoutes } from "./api_metrics.ts";
import { type ApiContext, type ApiEnv, type Caller, type Operation, READERS } from "./api_operation.ts";
import { deviceRoutes } from "./api_device.ts";
import { once } from "./api_once.ts";
import { serviceRoutes } from "./api_services.ts";
import { settingsRoutes } from "./api_settings.ts";
import { shareRoutes } from "./api_shares.ts";
import { tlsRoutes } from "./api_tls.ts";
import { tokenRoutes } from "./api_tokens.ts";
import { Board } from "./dashboard/board.ts";
import { addPages, problemAsPage } from "./dashboard/pages.ts";
import type { HubState } from "./state.ts";

/** The API over `state`, and the dashboard beside it. */
export function createApi(state: HubState, log: Log): Hono<ApiEnv> {
  const operations = apiOperations(state);
  const openPaths = new Set(operations.filter(({ open }) => open).map(({ path }) => path));
  const board = new Board(state, operations, (request, env) => api.fetch(request, env));
  const api: Hono<ApiEnv> = createApp<ApiEnv>({
    operations: operations.map((operation) => ({ ...operation, run: scoped(once(operation, state)) })),
    admit: (context) => {
      const { path } = context.req;
      if (openPaths.has(path) || !(path.startsWith("/v1/") || path === METRICS_PATH)) return;
      context.set("caller", identify(context, state));
    },
    explain: (error) => error instanceof Failure ? new ApiProblem(503, "store_unavailable", UNSTORED) : null,
    page: (context, problem) => problemAsPage(context, board, problem),
    log,
  });
  addPages(api, board);
  return api;
}

/** Every operation, each family in a file of its own. */
export function apiOperations(state: HubState): Operation[] {
  const operations = [
    ...healthRoutes(state),
    ...tlsRoutes(state),
    ...linkRoutes(state),
    ...manageRoutes(state),
    ...logRoutes(state),
    ...serviceRoutes(state),
    ...shareRoutes(state),
    ...eventRoutes(state),
    ...tokenRoutes(state),
    ...deviceRoutes(state),
    ...auditRoutes(state),
    ...metricsRoutes(state),
    ...settingsRoutes(state),
  ];
  const document = documentOperation<ApiEnv>("connectd hub", "/v1/openapi.json", operations);
  return [...operations, { ...document, scopes: READERS }];
}

function scoped({ open, scopes, run }: Pick<Operation, "open" | "scopes" | "run">): Operation["run"] {
  if (open) return run;
  return (context) => {
    if (context.env.local || scopes.includes(context.var.caller.scope)) return run(context);
    const needs = scopes.length === 0 ? "the hub's own socket" : `a token of scope ${scopes.join(" or ")}`;
    throw new ApiProblem(403, "forbidden", `This needs ${needs}.`);
  };
}

function healthRoutes(state: HubState): Operation[] {
  const schema = object({ ok: { type: "boolean" } });
  return [
    {
      method: "GET",
      path: "/healthz",
      summary: "Whether the hub answers",
      open: true,
      scopes: [],
      answers: { 200: { doc: "It does.", schema } },
      run: (context) => context.json({ ok: true }),
    },
    {
      method: "GET",
      path: "/readyz",
      summary: "Whether visitors may be sent here",
      open: true,
      scopes: [],
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

function identify(context: ApiContext, { tokens, failures, audit }: HubState): Caller {
  if (context.env.local) return { token: null, name: null, scope: "admin", workspace: null };
  if (context.env.caller !== undefined) return context.env.caller;
  const shown = context.req.header("Authorization");
  const caller = tokens.identify(shown);
  if (caller !== null) return caller;
  const { address } = context.env;
  audit.refusedCall("unauthorized", address);
  const slower = shown === undefined ? null : failures.wrongToken(address);
  if (slower !== null) throw slower;
  throw new ApiProblem(401, "unauthorized", "This needs a valid token: Authorization: Bearer ….", [
    ["WWW-Authenticate", `Bearer realm="hub"`],
  ]);
}
