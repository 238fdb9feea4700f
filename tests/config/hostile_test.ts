/** Files that nobody would write: whatever stands in one, reading it says so, and says it soon. */
import assert from "node:assert/strict";
import { readHubConfig } from "../../src/config/hub.ts";
import { readConfig } from "../../src/config/links.ts";
import { printProblem } from "../../src/config/problem.ts";
import { taken } from "../pure/fuzz.ts";
import { OPTIONS } from "./read.ts";
import { mutatedCase, piecesCase } from "./yaml_fuzz.ts";

Deno.test("a valid file with anything put in, taken out or written over is read or refused", async () => {
  const read = await taken(mutatedCase, 1500);
  assert.ok(read > 150 && read < 1350, `${read} were read`);
});

Deno.test("random pieces of YAML are read or refused", async () => {
  await taken(piecesCase, 1500);
});

/** A twentieth of what a file may have: enough for work that grows with its square to take minutes. */
const SIZE = 50_000;

/** So much of one thing. */
const fill = (piece: (i: number) => string) => {
  let text = "";
  for (let i = 0; text.length < SIZE; i++) text += piece(i);
  return text;
};

const LARGE: Record<string, () => string> = {
  "one scalar": () => `version: 1\nhub: ${"x".repeat(SIZE)}\n`,
  "a quoted scalar": () => `version: 1\nhub: "${"\\n".repeat(SIZE / 2)}"\n`,
  "a block scalar": () => `version: 1\nhub: |\n${fill(() => "  x\n")}`,
  "one key": () => `${"k".repeat(SIZE)}: 1\n`,
  "digits": () => `version: ${"1".repeat(SIZE)}\n`,
  "a duration of digits": () => `version: 1\ndrain_timeout: ${"1".repeat(SIZE)}\n`,
  "a duration without a unit at its end": () => `version: 1\ndrain_timeout: ${"1s".repeat(SIZE / 2)}\n`,
  "a rate that says burst again and again": () =>
    `version: 1\nlinks: { a: { target: echo, rate: "1${" burst 1".repeat(SIZE / 10)}" } }\n`,
  "dots in a domain": () => `version: 1\ndomain: ${"a.".repeat(SIZE / 2)}\n`,
  "colons in an address": () => `version: 1\nlisten: "[${":".repeat(SIZE)}]:1"\n`,
  "a path of escapes": () =>
    `version: 1\nlinks: { a: { target: echo, paths: [/${"%61".repeat(SIZE / 4)}] } }\n`,
  "a path of stars": () => `version: 1\nlinks: { a: { target: echo, paths: [${"/*".repeat(SIZE / 2)}] } }\n`,
  "spaces": () => `version: 1\n${" ".repeat(SIZE)}\n`,
  "line ends": () => "\n".repeat(SIZE),
  "comments": () => fill(() => "#\n"),
  "brackets": () => "[".repeat(SIZE),
  "braces": () => "{".repeat(SIZE),
  "dashes": () => "- ".repeat(SIZE / 2),
  "question marks": () => "? ".repeat(SIZE / 2),
  "keys within keys": () => "a: ".repeat(SIZE / 4),
  "anchors": () => fill((i) => `k${i}: &a${i} x\n`),
  "aliases of aliases": () => "a: &a [x]\n" + fill((i) => `k${i}: [*a, *a]\n`),
  "a long anchor": () => `a: &${"a".repeat(SIZE)} x\n`,
  "a long tag": () => `a: !${"a".repeat(SIZE)} x\n`,
  "text behind a value": () => `a: "x" ${"y".repeat(SIZE)}\n`,
  "tags": () => fill((i) => `k${i}: !t x\n`),
  "documents": () => "---\n".repeat(SIZE / 4),
  "unknown keys": () => fill((i) => `k${i}: 1\n`),
  "one key over and over": () => "version: 1\n".repeat(SIZE / 10),
  "empty keys": () => ": \n".repeat(SIZE / 4),
  "links": () => "version: 1\nlinks:\n" + fill((i) => `  a${i}: { target: echo }\n`),
  "links to services that are not there": () => {
    const services = Array.from({ length: 4_000 }, (_, i) => `  s${i}: a:1\n`).join("");
    const links = Array.from({ length: 2_000 }, (_, i) => `  l${i}: { target: t${i} }\n`).join("");
    return `version: 1\nservices:\n${services}links:\n${links}`;
  },
  "paths in one list": () => `version: 1\nlinks: { a: { target: echo, paths: [${fill(() => "/a, ")}] } }\n`,
  "paths in many lists": () => {
    const paths = Array.from({ length: 1000 }, (_, i) => `/${i.toString(36)}`).join(",");
    return "version: 1\nlinks:\n" +
      fill((i) => `  a${i}: { target: echo, paths: [${paths}] }\n`);
  },
  "items in a list of addresses": () => `version: 1\ntrusted_proxies: [${fill(() => "::1, ")}]\n`,
};

Deno.test("a large file of anything is read or refused, and its problems are short", async (t) => {
  for (const [what, make] of Object.entries(LARGE)) {
    await t.step(what, () => {
      const text = make();
      const { config, problems } = readConfig(text, OPTIONS);
      readHubConfig(text, OPTIONS);
      assert.equal(config === null, problems.some(({ severity }) => severity === "error"));
      for (const problem of problems.slice(0, 20)) assert.ok(printProblem(problem).length < 2000);
    });
  }
});
