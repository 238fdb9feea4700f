/** How links in shadow are shown: what they would have refused. */
import { table } from "./print.ts";

type Counts = Readonly<Record<string, number>>;

/** A table of the links in shadow; none: no line. `shadowed`: as `GET /v1/status` has it. */
export function shadowLines(shadowed: Readonly<Record<string, Counts>>): string[] {
  const rows = Object.entries(shadowed).map(([name, counts]) => [name, wouldRefuse(counts) || "nothing yet"]);
  return rows.length === 0 ? [] : ["", table(["link in shadow", "would have refused"], rows, "")];
}

/** `path_denied 3, rate_limited 1`; the empty text where there is nothing. */
function wouldRefuse(counts: Counts): string {
  return Object.entries(counts).sort(([, a], [, b]) => b - a).map(([code, n]) => `${code} ${n}`).join(", ");
}

/** What `list` says of a link in shadow, before what is wrong with it; null: it is none. */
export function shadowMark(
  policy: Readonly<Record<string, unknown>> | null,
  counts: Counts = {},
): string | null {
  if (policy?.shadow !== true) return null;
  const n = Object.values(counts).reduce((sum, n) => sum + n, 0);
  return n === 0 ? "shadow" : `shadow: ${n} would have been refused`;
}
