/** `GET /metrics` of the hub. */
import { METRICS_ANSWER, metricsResponse } from "../api/metrics.ts";
import { processMetrics } from "../net/process_metrics.ts";
import { storeMetrics } from "../store/metrics.ts";
import type { Operation } from "./api_operation.ts";
import type { HubState } from "./state.ts";

export const METRICS_PATH = "/metrics";

/** The one operation. Totals are of all workspaces: no token of one of them shows them, but one that is for this alone. */
export function metricsRoutes(state: HubState): Operation[] {
  return [{
    method: "GET",
    path: METRICS_PATH,
    summary: "Figures for Prometheus",
    answers: { 200: METRICS_ANSWER },
    scopes: ["metrics"],
    run: () => metricsResponse([...processMetrics(), ...storeMetrics(), ...state.metrics()]),
  }];
}
