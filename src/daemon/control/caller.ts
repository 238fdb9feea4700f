/** Who calls the control API, as the audit trail names them. */
import type { Context } from "hono";
import type { CallEnv } from "../../api/app.ts";
import { programOf } from "../../api/audit.ts";

/**
 * `cli:socket`, `api:token`, `page`: how somebody got in, which the guard has seen, and whether they say that they are the
 * command line, which anybody can.
 */
export function callerOf(context: Context<CallEnv>): string {
  const { local } = context.env;
  if (!local && context.req.header("Authorization") === undefined) return "page";
  return `${programOf(context)}:${local ? "socket" : "token"}`;
}
