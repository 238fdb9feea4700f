/** Figures of members and what they reach: totals only, as all of a hub's. */
import { type Family, single } from "../core/metrics.ts";
import type { ReachCounts } from "./reach_counts.ts";

/** The families of `members`. */
export function memberMetrics(
  { size, counts }: { readonly size: number; readonly counts: ReachCounts },
): Family[] {
  const { reached, open, bytesIn, bytesOut, refused } = counts;
  return [
    single("gauge", "connectd_hub_members", "Sessions of members who reach private services.", size),
    single(
      "counter",
      "connectd_hub_reaches_total",
      "Connections of members that were handed to a private service's daemon.",
      reached,
    ),
    {
      type: "counter",
      name: "connectd_hub_reaches_refused_total",
      help: "Connections of members that the hub refused, by code.",
      samples: Object.entries(refused).map(([code, value]) => ({ labels: { code }, value })),
    },
    single("gauge", "connectd_hub_reaches_open", "Connections of members to private services.", open),
    {
      type: "counter",
      name: "connectd_hub_reach_bytes_total",
      help: "Bytes that members sent to private services (in) and got (out), counted as a connection ends.",
      samples: [["in", bytesIn] as const, ["out", bytesOut] as const].map(([direction, value]) => ({
        labels: { direction },
        value,
      })),
    },
  ];
}
