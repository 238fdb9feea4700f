/** The hub's audit trail in its API. */
import { auditOperations } from "../api/audit.ts";
import { type ApiEnv, type Operation, READERS } from "./api_operation.ts";
import type { HubState } from "./state.ts";

/** A token sees what is its workspace's; over the hub's own socket all is seen. The chain is of all, so admins check it. */
export function auditRoutes(state: HubState): Operation[] {
  const operations = auditOperations<ApiEnv>(
    () => state.audit.desk,
    (context) => context.var.caller.workspace,
  );
  return operations.map((operation) => ({
    ...operation,
    scopes: operation.path === "/v1/audit" ? READERS : ["admin"],
  }));
}
