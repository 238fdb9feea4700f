/** The hub's API: who may call what, lists by pages, and every error in one form. */
import { Hono } from "hono";
import type { Context, Handler } from "hono";
import { Failure } from "../core/errors.ts";
import type { Log } from "../log.ts";
import { linkRoutes } from "./api_links.ts";
import { tokenRoutes } from "./api_tokens.ts";
import type { HubState } from "./state.ts";
import { ApiProblem, problemFields, problemJson } from "./problem.ts";
import type { Scope } from "./tokens.ts";

/** Who calls. `workspace` null: all of them, over the hub's own socket. */
export interface Caller {
  readonly scope: Scope;
  readonly workspace: string | null;
}

/** What comes with a request: `local` over the hub's own socket, which asks for no token. */
export interface ApiEnv {
  Bindings: { readonly local: boolean; readonly requestId: string };
  Variables: { caller: Caller };
}

export type ApiContext = Context<ApiEnv>;

/** One operation: its method, its path under /v1, the scopes that may call it, and what it does. */
export interface Operation {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly scopes: readonly Scope[];
  readonly run: (context: ApiContext) => Response | Promise<Response>;
}

/** Everybody in a workspace may look. */
export const READERS: readonly Scope[] = ["admin", "daemon", "member", "viewer"];

/** The API over `state`. */
export function createApi(state: HubState, log: Log): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();
  const operations = [...linkRoutes(state), ...tokenRoutes(state)];
  api.use(async (context, next) => {
    await next();
    context.header("X-Request-Id", context.env.requestId);
  });
  api.use("/v1/*", async (context, next) => {
    context.set("caller", identify(context, state));
    await next();
  });
  for (const { method, path, scopes, run } of operations) {
    api.on(method, path, (context) => {
      if (!scopes.includes(context.var.caller.scope)) {
        throw new ApiProblem(403, "forbidden", `This needs a token of scope ${scopes.join(" or ")}.`);
      }
      return run(context);
    });
  }
  for (const path of new Set(operations.map((operation) => operation.path))) {
    const methods = operations.filter((operation) => operation.path === path).map(({ method }) => method);
    api.all(path, notAllowed(methods));
  }
  api.get("/healthz", (context) => context.json({ ok: true }, 200, NO_STORE));
  api.get("/readyz", (context) => {
    if (state.draining()) throw new ApiProblem(503, "hub_draining", "The hub is about to end.");
    return context.json({ ok: true }, 200, NO_STORE);
  });
  for (const path of ["/healthz", "/readyz"]) api.all(path, notAllowed(["GET"]));
  api.notFound((context) => answer(context, new ApiProblem(404, "not_found", "There is nothing here.")));
  api.onError((error, context) => {
    if (error instanceof ApiProblem) return answer(context, error);
    if (error instanceof Failure) return answer(context, new ApiProblem(503, "store_unavailable", UNSTORED));
    log.error("the API failed", { path: context.req.path, error: error.message });
    return answer(context, new ApiProblem(500, "internal_error", "The hub failed to answer."));
  });
  return api;
}

const UNSTORED = "The hub can not store changes just now: nothing was changed.";

const NO_STORE = { "Cache-Control": "no-store" };

function answer(context: ApiContext, problem: ApiProblem): Response {
  const { requestId } = context.env;
  const headers = new Headers();
  for (const [name, value] of problemFields(problem, requestId)) headers.append(name, value);
  return new Response(problemJson(problem, requestId), { status: problem.status, headers });
}

function notAllowed(methods: readonly string[]): Handler<ApiEnv> {
  const allow = methods.includes("GET") ? [...methods, "HEAD"] : methods;
  return (context) => {
    throw new ApiProblem(405, "method_not_allowed", `${context.req.method} is not possible here.`, [
      ["Allow", allow.join(", ")],
    ]);
  };
}

function identify(context: ApiContext, { tokens }: HubState): Caller {
  if (context.env.local) return { scope: "admin", workspace: null };
  const caller = tokens.identify(context.req.header("Authorization"));
  if (caller !== null) return caller;
  throw new ApiProblem(401, "unauthorized", "This needs a valid token: Authorization: Bearer ….", [
    ["WWW-Authenticate", `Bearer realm="hub"`],
  ]);
}

const PAGE = 100;
const PAGE_MAX = 1000;

/** One page of `items`, which are in the order of `keyOf`: `?limit=` of those after `?cursor=`. */
export function page<T>(
  context: ApiContext,
  items: readonly T[],
  keyOf: (item: T) => string,
  print: (item: T) => unknown,
): Response {
  const { limit: limitText = String(PAGE), cursor } = context.req.query();
  const limit = /^\d{1,4}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > PAGE_MAX) {
    throw new ApiProblem(422, "invalid", `limit is a number from 1 to ${PAGE_MAX}.`);
  }
  const after = cursor === undefined ? null : readCursor(cursor);
  const from = after === null ? 0 : items.findIndex((item) => keyOf(item) > after);
  const rest = from < 0 ? [] : items.slice(from);
  const shown = rest.slice(0, limit);
  const nextCursor = rest.length > limit ? writeCursor(keyOf(shown[shown.length - 1])) : null;
  return context.json({ items: shown.map(print), nextCursor }, 200, NO_STORE);
}

function writeCursor(key: string): string {
  return btoa(key).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function readCursor(cursor: string): string {
  try {
    return atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw new ApiProblem(422, "invalid", "cursor is not one that a list gave.");
  }
}

const BODY_MAX = 64 * 1024;

/** The body as a JSON object. Throws ApiProblem. */
export async function readObject(context: ApiContext): Promise<Record<string, unknown>> {
  const type = context.req.header("Content-Type") ?? "";
  if (!/^application\/json *(;|$)/i.test(type)) {
    throw new ApiProblem(415, "unsupported_media_type", "The body must be application/json.");
  }
  if (Number(context.req.header("Content-Length") ?? 0) > BODY_MAX) throw tooLarge();
  const text = await context.req.text();
  if (text.length > BODY_MAX) throw tooLarge();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiProblem(400, "not_json", "The body is no JSON.");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new ApiProblem(422, "invalid", "The body is no object.", [], [{
    pointer: "",
    detail: "is no object",
  }]);
}

function tooLarge(): ApiProblem {
  return new ApiProblem(413, "body_too_large", `The body is larger than ${BODY_MAX} bytes.`);
}

/** What no workspace but its own may see is not there. */
export function notFound(what: string): ApiProblem {
  return new ApiProblem(404, "not_found", `There is no such ${what}.`);
}

/** RFC 3339 UTC, null for never. */
export function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
