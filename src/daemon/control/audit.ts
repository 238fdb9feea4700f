/** The daemon's audit trail in the control API. */
import type { CallEnv, Operation } from "../../api/app.ts";
import { auditOperations } from "../../api/audit.ts";
import type { ControlState } from "./state.ts";

/** Whoever may command the daemon sees all of it. */
export function trailOperations(state: ControlState): Operation<CallEnv>[] {
  return auditOperations<CallEnv>(() => state.audit.desk, () => null);
}
