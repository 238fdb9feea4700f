/** How the stores of this process fare. */
import { type Family, single } from "../core/metrics.ts";

/** Counted by whatever reads and writes. */
export const storeCounts = { failed: 0 };

export function storeMetrics(): Family[] {
  return [
    single(
      "counter",
      "connectd_store_failures_total",
      "Readings and writings of the store that failed, by turns of the loop that shared one.",
      storeCounts.failed,
    ),
  ];
}
