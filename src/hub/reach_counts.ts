/** How often members reached a private service, or could not. */

/** Why there is no way to a service. */
export type NoWay = "not_allowed" | "service_unknown" | "daemon_offline" | "hub_busy";

/** What became of the connections of members to private services. */
export interface ReachCounts {
  reached: number;
  /** Now. */
  open: number;
  /** Octets to services and back, of those that are over. */
  bytesIn: number;
  bytesOut: number;
  readonly refused: Record<NoWay, number>;
}

/** None of anything. */
export function noReaches(): ReachCounts {
  const refused = { not_allowed: 0, service_unknown: 0, daemon_offline: 0, hub_busy: 0 };
  return { reached: 0, open: 0, bytesIn: 0, bytesOut: 0, refused };
}
