/** What the APIs of hub and daemon have in common: operations as a table, and every error in one form. */
import { type Context, type Env, type Handler, Hono } from "hono";
import type { Log } from "../log.ts";
import type { Documentation } from "./documentation.ts";
import { ApiProblem, problemFields, problemJson } from "./problem.ts";

/** What comes with a request. */
export interface CallEnv {
  readonly Bindings: {
    readonly requestId: string;
    /** It came over the role's own unix socket, which asks for no token. */
    readonly local: boolean;
  };
}

/** One operation: its method, its path, what is documented of it, and what it does. */
export interface Operation<E extends Env> extends Documentation {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly run: (context: Context<E>) => Response | Promise<Response>;
}

export interface AppOptions<E extends Env> {
  readonly operations: readonly Operation<E>[];
  /** Looks at every call first; throws ApiProblem for one that may not go on. */
  readonly admit: (context: Context<E>) => void;
  /** What an error of another kind means to the caller; null: nothing that may be told. */
  readonly explain: (error: Error) => ApiProblem | null;
  /** A problem as a page for people; null, or absent: the caller gets problem+json. */
  readonly page?: (context: Context<E>, problem: ApiProblem) => Response | null;
  readonly log: Log;
}

/** An app that serves `operations` and answers everything else with a problem (RFC 9457). */
export function createApp<E extends CallEnv>(options: AppOptions<E>): Hono<E> {
  const { operations, admit, explain, page, log } = options;
  const answer = (context: Context<E>, problem: ApiProblem) =>
    page?.(context, problem) ?? problemAnswer(context, problem);
  const app = new Hono<E>();
  app.use(async (context, next) => {
    admit(context);
    await next();
    context.header("X-Request-Id", context.env.requestId);
    // No browser takes an answer for a script, or for a page, that is none.
    context.header("X-Content-Type-Options", "nosniff");
    // Answers are for whoever asked, and true just now, unless they say otherwise.
    if (!context.res.headers.has("Cache-Control")) context.header("Cache-Control", "no-store");
  });
  for (const { method, path, run } of operations) app.on(method, path, (context) => run(context));
  // `/shares/join` is an id to `/shares/:id`, which goes last.
  const paths = [...new Set(operations.map((operation) => operation.path))]
    .sort((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
  for (const path of paths) {
    const methods = operations.filter((operation) => operation.path === path).map(({ method }) => method);
    app.all(path, notAllowed(methods));
  }
  app.notFound((context) => answer(context, new ApiProblem(404, "not_found", "There is nothing here.")));
  app.onError((error, context) => {
    const problem = error instanceof ApiProblem ? error : explain(error);
    if (problem !== null) return answer(context, problem);
    log.error("an API call failed", { path: context.req.path, error: error.message });
    return answer(context, new ApiProblem(500, "internal_error", "The call failed: the log says why."));
  });
  return app;
}

function problemAnswer<E extends CallEnv>(context: Context<E>, problem: ApiProblem): Response {
  const { requestId } = context.env;
  const headers = new Headers();
  for (const [name, value] of problemFields(problem, requestId)) headers.append(name, value);
  return new Response(problemJson(problem, requestId), { status: problem.status, headers });
}

function notAllowed<E extends Env>(methods: readonly string[]): Handler<E> {
  const allow = methods.includes("GET") ? [...methods, "HEAD"] : methods;
  return (context) => {
    throw new ApiProblem(405, "method_not_allowed", `${context.req.method} is not possible here.`, [
      ["Allow", allow.join(", ")],
    ]);
  };
}
