/** What an operation of the hub's API is, and who may call it. */
import type { Context } from "hono";
import type { CallEnv } from "../api/app.ts";
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

/** One operation: its method, its path, the scopes that may call it, and what it does. */
export interface Operation {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly scopes: readonly Scope[];
  readonly run: (context: ApiContext) => Response | Promise<Response>;
}

/** Everybody in a workspace may look. */
export const READERS: readonly Scope[] = ["admin", "daemon", "member", "viewer"];
