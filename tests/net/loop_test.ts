import assert from "node:assert/strict";
import { Loop } from "../../src/net/loop.ts";

/** Takes the processor for `ms`, as somebody's bad code would. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

Deno.test("an event loop that is held up shows by how much, at once and for a while after", async () => {
  const loop = new Loop(), stop = loop.watch();
  block(300);
  assert.ok(loop.worst >= 0.2, `${loop.worst}: it is told while it goes on`);
  while (loop.lag.sum < 0.2) await new Promise((turn) => setTimeout(turn, 5));
  const counts = loop.lag.cumulated();
  const within = counts[loop.lag.bounds.indexOf(0.1)], all = counts[counts.length - 1];
  assert.ok(all > within, "one look was more than 100 ms late");
  assert.ok(loop.worst >= 0.2, `${loop.worst}: it is told when it is over`);
  stop();
});

Deno.test("all who watch the loop share a timer, and it ends with the last of them", () => {
  const loop = new Loop(), first = loop.watch(), second = loop.watch();
  first();
  first();
  block(60);
  assert.ok(loop.worst > 0, "the second still watches");
  second();
  const { worst } = loop;
  block(60);
  // Deno.test fails for a timer that is left.
  assert.equal(loop.worst, worst);
});
