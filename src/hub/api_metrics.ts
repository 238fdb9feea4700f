/** `GET /metrics` of the hub. */
import { METRICS_TYPE, printMetrics } from "../core/metrics.ts";
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
    answers: {
      200: { doc: "Text, exposition format 0.0.4.", media: "text/plain", schema: { type: "string" } },
    },
    scopes: ["metrics"],
    run(context) {
      const families = [...processMetrics(), ...storeMetrics(), ...state.metrics()];
      return context.body(printMetrics(families), 200, { "Content-Type": METRICS_TYPE });
    },
  }];
}
