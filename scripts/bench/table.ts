/** What was measured, and the tables that show it. */
import { median } from "./measure.ts";

export const VISITORS = [1, 64, 256];

/** What was seen of one contender: by the figure's name, a value a round; NaN where the round failed. */
export class Figures {
  readonly seen = new Map<string, number[]>();

  constructor(readonly name: string, readonly processes: number) {}

  note(what: string, value: number): void {
    const values = this.seen.get(what);
    if (values === undefined) this.seen.set(what, [value]);
    else values.push(value);
  }

  values(what: string): number[] {
    return (this.seen.get(what) ?? []).filter((value) => !Number.isNaN(value));
  }

  median(what: string): number {
    return median(this.values(what));
  }

  /** `what` of each of its processes. */
  sides(what: string): number[] {
    return Array.from({ length: this.processes }, (_, side) => this.median(`${what} ${side}`));
  }

  get errors(): number {
    return this.values("errors").reduce((sum, n) => sum + n, 0);
  }
}

/** A contender a row, medians of all rounds. */
export function medians(all: readonly Figures[]): string {
  const head = [
    ...["", ...VISITORS.map((visitors) => `req/s at ${visitors}`), `p99 ms at ${VISITORS.join(", ")}`],
    ...["100 MiB down MB/s", "up MB/s", "p99 at 64 beside a download", "CPU µs/request at 64"],
    ...["RSS MiB idle", "RSS MiB after", "errors"],
  ];
  const rows = all.map((figures) => [
    figures.name,
    ...VISITORS.map((visitors) => whole(figures.median(`rps ${visitors}`))),
    VISITORS.map((visitors) => fine(figures.median(`p99 ${visitors}`))).join(", "),
    whole(figures.median("down")),
    whole(figures.median("up")),
    `× ${fine(figures.median("bulk"))}`,
    ...[fine, whole, whole].map((text, i) =>
      figures.sides(["cpu", "idle", "after"][i]).map((value) => text(value)).join(" + ") || "–"
    ),
    whole(figures.errors),
  ]);
  return table(head, rows);
}

/** What `ours` does as a multiple of each of `others`, round by round, of which the median. */
export function ratios(ours: Figures, others: readonly Figures[]): string {
  const kinds = [...VISITORS.map((visitors) => `rps ${visitors}`), "down", "up"];
  const rows = others.map((theirs) => [
    theirs.name,
    ...kinds.map((what) => {
      const rounds = (ours.seen.get(what) ?? []).map((value, round) => value / theirs.seen.get(what)![round]);
      return fine(median(rounds.filter((value) => !Number.isNaN(value))), 2);
    }),
  ]);
  return table([`${ours.name} ÷`, ...VISITORS.map((n) => `req/s at ${n}`), "down", "up"], rows);
}

/** A table as Markdown has it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, i) => i === 0 ? "---" : "---:");
  return [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** Without a fraction; `–` where there is no value. */
export function whole(value: number): string {
  return Number.isNaN(value) ? "–" : Math.round(value).toLocaleString("en-US");
}

/** With `digits` of a fraction. */
export function fine(value: number, digits = 1): string {
  return Number.isNaN(value) ? "–" : value.toFixed(digits);
}
