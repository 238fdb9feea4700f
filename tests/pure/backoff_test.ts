import assert from "node:assert/strict";
import { attemptMs, redialDelay } from "../../src/core/backoff.ts";

Deno.test("the first attempt is made at once", () => {
  assert.equal(redialDelay(0, 0, 0.5), 0);
  assert.equal(redialDelay(0, 90_000, 0.5), 0);
});

Deno.test("attempts are at most 1 s apart in the first 5 s, 4 s in the first minute, 15 s after it, for ever", () => {
  for (const random of [0, 0.5, 0.999]) {
    for (const attempts of [1, 2, 3, 5, 10, 100, 2000]) {
      assert.ok(redialDelay(attempts, 4_999, random) <= 1_000);
      assert.ok(redialDelay(attempts, 59_999, random) <= 4_000);
      assert.ok(redialDelay(attempts, 60_000, random) <= 15_000);
      assert.ok(redialDelay(attempts, 1e12, random) > 0);
    }
  }
  assert.equal(redialDelay(2000, 1e12, 0), 15_000);
});

Deno.test("delays double, and chance takes off up to half", () => {
  assert.deepEqual([1, 2, 3, 4].map((n) => redialDelay(n, 0, 0)), [250, 500, 1000, 1000]);
  assert.deepEqual([4, 5, 6].map((n) => redialDelay(n, 5_000, 0)), [2000, 4000, 4000]);
  assert.equal(redialDelay(3, 0, 0.5), 750);
  assert.ok(redialDelay(3, 0, 0.9999) >= 500);
});

Deno.test("a daemon tries often enough to be back within the visitors' 5 s of a short gap", () => {
  let at = 0, attempts = 0;
  while (at < 5_000) at += redialDelay(attempts++, at, 0);
  assert.ok(attempts >= 5);
});

Deno.test("an attempt that waits in vain is soon followed by another, but a slow way has its time", () => {
  assert.equal(attemptMs(0, null), 4_000, "how far the hub is, is not known");
  assert.equal(attemptMs(0, 3), 1_500);
  assert.equal(attemptMs(0, 250), 2_500);
  assert.equal(attemptMs(0, 900), 4_000);
  assert.equal(attemptMs(5_000, 3), 4_000);
});

/** When the last attempt that began before the outage's end has come to nothing, and the next begins. */
function backAfter(outageMs: number, hangs: boolean, random: () => number): number {
  for (let at = 0, attempts = 1;; attempts++) {
    if (at >= outageMs) return at - outageMs;
    const took = hangs ? attemptMs(at, 20) : 0;
    at = Math.max(at + redialDelay(attempts, at, random()), at + took);
  }
}

for (const hangs of [false, true]) {
  const how = hangs ? "attempts that hang" : "attempts that are refused";
  Deno.test(`back within 2 s after 5 s, 5 s after a minute, 15 s after more: ${how}`, () => {
    for (const [upTo, within] of [[5_000, 2_000], [60_000, 5_000], [600_000, 15_000]]) {
      for (let outage = 10; outage <= upTo; outage += upTo / 1_000) {
        for (const random of [() => 0, () => 0.5, () => 0.999]) {
          const ms = backAfter(outage, hangs, random);
          assert.ok(ms <= within, `${ms} ms after an outage of ${outage} ms`);
        }
      }
    }
  });
}
