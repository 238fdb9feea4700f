/** The daemon's local page: what is where. */
import type { Hono } from "hono";
import type { CallEnv } from "../../../api/app.ts";
import { ApiProblem } from "../../../api/problem.ts";
import { wantsHtml } from "../../../pages/accept.ts";
import { SCRIPT_PATH, scriptAnswer } from "../../../pages/assets.ts";
import { SIGN_IN } from "../guard.ts";
import type { ControlState } from "../state.ts";
import { auditPage } from "./audit.tsx";
import type { Call } from "./frame.tsx";
import { linkPage, renew, revoke } from "./link.tsx";
import { linksPage } from "./links.tsx";
import { create, newPage } from "./new.tsx";
import { planPage, reload } from "./plan.tsx";
import { besidePage, edit, editPage, replay } from "./replay.tsx";
import { requestPage } from "./request.tsx";
import { requestsPage } from "./requests.tsx";
import { problemPage, signIn, signOut } from "./sign_in.tsx";

type Page = (context: Call, state: ControlState) => Response | Promise<Response>;

/** Reading has a URL each; whatever changes something is a form that posts and leads on. */
const PAGES: readonly (readonly [method: "GET" | "POST", path: string, page: Page])[] = [
  ["GET", SIGN_IN, signIn],
  ["POST", "/sign-out", signOut],
  ["GET", "/", linksPage],
  ["GET", "/new", newPage],
  ["POST", "/new", create],
  ["GET", "/links/:name", linkPage],
  ["POST", "/links/:name/revoke", revoke],
  ["POST", "/links/:name/renew", renew],
  ["GET", "/requests", requestsPage],
  ["GET", "/requests/:id", requestPage],
  ["POST", "/requests/:id/replay", replay],
  ["GET", "/requests/:id/edit", editPage],
  ["POST", "/requests/:id/edit", edit],
  ["GET", "/requests/:id/beside", besidePage],
  ["GET", "/audit", auditPage],
  ["GET", "/plan", planPage],
  ["POST", "/plan", reload],
];

/** Puts the pages beside the API, behind the same guard. */
export function addPages(app: Hono<CallEnv>, state: ControlState): void {
  app.get(SCRIPT_PATH, scriptAnswer);
  for (const [method, path, page] of PAGES) app.on(method, path, (context) => page(context, state));
}

/** A problem as a page, where a person's browser asks for one; null: it is a program that asks. */
export function problemAsPage(context: Call, state: ControlState, problem: ApiProblem): Response | null {
  const { req } = context;
  if (req.path.startsWith("/v1/") || !wantsHtml(req.header("Accept"))) return null;
  return problemPage(context, state, problem);
}
