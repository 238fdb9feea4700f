import assert from "node:assert/strict";
import { covers } from "../../src/core/paths.ts";
import { Random } from "../pure/random.ts";
import { problemsOf } from "./read.ts";

/** The numbers of the patterns that are warned of. */
function shadowed(patterns: readonly string[]): number[] {
  const lines = patterns.map((pattern) => `      - ${JSON.stringify(pattern)}\n`).join("");
  return problemsOf(`version: 1\nlinks:\n  a:\n    target: echo\n    paths:\n${lines}`).map((problem) => {
    assert.match(problem, /^\d+:9 warning shadowed$/);
    return parseInt(problem) - 6;
  });
}

/** Comparing all with all, as the rule is written: of equal patterns the later is the one too many. */
function byRule(patterns: readonly string[]): number[] {
  return patterns.flatMap((pattern, i) => {
    const by = patterns.some((other, j) =>
      j !== i && covers(other, pattern) && (j < i || !covers(pattern, other))
    );
    return by ? [i] : [];
  });
}

Deno.test("the paths that admit nothing more are those that the rule names, in any list", () => {
  const random = new Random(5);
  let found = 0;
  for (let round = 0; round < 400; round++) {
    const patterns = Array.from({ length: 1 + random.below(8) }, () => {
      const path = Array.from(
        { length: random.below(4) },
        () => "/" + random.of(["a", "b", "*", "%61", "%2A"]),
      );
      return random.of(["", "", "= "]) + (path.join("") || "/") + random.of(["", "", "/"]);
    }).map((pattern) => pattern.replace("//", "/"));
    const expected = byRule(patterns);
    assert.deepEqual(shadowed(patterns), expected, JSON.stringify(patterns));
    found += expected.length;
  }
  assert.ok(found > 500, `${found} found`);
});
