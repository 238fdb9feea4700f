import assert from "node:assert/strict";
import { printProblem, type Problem } from "../../src/config/problem.ts";
import { problemOf } from "./read.ts";

const problem = (source: string, column: number, rest: Partial<Problem> = {}): Problem => ({
  file: "links.yaml",
  line: 7,
  column,
  severity: "error",
  code: "bad_value",
  message: "this is wrong",
  source,
  ...rest,
});

/** The source line and the caret's, as printed. */
const shown = (source: string, column: number) => printProblem(problem(source, column)).split("\n").slice(1);

Deno.test("a problem is printed with its place, its line, a caret and what may have been meant", () => {
  const text = "version: 1\nlinks:\n  a:\n    target: echo\n    method: [GET]\n";
  assert.equal(
    printProblem(problemOf(text)),
    [
      '/etc/connectd/links.yaml:5:5: error: "method" is no key here [unknown_key]',
      "      method: [GET]",
      "      ^",
      '  did you mean "methods"?',
    ].join("\n"),
  );
});

Deno.test("a warning says that it is one, and a problem without a line is the sentence alone", () => {
  assert.equal(
    printProblem(problem("", 1, { severity: "warning", code: "expired" })),
    "links.yaml:7:1: warning: this is wrong [expired]",
  );
});

Deno.test("the caret stands under its column, whatever stands before it", () => {
  for (
    const [before, cells] of [
      ["", 0],
      ["    ", 4],
      ["\t\t", 2],
      ["é", 1],
      ["e\u0301", 1],
      ["日本語", 6],
      ["한글", 4],
      ["𠀀", 2],
      ["😀", 2],
      ["👩\u200d💻", 4],
      ["☃", 1],
      ["\u202e", 6],
    ] as const
  ) {
    const [line, caret] = shown(`${before}x: 1`, before.length + 1);
    assert.equal(caret, `  ${" ".repeat(cells)}^`, JSON.stringify(before));
    assert.ok(line.endsWith("x: 1"));
  }
});

Deno.test("a long line is shown around the caret, and no letter is cut in half", () => {
  const [line, caret] = shown("a".repeat(1000) + "X" + "b".repeat(1000), 1001);
  assert.equal(line, `  …${"a".repeat(60)}X${"b".repeat(59)}…`);
  assert.equal(caret.indexOf("^"), line.indexOf("X"));
  for (const shift of ["", "a"]) {
    const wide = `${shift}${"😀".repeat(100)}`;
    const [line, caret] = shown(`${wide}X${wide}`, wide.length + 1);
    assert.ok(line.isWellFormed(), shift);
    assert.equal(caret, `  ${" ".repeat(1 + 2 * 30)}^`);
  }
});

Deno.test("nothing in a file can command the terminal or break a line of the report", () => {
  const printed = printProblem(problem("a: \x1b[2Jx", 4, {
    file: "a\nb.yaml",
    message: "x\ny",
    hint: "\x07bell\u2028",
  }));
  assert.equal(printed.split("\n").length, 4);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(printed, /[\x00-\x09\x0b-\x1f\u2028]/);
});
