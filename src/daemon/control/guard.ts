/** Who may call the control API over TCP, where every program and every page of this machine can knock. */
import { createHash } from "node:crypto";
import type { Context } from "hono";
import { ApiProblem } from "../../api/problem.ts";
import { equalBytes } from "../../core/secret.ts";

const NAMES = ["127.0.0.1", "localhost", "[::1]", "connectd.localhost"];

/**
 * Throws ApiProblem unless `context` calls this API by a name of this machine (a page on another name that resolves
 * here would be a rebinding), from no other origin's page, with the token. `/healthz` asks for no token.
 */
export function guard(context: Context, token: string, port: number): void {
  const host = context.req.header("Host") ?? "";
  if (!NAMES.some((name) => host.toLowerCase() === `${name}:${port}`)) {
    throw new ApiProblem(421, "wrong_host", `This is no name of the control API: call 127.0.0.1:${port}.`);
  }
  const origin = context.req.header("Origin");
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    throw new ApiProblem(403, "foreign_origin", "Pages of another origin may not call the control API.");
  }
  if (context.req.path === "/healthz") return;
  const sent = /^bearer +(\S+)$/i.exec(context.req.header("Authorization") ?? "")?.[1];
  if (sent === undefined || !equalBytes(digest(sent), digest(token))) {
    throw new ApiProblem(
      401,
      "unauthorized",
      "This needs the token of control.token in the state directory: Authorization: Bearer ….",
      [["WWW-Authenticate", `Bearer realm="control"`]],
    );
  }
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
