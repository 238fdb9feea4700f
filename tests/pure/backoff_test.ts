import assert from "node:assert/strict";
import { redialDelay } from "../../src/core/backoff.ts";

Deno.test("the first attempt is made at once", () => {
  assert.equal(redialDelay(0, 0, 0.5), 0);
  assert.equal(redialDelay(0, 90_000, 0.5), 0);
});

Deno.test("attempts are at most 4 s apart in the first minute, 15 s after it, for ever", () => {
  for (const random of [0, 0.5, 0.999]) {
    for (const attempts of [1, 2, 3, 5, 10, 100, 2000]) {
      assert.ok(redialDelay(attempts, 59_999, random) <= 4_000);
      assert.ok(redialDelay(attempts, 60_000, random) <= 15_000);
      assert.ok(redialDelay(attempts, 1e12, random) > 0);
    }
  }
  assert.equal(redialDelay(2000, 1e12, 0), 15_000);
});

Deno.test("delays double, and chance takes off up to half", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6].map((n) => redialDelay(n, 0, 0)), [250, 500, 1000, 2000, 4000, 4000]);
  assert.equal(redialDelay(3, 0, 0.5), 750);
  assert.ok(redialDelay(3, 0, 0.9999) >= 500);
});

Deno.test("a daemon tries often enough to be back within the visitors' 5 s of a short gap", () => {
  let at = 0, attempts = 0;
  while (at < 5_000) at += redialDelay(attempts++, at, 0);
  assert.ok(attempts >= 5);
});
