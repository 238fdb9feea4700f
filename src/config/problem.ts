/** What is wrong with a file, where, and how it is shown. */
import { oneLine } from "../log.ts";
import type { Place } from "./lines.ts";

/** The stable name of a kind of problem. */
export type ProblemCode =
  | "syntax"
  | "multi_document"
  | "alias"
  | "tag"
  | "too_big"
  | "too_deep"
  | "unknown_key"
  | "duplicate_key"
  | "wrong_type"
  | "missing"
  | "conflict"
  | "bad_value"
  | "bad_duration"
  | "bad_rate"
  | "bad_size"
  | "bad_path"
  | "bad_method"
  | "bad_target"
  | "bad_address"
  | "bad_time"
  | "bad_name"
  | "unknown_service"
  | "expired"
  | "shadowed"
  | "revoked"
  | "bad_auth_file"
  | "bad_file";

/** One thing wrong with a file. Lines and columns are 1-based, columns in UTF-16 units, as editors count. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** An error refuses the file, a warning never does. */
  readonly severity: "error" | "warning";
  readonly code: ProblemCode;
  readonly message: string;
  /** The line it stands in, as it is. */
  readonly source: string;
  readonly hint?: string;
}

/** The part of a problem that does not depend on where it is. */
export interface Finding {
  readonly severity?: "error" | "warning";
  readonly code: ProblemCode;
  readonly message: string;
  /** A function where finding it is work. */
  readonly hint?: string | (() => string);
}

/** A problem at a place of a file; `source` is the text of that line. */
export function problemAt(file: string, place: Place, source: string, finding: Finding): Problem {
  const { severity = "error", code, message } = finding;
  const { line, column } = place;
  const hint = hintOf(finding);
  return { file, line, column, severity, code, message, source, ...(hint === undefined ? {} : { hint }) };
}

/** The hint of a finding, looked for by now. */
export function hintOf({ hint }: Finding): string | undefined {
  return typeof hint === "function" ? hint() : hint;
}

/** Has an error among them, so the file is refused. */
export function refused(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

/** How much of a long line (minified JSON) is shown on either side of the caret. */
const SHOWN = 60;

/** `file:line:column`, the sentence, the source line with a caret, and the hint, each on a line; no line end. */
export function printProblem(problem: Problem): string {
  const { file, line, column, severity, code, message, source, hint } = problem;
  const from = Math.max(0, column - 1 - SHOWN);
  // Where the cut goes through a pair of surrogates, its half is left out.
  const before = visible(source.slice(from, column - 1).replace(/^[\udc00-\udfff]/, ""));
  const after = visible(source.slice(column - 1, column - 1 + SHOWN).replace(/[\ud800-\udbff]$/, ""));
  const lead = from > 0 ? "…" : "";
  const tail = source.length > column - 1 + SHOWN ? "…" : "";
  return [
    `${oneLine(file)}:${line}:${column}: ${severity}: ${oneLine(message)} [${code}]`,
    ...(source.trim() === "" ? [] : [
      `  ${lead}${before}${after}${tail}`,
      `  ${" ".repeat(cells(lead + before))}^`,
    ]),
    ...(hint === undefined ? [] : [`  ${oneLine(hint)}`]),
  ].join("\n");
}

/** A tab would move the caret by what the terminal thinks of tabs. */
function visible(text: string): string {
  return oneLine(text.replaceAll("\t", " "));
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Marks that sit on the letter before them, and joiners. */
const NO_WIDTH = /[\p{Mn}\p{Me}\u200b-\u200d]/u;

/** Columns of a terminal that `text` takes. */
function cells(text: string): number {
  let n = 0;
  for (const letter of text) n += NO_WIDTH.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
  return n;
}
