/** What an operation of the hub's API is, and who may call it. */
import type { Context } from "hono";
import type { CallEnv, Operation as ApiOperation } from "../api/app.ts";
import type { Scope } from "./tokens.ts";

/** Who calls. `workspace` null: all of them, over the hub's own socket. */
export interface Caller {
  readonly scope: Scope;
  readonly workspace: string | null;
}

export interface ApiEnv extends CallEnv {
  Variables: { caller: Caller };
}

export type ApiContext = Context<ApiEnv>;

/** One operation, and the scopes that may call it. */
export interface Operation extends ApiOperation<ApiEnv> {
  readonly scopes: readonly Scope[];
}

/** Everybody in a workspace may look. */
export const READERS: readonly Scope[] = ["admin", "daemon", "member", "viewer"];
