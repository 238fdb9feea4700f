/** A few seeds of what scripts/fuzz.ts runs by the million. */
import assert from "node:assert/strict";
import { framesCase } from "./frames_fuzz.ts";
import { type Case, taken } from "./fuzz.ts";
import { linesCase } from "./lines_fuzz.ts";
import { pathsCase } from "./paths_fuzz.ts";
import { policyCase } from "./policy_fuzz.ts";
import { READINGS } from "./server_readings.ts";

const PROMISES: readonly (readonly [title: string, run: Case, cases: number])[] = [
  [
    "a path that is admitted is so in every way that servers read it, and a plain one is never refused",
    pathsCase,
    15_000,
  ],
  [
    "requests are judged in the order of policy.md, and one that is refused uses nothing up",
    policyCase,
    5_000,
  ],
  [
    "frames cut anywhere are those that a slow reading finds, and are written as they were read",
    framesCase,
    15_000,
  ],
  [
    "a line of a log is one line that moves no terminal, and reads back as what was logged, or its beginning",
    linesCase,
    3_000,
  ],
];

for (const [title, run, cases] of PROMISES) {
  Deno.test(title, async () => {
    const n = await taken(run, cases);
    // Inputs that are all refused would prove nothing, and neither would inputs that are all right.
    assert.ok(n > cases / 5 && n < cases * 9 / 10, `${n} of ${cases} were let through`);
  });
}

Deno.test("the ways of reading that paths are held to see through what they are there for", () => {
  const seen: Readonly<Record<string, readonly [path: string, read: string]>> = {
    "segments, dots, escapes": ["/a/./x/../%62/..", "a|"],
    "escapes, dots": ["/a/%2e%2e/b%2fc", "b|c"],
    "escapes, slashes merged, dots": ["//a%2f/b/", "a|b|"],
    "escapes twice, slashes merged, dots": ["/a/%252e%252e/b", "b"],
    "URL": ["/a\\.%2E/b\t/%63", "b|c"],
    "parameters, escapes, slashes merged, dots": ["/a;x/..;y/b;z=1/%3b", "b|;"],
    "escapes, parameters, slashes merged, dots": ["/a/..%3bx/b;", "b"],
    "escapes, backslashes, dots": ["/a%5c..\\b", "b"],
    "escapes twice, backslashes, parameters, dots": ["/a/%252e.%253b%255cb", "b"],
    "escapes, cut at NUL, dots": ["/a/%00/b", "a|"],
    "escapes, controls left out, dots": ["/a/.%09./%7fb", "b"],
    "escapes, overlong UTF-8, dots": ["/a/%c0%ae%c0%ae%c0%afb", "b"],
    "escapes of Windows, dots": ["/a/%u002e%u002E/b", "b"],
  };
  assert.deepEqual(Object.keys(seen), Object.keys(READINGS));
  for (const [name, [path, read]] of Object.entries(seen)) {
    assert.equal(READINGS[name](path)?.join("|"), read, name);
  }
});
