/** One picture of `status --watch`. */
import type { LinkJson, StatusJson } from "./links.ts";
import { relative, table } from "./print.ts";
import { hubTable, statusLines } from "./status_print.ts";
import { paint } from "./terminal.ts";

/** What one look at the daemon gave. */
export interface View {
  readonly status: StatusJson;
  /** The first of them, by name: as many as may be shown. */
  readonly links: readonly LinkJson[];
}

/** A rate is measured over so long at least: two requests within a tenth of a second are not twenty a second. */
const SPAN_MS = 950;

/** Requests per second of links, from what their counters say at different times. */
export class Rates {
  readonly #links = new Map<string, { count: number; at: number; rate: number | null }>();

  /** Counters as they are at `at`, ms of a monotonic clock. */
  take(links: readonly LinkJson[], at: number): void {
    for (const { name, counters } of links) {
      if (counters === undefined) continue;
      const count = counters.allowed + sum(counters.denied);
      const before = this.#links.get(name);
      // A daemon that was started anew counts from 0.
      if (before === undefined || count < before.count) this.#links.set(name, { count, at, rate: null });
      else if (at - before.at >= SPAN_MS) {
        this.#links.set(name, { count, at, rate: (count - before.count) * 1000 / (at - before.at) });
      }
    }
  }

  /** Null: not known yet. */
  of(name: string): number | null {
    return this.#links.get(name)?.rate ?? null;
  }
}

export interface FrameOptions {
  /** Null: nothing was seen yet. */
  readonly view: View | null;
  /** Why the view is not of now; null: it is. */
  readonly trouble: string | null;
  readonly rates: Rates;
  readonly now: number;
  readonly size: { readonly columns: number; readonly rows: number };
  readonly colours: boolean;
}

/** The picture, over the one before, no wider and no higher than the terminal. */
export function frame({ view, trouble, rates, now, size, colours }: FrameOptions): string {
  const lines: string[] = [];
  const add = (text: string, colour?: Parameters<typeof paint>[1]) => {
    for (const line of text.split("\n")) {
      const cut = line.slice(0, size.columns);
      lines.push(colours && colour !== undefined ? paint(cut, colour) : cut);
    }
  };
  if (trouble !== null) add(trouble, "red");
  if (view !== null) {
    const { status, links } = view;
    const [first, ...rest] = statusLines(status, now);
    add(first, "bold");
    for (const line of rest) add(line, line.startsWith("  ") ? "yellow" : undefined);
    add("");
    add(hubTable(status));
    add("");
    // The last line is for what does not fit.
    const room = Math.max(0, size.rows - lines.length - 2);
    const all = Object.values(status.links).reduce((n, of) => n + of, 0);
    const shown = links.slice(0, room);
    const [head, ...rows] = linkRows(shown, rates, now).split("\n");
    add(head, "dim");
    rows.forEach((row, i) => add(row, COLOURS[shown[i]?.state]));
    if (all > shown.length) add(`… and ${all - shown.length} more: connectd list shows all`, "dim");
  }
  return `\x1b[H${lines.slice(0, size.rows).map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`;
}

const COLOURS: Record<string, Parameters<typeof paint>[1] | undefined> = {
  error: "red",
  pending: "yellow",
  offline: "yellow",
  expired: "dim",
  revoked: "dim",
};

function linkRows(links: readonly LinkJson[], rates: Rates, now: number): string {
  const rows = links.map((link) => {
    const rate = rates.of(link.name);
    return [
      link.name,
      link.state,
      rate === null ? "–" : rate < 10 ? rate.toFixed(1) : String(Math.round(rate)),
      String(link.counters?.open ?? 0),
      relative(link.expiresAt, now),
      String(link.counters?.allowed ?? 0),
      String(sum(link.counters?.denied ?? {})),
      link.url ?? "–",
      link.lastError ?? "",
    ];
  });
  return table(
    ["name", "state", "req/s", "in flight", "expires", "allowed", "denied", "url", ""],
    rows,
    "no links",
  );
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, n) => total + n, 0);
}
