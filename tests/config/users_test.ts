import assert from "node:assert/strict";
import { readConfig } from "../../src/config/links.ts";
import { printProblem } from "../../src/config/problem.ts";
import { OPTIONS } from "./read.ts";

/** Where a password may stand by mistake, and the line as it is shown. */
const ROWS: [line: string, shown: string][] = [
  ["hub: https://me:s3cret@hub.example.com", "hub: https://*********@hub.example.com"],
  ["hub: 'https://me:s3c@ret@hub.example.com'", "hub: 'https://**********@hub.example.com'"],
  [
    "services: { a: http://s3cret@localhost:1, B: echo }",
    "services: { a: http://******@localhost:1, B: echo }",
  ],
  ["links: { a: { target: me:s3cret@localhost:1 } }", "links: { a: { target: *********@localhost:1 } }"],
  ["linkz: {} # postgres://me:s3cret@db", "linkz: {} # postgres://*********@db"],
  ["links: ] # http://me:s3cret@db", "links: ] # http://*********@db"],
  ["links: { a: { target: echo, paths: [/@vite, /me@x, /@v/] } }, b", "/@vite, /me@x, /@v/"],
];

Deno.test("what stands before the @ of a URL is in no message and in no line that is shown", () => {
  for (const [line, shown] of ROWS) {
    const { problems } = readConfig(`version: 1\n${line}\n`, OPTIONS);
    assert.ok(problems.length > 0, line);
    const printed = problems.map(printProblem).join("\n");
    assert.doesNotMatch(printed, /s3c/, line);
    assert.ok(problems.some(({ source }) => source.includes(shown)), `${line}\n${printed}`);
  }
});
