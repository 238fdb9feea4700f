/** The hub's figures: totals only, so that one workspace learns nothing of another's links. */
import type { Clock } from "../clock.ts";
import type { Code, Refusal } from "../core/errors.ts";
import { type Family, single } from "../core/metrics.ts";
import { Progress } from "../wire/progress.ts";
import { memberMetrics } from "./member_metrics.ts";
import type { Names } from "./names.ts";
import type { Peers } from "./peers.ts";
import type { Sessions } from "./sessions.ts";

/** What the hub knows besides. */
export interface HubSight {
  readonly clock: Clock;
  readonly sessions: Sessions;
  readonly names: Names;
  readonly peers: Peers;
  /** Connections of visitors, daemons and callers of the API. */
  connections(): number;
  /** Requests that were handed to daemons. */
  handed(): number;
  draining(): boolean;
}

export class HubMetrics {
  readonly #refused: Partial<Record<Code, number>> = {};
  readonly #progress = new Progress();

  constructor(private readonly sight: HubSight) {}

  /** A visitor was answered by the hub itself. */
  refused({ code }: Refusal): void {
    this.#refused[code] = (this.#refused[code] ?? 0) + 1;
  }

  /** Looks whether sessions make progress: to be called every second or so. */
  look(): number[] {
    const now = this.sight.clock.mono();
    return this.sight.sessions.list(null).map(({ session }) => this.#progress.stuckMs(session, now) / 1000);
  }

  families(): Family[] {
    const { sight } = this;
    const sessions = sight.sessions.list(null).map(({ session }) => session), stuck = this.look();
    const peers = [...sight.peers.all()];
    const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
    return [
      single(
        "gauge",
        "connectd_hub_connections",
        "Connections of visitors, daemons and callers of the API.",
        sight.connections(),
      ),
      single(
        "counter",
        "connectd_hub_requests_total",
        "Requests that were handed to a daemon.",
        sight.handed(),
      ),
      {
        type: "counter",
        name: "connectd_hub_requests_refused_total",
        help: "Requests that the hub answered itself, by code.",
        samples: Object.entries(this.#refused).map(([code, value]) => ({ labels: { code }, value })),
      },
      single(
        "gauge",
        "connectd_hub_requests_open",
        "Requests in flight at daemons.",
        sum(sessions.map(({ streams }) => streams)),
      ),
      single("gauge", "connectd_hub_sessions", "Sessions of daemons.", sessions.length),
      single(
        "gauge",
        "connectd_hub_session_queued_bytes",
        "Bytes that wait to be sent to daemons.",
        sum(sessions.map(({ progress }) => progress.queued)),
      ),
      single(
        "gauge",
        "connectd_hub_session_stuck_seconds",
        "For how long a session with bytes to send has sent none; the worst of all.",
        Math.max(0, ...stuck),
      ),
      ...memberMetrics(sight.sessions.members),
      {
        type: "gauge",
        name: "connectd_hub_daemons",
        help: "Daemons that the hub knows, by whether they have a session.",
        samples: [true, false].map((online) => ({
          labels: { state: online ? "online" : "away" },
          value: peers.filter((peer) => peer.online === online).length,
        })),
      },
      single(
        "gauge",
        "connectd_hub_names",
        "Public ids that are kept, those of ended links included.",
        sight.names.size,
      ),
      single("gauge", "connectd_hub_draining", "1: the hub is about to end.", sight.draining() ? 1 : 0),
    ];
  }
}
