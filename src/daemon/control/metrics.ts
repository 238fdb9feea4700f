/** `GET /metrics` of the daemon. */
import type { CallEnv, Operation } from "../../api/app.ts";
import { METRICS_TYPE, printMetrics } from "../../core/metrics.ts";
import type { ControlState } from "./state.ts";

/** The one operation. */
export function metricsOperations(state: ControlState): Operation<CallEnv>[] {
  return [{
    method: "GET",
    path: "/metrics",
    summary: "Figures for Prometheus",
    answers: {
      200: { doc: "Text, exposition format 0.0.4.", media: "text/plain", schema: { type: "string" } },
    },
    run: (context) => context.body(printMetrics(state.metrics()), 200, { "Content-Type": METRICS_TYPE }),
  }];
}
