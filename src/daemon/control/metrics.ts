/** `GET /metrics` of the daemon. */
import type { CallEnv, Operation } from "../../api/app.ts";
import { METRICS_ANSWER, metricsResponse } from "../../api/metrics.ts";
import type { ControlState } from "./state.ts";

/** The one operation. */
export function metricsOperations(state: ControlState): Operation<CallEnv>[] {
  return [{
    method: "GET",
    path: "/metrics",
    summary: "Figures for Prometheus",
    answers: { 200: METRICS_ANSWER },
    run: () => metricsResponse(state.metrics()),
  }];
}
