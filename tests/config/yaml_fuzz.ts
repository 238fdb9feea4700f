/** What must hold of any text that is read as links.yaml and as hub.yaml. */
import assert from "node:assert/strict";
import { readHubConfig } from "../../src/config/hub.ts";
import { readConfig } from "../../src/config/links.ts";
import { printProblem } from "../../src/config/problem.ts";
import type { Random } from "../pure/random.ts";
import { fixtures, OPTIONS } from "./read.ts";

/** A file that is accepted, with anything put in, taken out or written over. True: it still is. */
export function mutatedCase(random: Random): boolean {
  let text = random.of(TEXTS);
  for (let edits = random.of([1, 1, 2, 4]); edits > 0; edits--) {
    const at = random.below(text.length + 1), here = text.slice(at, at + 40);
    const word = /^[a-z]+|^\d+/.exec(here)?.[0];
    if (word !== undefined && random.below(3) > 0) {
      text = text.slice(0, at) + random.of(WORDS) + text.slice(at + word.length);
    } else {text = text.slice(0, at) + put(random, here) +
        text.slice(at + random.below(random.of([4, 4, 4, 80])));}
  }
  return checked(text);
}

/** They take the place of others, and of the ends of others. */
const WORDS = [
  "1",
  "7",
  "60",
  "0",
  "1e3",
  "a",
  "s",
  "d",
  "echo",
  "true",
  "never",
  "links",
  "version",
  "target",
];

/** Pieces of YAML, one behind the other. */
export function piecesCase(random: Random): boolean {
  return checked(Array.from({ length: random.below(30) }, () => random.of(FRAGMENTS)).join(""));
}

/** Either of them. */
export function yamlCase(random: Random): boolean {
  return random.below(4) === 0 ? piecesCase(random) : mutatedCase(random);
}

/** What an edit writes: nothing, a piece, a line of another file, or what stood there, now and then thousands of times. */
function put(random: Random, here: string): string {
  switch (random.below(8)) {
    case 0:
    case 1:
      return "";
    case 2:
      return random.of(random.of(TEXTS).split("\n")) + "\n";
    case 3:
      return here;
    case 4: {
      if (random.below(100) > 0) return random.of(FRAGMENTS);
      const piece = random.of([random.of(FRAGMENTS), here + "\n"]);
      return piece.repeat(Math.min(2000, 1 + Math.floor(20_000 / Math.max(1, piece.length))));
    }
    default:
      return random.of(FRAGMENTS);
  }
}

function checked(text: string): boolean {
  try {
    return check(text);
  } catch (error) {
    throw new Error(JSON.stringify(text.slice(0, 20_000)), { cause: error });
  }
}

/** Reads `text` as both files. Problems lie within the text and come in its order; without an error there is a value. True: one took it. */
function check(text: string): boolean {
  const lines = text.split("\n");
  let accepted = false;
  for (const read of [readConfig, readHubConfig]) {
    const { config, problems } = read(text, OPTIONS);
    assert.equal(config === null, problems.some(({ severity }) => severity === "error"));
    let last = { line: 1, column: 1 };
    for (const problem of problems) {
      const { line, column } = problem;
      assert.ok(line > last.line || line === last.line && column >= last.column, "in order");
      assert.ok(line <= lines.length && column <= lines[line - 1].length + 1, "within the text");
      last = problem;
    }
    for (const problem of problems.slice(0, 20)) assert.ok(printProblem(problem).split("\n").length <= 4);
    accepted ||= config !== null;
  }
  return accepted;
}

const FRAGMENTS = [
  ..."[]{},:?-&*!|>'\"%@`#\n\t \\".split(""),
  ...[
    "\n  ",
    "\n    ",
    ": ",
    "- ",
    "? ",
    "---\n",
    "...\n",
    "<<: ",
    "&a ",
    "*a",
    "!!str ",
    "!env ",
    "|\n ",
    ">-\n ",
  ],
  ...[
    "version: 1\n",
    "links:\n",
    "  a:\n",
    "    target: echo\n",
    "services: ",
    "hub: ",
    "null",
    "~",
    "on",
    "1e3",
  ],
  ...[
    "2026-12-01",
    "\r\n",
    "\r",
    "\u0000",
    "\ud800",
    "\ufeff",
    "\u2028",
    "é",
    "😀",
    "%YAML 1.1\n",
    "__proto__: ",
  ],
  ...[
    "rate: 1/s\n",
    "paths: [/a, /b]\n",
    "auth: {basic: {}}\n",
    '"\\x00"',
    '"\\ud800"',
    "limits: {",
    "domain: a\n",
  ],
];

/** All that is accepted somewhere, and what an operator copies. */
const TEXTS = [
  ...fixtures("valid").values(),
  ...fixtures("warned").values(),
  ...["links.yaml", "hub.yaml"].map((name) =>
    Deno.readTextFileSync(new URL(`../../config/${name}`, import.meta.url))
  ),
];
