/** Who may call the control API over TCP, where every program and every page of this machine can knock. */
import { createHash } from "node:crypto";
import type { Context } from "hono";
import { ApiProblem } from "../../api/problem.ts";
import { readCookie } from "../../api/secrets.ts";
import { equalBytes } from "../../core/secret.ts";
import { SCRIPT_PATH } from "../../pages/assets.ts";
import type { Sessions } from "./sessions.ts";

/** The name that pages are on: a cookie on plain `localhost` would go to every server of the machine. */
export const PAGE_NAME = "connectd.localhost";

/** Where a one-time key is exchanged for a session. */
export const SIGN_IN = "/sign-in";

const METRICS_PATH = "/metrics";

const OPEN = ["/healthz", SIGN_IN, SCRIPT_PATH];

const NAMES = ["127.0.0.1", "localhost", "[::1]", PAGE_NAME];

/** What a caller has to have, and where. */
export interface Gate {
  readonly token: string;
  /** Opens `/metrics` alone. */
  readonly metricsToken: string;
  readonly sessions: Sessions;
  readonly port: number;
}

/**
 * Throws ApiProblem unless `context` calls this API by a name of this machine (a page on another name that resolves
 * here would be a rebinding), from no other origin's page, with the token, for figures one of two, or the cookie of a session. `/healthz` asks
 * for neither, nor does the way in, nor the script of its page.
 */
export function guard(context: Context, { token, metricsToken, sessions, port }: Gate): void {
  const host = (context.req.header("Host") ?? "").toLowerCase();
  if (!NAMES.some((name) => host === `${name}:${port}`)) {
    throw new ApiProblem(421, "wrong_host", `This is no name of the control API: call 127.0.0.1:${port}.`);
  }
  const origin = context.req.header("Origin");
  if (origin !== undefined && origin.toLowerCase() !== `http://${host}`) throw foreign();
  if (OPEN.includes(context.req.path)) return;
  const authorization = context.req.header("Authorization");
  if (authorization === undefined && host === `${PAGE_NAME}:${port}` && isSignedIn(context, sessions, port)) {
    // A browser sends the cookie whoever makes it ask: that it was our page, only Origin tells.
    if (origin === undefined && !["GET", "HEAD"].includes(context.req.raw.method)) throw foreign();
    return;
  }
  const sent = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  const tokens = context.req.path === METRICS_PATH ? [token, metricsToken] : [token];
  if (sent === undefined || !tokens.some((known) => equalBytes(digest(sent), digest(known)))) {
    throw new ApiProblem(
      401,
      "unauthorized",
      "This needs the token of control.token in the state directory: Authorization: Bearer ….",
      [["WWW-Authenticate", `Bearer realm="control"`]],
    );
  }
}

function isSignedIn(context: Context, sessions: Sessions, port: number): boolean {
  const secret = readCookie(context.req.header("Cookie"), port);
  if (secret === null || !sessions.admits(secret)) return false;
  // Other ports of this name are the same site to a browser: their pages can make it send the cookie, too.
  return ["same-origin", "none", undefined].includes(context.req.header("Sec-Fetch-Site"));
}

function foreign(): ApiProblem {
  return new ApiProblem(403, "foreign_origin", "Pages of another origin may not call the control API.");
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
