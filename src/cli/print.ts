/** Text for people: tables, times, and the one writer of errors. */
import { printProblem } from "../config/problem.ts";
import { Failure } from "../core/errors.ts";
import { printDuration } from "../core/units.ts";
import { BadFile } from "../daemon/reload.ts";
import { oneLine } from "../log.ts";

const encoder = new TextEncoder();

/** Writes `text` and a line feed to stdout. A reader that has gone (`connectd list | head -1`) is no error. */
export function out(text: string): void {
  writeAll(Deno.stdout, text + "\n");
}

/** Writes `text` and a line feed to stderr. */
export function complain(text: string): void {
  writeAll(Deno.stderr, text + "\n");
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Prints an API's object as it came; what a terminal would obey is escaped, which to JSON is the same. */
export function outJson(value: unknown): void {
  out(JSON.stringify(value, null, 2).split("\n").map(oneLine).join("\n"));
}

/** Prints one sentence, and what to do where it is known; of a file, its problems first; never a stack. */
export function complainOf(error: unknown): void {
  if (error instanceof BadFile) { for (const problem of error.problems) complain(printProblem(problem)); }
  const message = error instanceof Error ? error.message : String(error);
  complain(`connectd: ${oneLine(message)}`);
  if (error instanceof Failure && error.hint !== null) complain(`  ${oneLine(error.hint)}`);
}

/** A table: columns as wide as their widest cell, two spaces between, the head in capitals. No rows: `empty`. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], empty: string): string {
  if (rows.length === 0) return empty;
  const cells = [head.map((name) => name.toUpperCase()), ...rows.map((row) => row.map(oneLine))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd()).join(
    "\n",
  );
}

/** When something ends, seen from `now`: `never`, `in 3h 20m`, `12m ago`. `iso` is an RFC 3339 time or null. */
export function relative(iso: string | null, now: number): string {
  if (iso === null) return "never";
  const ms = Date.parse(iso) - now;
  return ms >= 0 ? `in ${coarse(ms)}` : `${coarse(-ms)} ago`;
}

/** `1 link`, `2 links`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** A round trip in ms, null where none was measured. */
export function roundTrip(ms: number | null): string {
  return ms === null ? "–" : ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** A duration by its two largest units, seconds at the least. */
export function coarse(ms: number): string {
  const seconds = Math.round(ms / 1000) * 1000;
  return (printDuration(seconds) || "0s").match(/\d+[a-z]+/g)!.slice(0, 2).join(" ");
}
