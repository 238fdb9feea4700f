/** The dashboard: what is where. */
import type { Hono } from "hono";
import { ApiProblem } from "../../api/problem.ts";
import { wantsHtml } from "../../pages/accept.ts";
import { SCRIPT_PATH, scriptAnswer } from "../../pages/assets.ts";
import { METRICS_PATH } from "../api_metrics.ts";
import type { ApiContext, ApiEnv } from "../api_operation.ts";
import { auditPage } from "./audit.tsx";
import type { Board, Visit } from "./board.ts";
import { approve, deny, devicePage } from "./device.tsx";
import { edit, editPage } from "./edit.tsx";
import { checkForm, whereIs } from "./gate.ts";
import { found, go } from "./go.tsx";
import { linkPage, renew, revoke } from "./link.tsx";
import { linksPage } from "./links.tsx";
import { create, newPage } from "./new.tsx";
import { problemPage } from "./problem.tsx";
import { requestsPage } from "./requests.tsx";
import { servicesPage } from "./services.tsx";
import { settingsPage } from "./settings.tsx";
import { approveMember, endShare, makeShare, sharesPage } from "./shares.tsx";
import { revokeAll, revokePage } from "./revoke.tsx";
import { signIn, signInPage, signOut } from "./sign_in.tsx";
import { makeToken, revokeToken, tokensPage } from "./tokens.tsx";

type Page = (visit: Visit) => Response | Promise<Response>;

/** Reading has a URL each; whatever changes something is a form that posts and leads on. */
const PAGES: readonly (readonly [method: "GET" | "POST", path: string, page: Page])[] = [
  ["GET", "/", linksPage],
  ["GET", "/go", go],
  ["GET", "/found", found],
  ["GET", "/new", newPage],
  ["POST", "/new", create],
  ["GET", "/revoke", revokePage],
  ["POST", "/revoke", revokeAll],
  ["GET", "/links/:id", linkPage],
  ["GET", "/links/:id/requests", requestsPage],
  ["GET", "/links/:id/edit", editPage],
  ["POST", "/links/:id/edit", edit],
  ["POST", "/links/:id/revoke", revoke],
  ["POST", "/links/:id/renew", renew],
  ["GET", "/services", servicesPage],
  ["GET", "/shares", sharesPage],
  ["POST", "/shares", makeShare],
  ["POST", "/shares/:id/approve", approveMember],
  ["POST", "/shares/:id/end", endShare],
  ["GET", "/tokens", tokensPage],
  ["POST", "/tokens", makeToken],
  ["POST", "/tokens/:id/revoke", revokeToken],
  ["GET", "/audit", auditPage],
  ["GET", "/settings", settingsPage],
  ["GET", "/device", devicePage],
  ["POST", "/device/approve", approve],
  ["POST", "/device/deny", deny],
];

/** Puts the pages beside the API. */
export function addPages(app: Hono<ApiEnv>, board: Board): void {
  app.get(SCRIPT_PATH, scriptAnswer);
  app.get("/sign-in", (context) => guarded(context, board, (port) => signInPage(context, board, port)));
  app.post(
    "/sign-in",
    (context) => guarded(context, board, (port, origin) => signIn(context, board, port, origin)),
  );
  app.post("/sign-out", (context) => guarded(context, board, (port) => signOut(context, board, port)));
  for (const [method, path, page] of PAGES) {
    app.on(method, path, (context) =>
      guarded(context, board, (port) => {
        const caller = board.signed.find(context, port);
        if (caller === null) throw new ApiProblem(401, "unauthorized", "Nobody is signed in here.");
        return page({ context, board, caller, port });
      }));
  }
}

/** A problem as a page, where a person's browser asks for one; null: it is a program that asks. */
export function problemAsPage(context: ApiContext, board: Board, problem: ApiProblem): Response | null {
  const { req, env } = context;
  if (
    req.path.startsWith("/v1/") || req.path === METRICS_PATH || env.local || !wantsHtml(req.header("Accept"))
  ) return null;
  const where = whereIs(context, board.state.hosts());
  const port = where.kind === "here" ? where.port : null;
  const caller = port === null ? null : board.signed.find(context, port);
  return problemPage(
    context,
    board,
    problem,
    caller === null ? null : { context, board, caller, port: port! },
  );
}

/** Nothing is shown but where the dashboard is, and nothing taken but what its own pages send. */
function guarded(
  context: ApiContext,
  board: Board,
  page: (port: number, origin: string) => Response | Promise<Response>,
): Response | Promise<Response> {
  if (context.env.local) throw new ApiProblem(404, "not_found", "There is nothing here.");
  const where = whereIs(context, board.state.hosts());
  if (where.kind === "plain") throw new ApiProblem(403, "plain_http", PLAIN);
  const reads = context.req.method === "GET" || context.req.method === "HEAD";
  if (where.kind === "elsewhere") {
    if (reads) return context.redirect(where.url, 302);
    throw new ApiProblem(421, "wrong_host", `The dashboard is at ${new URL(where.url).origin}.`);
  }
  if (!reads) checkForm(context, where.origin);
  return page(where.port, where.origin);
}

const PLAIN = "This came by plain http: everybody on the way could read the token, and the session after it.";
