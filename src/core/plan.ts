/** What a reload would do: the difference between the links that are wanted and those that run. */
import { type Change, type Entry, entryChanges } from "./entry.ts";

/** One thing to do. */
export interface Step {
  readonly step: "open" | "close" | "retune";
  readonly name: string;
  /** Of a retune; in the order of the documentation. */
  readonly changes: readonly Change[];
  /** What would be cut once the link's `drain` is over: by a retune only where it ends the link. */
  readonly cuts: { readonly streams: number };
}

const NO_CUTS = { streams: 0 };

/**
 * Steps from `running` to `desired`. Those that close come first, so that a subdomain may move from an old link to a
 * new one. `cuts` tells how many requests in flight a link loses that goes on as an entry, or, with null, not at all.
 */
export function plan(
  desired: ReadonlyMap<string, Entry>,
  running: ReadonlyMap<string, Entry>,
  cuts: (name: string, entry: Entry | null) => number = () => 0,
): Step[] {
  const closes: Step[] = [], retunes: Step[] = [], opens: Step[] = [];
  for (const [name, { source }] of running) {
    // Under one name a file's link and a one-off are two links: the one goes, the other comes.
    if (desired.get(name)?.source !== source) {
      closes.push({ step: "close", name, changes: [], cuts: { streams: cuts(name, null) } });
    }
  }
  for (const [name, entry] of desired) {
    const before = running.get(name);
    if (before?.source !== entry.source) opens.push({ step: "open", name, changes: [], cuts: NO_CUTS });
    else if (before !== entry) {
      const changes = entryChanges(before, entry);
      if (changes.length === 0) continue;
      retunes.push({ step: "retune", name, changes, cuts: { streams: cuts(name, entry) } });
    }
  }
  return [...closes, ...retunes, ...opens];
}

const SIGNS = { open: "+", close: "-", retune: "~" } as const;

/** One step as a line: `~ stripe rate 100/m → 50/m`, `- old (cuts 3 streams)`. */
export function printStep({ step, name, changes, cuts }: Step): string {
  const what = changes.map(({ key, from, to }) => `${key} ${from ?? "none"} → ${to ?? "none"}`).join(", ");
  const cut = cuts.streams === 0 ? "" : `(cuts ${cuts.streams} ${cuts.streams === 1 ? "stream" : "streams"})`;
  return [SIGNS[step], name, what, cut].filter((part) => part !== "").join(" ");
}

/** A plan, a line per step; the empty text where there is nothing to do. */
export function printPlan(steps: readonly Step[]): string {
  return steps.map(printStep).join("\n");
}
