/** The daemon's figures, read from what it counts anyway when somebody asks. */
import type { Timer } from "../clock.ts";
import type { Family, Labels, Sample } from "../core/metrics.ts";
import { single } from "../core/metrics.ts";
import { loop } from "../net/loop.ts";
import { processMetrics } from "../net/process_metrics.ts";
import { storeMetrics } from "../store/metrics.ts";
import { Progress } from "../wire/progress.ts";
import type { ControlState } from "./control/state.ts";
import type { Hubs } from "./hubs.ts";
import { linkMetrics } from "./link_metrics.ts";

/** It is looked so often whether sessions make progress. */
const LOOK_MS = 1_000;

export class DaemonMetrics {
  readonly #progress = new Progress();
  readonly #look: Timer;
  readonly #unwatch = loop.watch();

  /** `embedded`: the figures of the hub inside the process. */
  constructor(
    private readonly state: ControlState,
    private readonly hubs: Hubs,
    private readonly embedded: () => readonly Family[],
  ) {
    this.#look = state.clock.timer(() => {
      this.#look.set(LOOK_MS);
      this.#stuck();
    });
    this.#look.set(LOOK_MS);
  }

  families(): Family[] {
    const { state } = this;
    return [
      ...processMetrics(),
      ...storeMetrics(),
      ...this.#configMetrics(),
      ...this.#hubMetrics(),
      ...linkMetrics(state.links(), state.witnesses.figures),
      ...this.embedded(),
    ];
  }

  close(): void {
    this.#look.drop();
    this.#unwatch();
  }

  #configMetrics(): Family[] {
    const { config, links } = this.state.status(), { applied, refused } = this.state.reloads;
    const problems = (severity: string) => config.problems.filter((one) => one.severity === severity).length;
    return [
      {
        type: "counter",
        name: "connectd_reloads_total",
        help: "Readings of the file, the first included, by what became of them.",
        samples: [
          { labels: { result: "applied" }, value: applied },
          { labels: { result: "refused" }, value: refused },
        ],
      },
      single(
        "gauge",
        "connectd_config_generation",
        "How often links were opened, closed or changed.",
        config.generation,
      ),
      single(
        "gauge",
        "connectd_config_applied_timestamp_seconds",
        "When that was last done, in seconds since 1970; 0: never.",
        seconds(config.appliedAt) ?? 0,
      ),
      {
        type: "gauge",
        name: "connectd_config_problems",
        help:
          "What is wrong with the file as it was read last; with an error in it, an older one is applied.",
        samples: ["error", "warning"].map((severity) => ({
          labels: { severity },
          value: problems(severity),
        })),
      },
      {
        type: "gauge",
        name: "connectd_links",
        help: "Links by state.",
        samples: ["pending", "active", "expired", "revoked", "error"].map((state) => ({
          labels: { state },
          value: links[state] ?? 0,
        })),
      },
    ];
  }

  #hubMetrics(): Family[] {
    const { hubs } = this;
    const status = hubs.status(), sessions = hubs.sessions(), stuck = this.#stuck();
    const each = (value: (hub: typeof sessions[number]) => number) =>
      sessions.map((hub) => ({ labels: { hub: hub.url }, value: value(hub) }));
    const trips = status.flatMap(({ url, rttMs }): Sample[] =>
      rttMs === null ? [] : [{ labels: { hub: url }, value: rttMs / 1000 }]
    );
    return [
      {
        type: "gauge",
        name: "connectd_hub_state",
        help: "1 for the state that a hub is in, 0 for the others.",
        samples: status.flatMap(({ url, state }) =>
          HUB_STATES.map((one) => ({ labels: { hub: url, state: one }, value: one === state ? 1 : 0 }))
        ),
      },
      {
        type: "gauge",
        name: "connectd_sessions",
        help: "Sessions with a hub that are up.",
        samples: status.map(({ url, connections }) => ({ labels: { hub: url }, value: connections })),
      },
      {
        type: "counter",
        name: "connectd_sessions_begun_total",
        help: "Sessions that a hub welcomed: beyond the first ones, reconnects.",
        samples: each(({ begun }) => begun),
      },
      {
        type: "counter",
        name: "connectd_session_attempts_failed_total",
        help: "Attempts at a session that came to nothing.",
        samples: each(({ failed }) => failed),
      },
      {
        type: "gauge",
        name: "connectd_round_trip_seconds",
        help: "The last round trip to a hub that was measured.",
        samples: trips,
      },
      {
        type: "gauge",
        name: "connectd_session_queued_bytes",
        help: "Bytes that wait to be sent to a hub.",
        samples: each(({ sessions }) => sessions.reduce((sum, { progress }) => sum + progress.queued, 0)),
      },
      {
        type: "gauge",
        name: "connectd_session_stuck_seconds",
        help: "For how long a session with bytes to send has sent none; of a hub's sessions the worst.",
        samples: stuck,
      },
    ];
  }

  #stuck(): { labels: Labels; value: number }[] {
    const now = this.state.clock.mono();
    return this.hubs.sessions().map(({ url, sessions }) => ({
      labels: { hub: url },
      value: Math.max(0, ...sessions.map((session) => this.#progress.stuckMs(session, now))) / 1000,
    }));
  }
}

const HUB_STATES = ["connecting", "connected", "refused", "replaced", "ignored"] as const;

function seconds(time: string | null): number | null {
  return time === null ? null : Date.parse(time) / 1000;
}
