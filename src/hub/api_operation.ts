/** What an operation of the hub's API is, and who may call it. */
import type { Context } from "hono";
import type { CallEnv, Operation as ApiOperation } from "../api/app.ts";
import { programOf } from "../api/audit.ts";
import type { Asker } from "./manage.ts";
import type { Draw } from "./random.ts";
import type { Scope } from "./tokens.ts";

/** Who calls. `name` and `workspace` null: whoever may open the hub's own socket, and all workspaces. */
export interface Caller {
  /** The id of the token, and which of its secrets was shown. */
  readonly token: string | null;
  readonly generation?: number;
  /** The token's. */
  readonly name: string | null;
  readonly scope: Scope;
  readonly workspace: string | null;
}

export interface ApiEnv extends CallEnv {
  readonly Bindings: CallEnv["Bindings"] & {
    /** Where it came from. */
    readonly address: string;
    /** Who calls, where the dashboard has seen that; absent: a token says so. */
    readonly caller?: Caller;
  };
  Variables: {
    caller: Caller;
    /** What is made has its ids and secrets from it; absent: they come by chance. */
    draw?: Draw;
  };
}

export type ApiContext = Context<ApiEnv>;

/** One operation, and the scopes that may call it. */
export interface Operation extends ApiOperation<ApiEnv> {
  readonly scopes: readonly Scope[];
  /** It makes something, and takes an `Idempotency-Key`. */
  readonly creates?: true;
}

/** Who calls, as the audit trail names them. */
export function actorOf(context: ApiContext): string {
  const { name } = context.var.caller;
  return name === null ? `${programOf(context)}:socket` : `token:${name}`;
}

/** Who calls, as those know them who ask daemons for a change. */
export function askerOf(context: ApiContext): Asker {
  const { signal } = context.req.raw;
  return { workspace: context.var.caller.workspace, actor: actorOf(context), signal };
}

/** Who makes and ends links and shares. */
export const CHANGERS: readonly Scope[] = ["admin", "daemon", "member"];

/** Everybody in a workspace may look. */
export const READERS: readonly Scope[] = ["admin", "daemon", "member", "viewer"];
