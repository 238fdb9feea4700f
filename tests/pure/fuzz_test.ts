/** A few seeds of what scripts/fuzz.ts runs by the million. */
import assert from "node:assert/strict";
import { framesCase } from "./frames_fuzz.ts";
import { type Case, taken } from "./fuzz.ts";
import { pathsCase } from "./paths_fuzz.ts";
import { policyCase } from "./policy_fuzz.ts";

const PROMISES: readonly (readonly [title: string, run: Case, cases: number])[] = [
  [
    "a path that is admitted is so in every way that servers read it, and a plain one is never refused",
    pathsCase,
    15_000,
  ],
  [
    "requests are judged in the order of policy.md, and one that is refused uses nothing up",
    policyCase,
    8_000,
  ],
  [
    "frames cut anywhere are those that a slow reading finds, and are written as they were read",
    framesCase,
    15_000,
  ],
];

for (const [title, run, cases] of PROMISES) {
  Deno.test(title, async () => {
    const n = await taken(run, cases);
    // Inputs that are all refused would prove nothing, and neither would inputs that are all right.
    assert.ok(n > cases / 5 && n < cases * 9 / 10, `${n} of ${cases} were let through`);
  });
}
