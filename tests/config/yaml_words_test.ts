import assert from "node:assert/strict";
import { readConfig } from "../../src/config/links.ts";
import { yamlWords } from "../../src/config/yaml_words.ts";
import { OPTIONS } from "./read.ts";

/** Slips that people make, below `version: 1`, and what they are told. */
const ROWS: [text: string, message: RegExp, hint?: RegExp][] = [
  ["links: [", /^what a bracket opens is not closed: "\]" is missing$/, /^close it/],
  ["links: { a: { target: echo }", /^what a bracket opens is not closed: "\}" is missing$/, /^close it/],
  ["links: 'x", /^what a quote opens is not closed: ' is missing$/],
  ['links: "x', /^what a quote opens is not closed: " is missing$/],
  [
    "links: { a: { methods: [GET] paths: [/] } }",
    /^this begins where something else/,
    /^in brackets put ","/,
  ],
  ['links: [ "a" "b" ]', /^between two parts of .* "," is missing$/],
  ['links: "a"#b', /^before "#" a blank is missing$/, /in quotes$/],
  ["links: a: b", /^a second ":" in one line$/, /in quotes/],
  ["links: { a: target: echo }", /^a key within brackets/, /in braces/],
  ["links:\n  a:\n   target: echo\n  b:\n target: x", /^this begins at another column/, /one column/],
  ["links:\n\ta: 1", /^a tab before the first word of a line$/, /^indent with blanks$/],
  ["links: @x", /^a text can't begin with @$/, /^put it in quotes$/],
  ["links: %x", /^a text can't begin with %$/, /^put it in quotes$/],
  ["links:\n  a: { target: echo }\n  b\n  c: { target: echo }", /no key: ":" is missing/, /one column/],
  ['links: "a\\qb"', /^\\q means nothing within double quotes$/, /^use single quotes/],
  ["links: |x", /^behind \| or > the text begins on the next line$/],
  ["links: ]", /^a "\]" that closes nothing$/],
  ["links: [a, , b]", /^a "," with nothing before it$/],
];

Deno.test("what is broken in a text is told in the words of who wrote it, with what to do where that is more", () => {
  for (const [text, message, hint] of ROWS) {
    const [problem] = readConfig(`version: 1\n${text}\n`, OPTIONS).problems;
    assert.equal(problem.code, "syntax", text);
    assert.match(problem.message, message, text);
    if (hint === undefined) assert.equal(problem.hint, undefined, text);
    else assert.match(problem.hint ?? "", hint, text);
  }
});

Deno.test("what the package says and we do not know is a sentence like ours, and not long", () => {
  assert.deepEqual(yamlWords("Map keys must be unique."), { message: "map keys must be unique" });
  assert.ok(yamlWords("x".repeat(10_000)).message.length <= 200);
  assert.ok(yamlWords(`Plain value cannot start with ${"$1".repeat(500)}`).message.length < 60);
});
