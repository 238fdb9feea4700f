/** What is wrong with a file, where, and how it is shown. */

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
  | "bad_auth_file";

/** One thing wrong with a file. Lines and columns are 1-based, columns in UTF-16 units, as editors count. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly severity: "error" | "warning";
  readonly code: ProblemCode;
  readonly message: string;
  /** The line it stands in, as it is. */
  readonly source: string;
  readonly hint?: string;
}

/** A problem at a place of `text`, with its source line. */
export function problemAt(
  _file: string,
  _text: string,
  _place: { line: number; column: number },
  _what: { severity: "error" | "warning"; code: ProblemCode; message: string; hint?: string },
): Problem {
  throw new Error("not yet");
}

/** `file:line:column`, the sentence, the source line with a caret, and the hint, each on a line; no line end. */
export function printProblem(_problem: Problem): string {
  throw new Error("not yet");
}
