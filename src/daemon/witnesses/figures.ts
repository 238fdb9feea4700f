/** What metrics tell of requests beyond a link's own counters: how they ended, and how long they took. */
import { Histogram } from "../../core/metrics.ts";
import { Recent } from "../../core/recent.ts";
import type { Seen, Witness } from "./recorder.ts";

/** In seconds: from a target on this machine to the patience of a visitor. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** As many as a hub lets a daemon have; whoever makes one-offs under ever new names fills no memory. */
const MOST_LINKS = 10_000;

const SWITCHED = 101;

/** Why a target gave no answer, or no whole one. */
export const TARGET_FAILURES = [
  "target_refused",
  "target_bad_response",
  "target_closed",
  "target_timeout",
] as const;

/** The requests of one link that are over. */
export class LinkFigures {
  /** Their statuses by the first digit; 0: nothing was answered. */
  readonly byClass = [0, 0, 0, 0, 0, 0];
  readonly failures: Record<string, number> = {};
  /** From the verdict to the head of the target's answer. */
  readonly target = new Histogram(BOUNDS);
}

export class Figures implements Witness {
  /** Of all links, from a request's head until it was over. What was upgraded lasts as long as people talk: left out. */
  readonly whole = new Histogram(BOUNDS);
  readonly #links = new Recent<LinkFigures>(MOST_LINKS);

  /** Those of the link `name`; null: no request of it is over. */
  of(name: string): LinkFigures | null {
    return this.#links.peek(name) ?? null;
  }

  saw({ request, times, outcome }: Seen): void {
    const { name } = request.link;
    let figures = this.#links.peek(name);
    if (figures === undefined) this.#links.add(name, figures = new LinkFigures());
    const { status, code } = outcome;
    // A target may answer 999.
    figures.byClass[Math.min(5, Math.floor(status / 100))]++;
    if (code !== null && TARGET_FAILURES.some((failure) => failure === code)) {
      figures.failures[code] = (figures.failures[code] ?? 0) + 1;
    }
    if (status !== SWITCHED) this.whole.observe(times.over / 1000);
    if (times.answered !== null) figures.target.observe((times.answered - times.judged) / 1000);
  }
}
