import assert from "node:assert/strict";
import {
  Budget,
  CROWDED_WINDOW,
  INITIAL_WINDOW,
  MAX_WINDOW,
  NEWCOMER_WINDOW,
  SESSION_CAP,
  Window,
} from "../../src/core/flow.ts";
import { Random } from "./random.ts";

const RTT = 50;

/** Sends and reads `octets` in pieces, as long as credit is there; returns the credit that came back. */
function pass(window: Window, octets: number, nowMs: number, crowded = false): number {
  assert.ok(window.received(octets));
  return window.consumed(octets) ? window.grant(nowMs, RTT, crowded) : 0;
}

Deno.test("what comes beyond the credit is noticed", () => {
  const window = new Window(INITIAL_WINDOW);
  assert.equal(window.received(INITIAL_WINDOW), true);
  assert.equal(window.received(1), false);
});

Deno.test("credit comes back when half a window is dealt with, not for every piece", () => {
  const window = new Window(INITIAL_WINDOW);
  window.received(INITIAL_WINDOW);
  assert.equal(window.consumed(INITIAL_WINDOW / 2 - 1), false);
  assert.equal(window.consumed(1), true);
  assert.equal(window.grant(1e6, RTT, false), INITIAL_WINDOW / 2);
});

Deno.test("a window grows to 4 MiB and no further while its reader keeps up and the round trip holds the sender up", () => {
  const window = new Window(INITIAL_WINDOW);
  let credit = INITIAL_WINDOW;
  for (let i = 0; i < 100; i++) credit += pass(window, credit, i) - credit;
  assert.equal(window.size, MAX_WINDOW);
});

Deno.test("a window does not grow for a slow reader, nor where half of it takes longer than two round trips", () => {
  const slow = new Window(INITIAL_WINDOW);
  for (let i = 0; i < 20; i++) {
    // Always full: as much comes as is dealt with.
    slow.received(i === 0 ? INITIAL_WINDOW : INITIAL_WINDOW / 2);
    assert.equal(slow.consumed(INITIAL_WINDOW / 2), true);
    slow.grant(i, RTT, false);
  }
  assert.equal(slow.size, INITIAL_WINDOW);
  const wide = new Window(INITIAL_WINDOW);
  for (let i = 0; i < 20; i++) pass(wide, INITIAL_WINDOW / 2, i * 2.1 * RTT);
  assert.equal(wide.size, INITIAL_WINDOW);
});

Deno.test("above the session's cap a window shrinks to 64 KiB, and what was promised is honoured", () => {
  const window = new Window(INITIAL_WINDOW);
  let credit = INITIAL_WINDOW;
  for (let i = 0; i < 100; i++) credit += pass(window, credit, i) - credit;
  assert.equal(credit, MAX_WINDOW);
  let outstanding = MAX_WINDOW;
  for (let i = 0; outstanding > CROWDED_WINDOW && i < 10_000; i++) {
    const n = Math.min(8192, outstanding);
    outstanding += pass(window, n, 1e6, true) - n;
  }
  assert.equal(window.size, CROWDED_WINDOW);
  for (let i = 0; i < 100; i++) {
    outstanding += pass(window, Math.min(8192, outstanding), 1e6, true) - Math.min(8192, outstanding);
    assert.ok(outstanding > 0 && outstanding <= CROWDED_WINDOW);
  }
});

Deno.test("a newcomer's window opens once its reader deals with something", () => {
  const crowded = new Window(NEWCOMER_WINDOW), free = new Window(NEWCOMER_WINDOW);
  assert.equal(pass(crowded, NEWCOMER_WINDOW / 2, 0, true), CROWDED_WINDOW - NEWCOMER_WINDOW / 2);
  assert.equal(pass(free, NEWCOMER_WINDOW / 2, 0, false), INITIAL_WINDOW - NEWCOMER_WINDOW / 2);
});

Deno.test("whatever happens, a sender that has no credit gets some once all is dealt with, and holds no more than the largest window", () => {
  const random = new Random(11);
  for (let run = 0; run < 200; run++) {
    const window = new Window(random.of([INITIAL_WINDOW, NEWCOMER_WINDOW]));
    let credit = window.size, held = 0;
    for (let step = 0; step < 300; step++) {
      const sent = random.below(Math.min(credit, 65_536) + 1);
      credit -= sent;
      held += sent;
      assert.ok(window.received(sent));
      const read = random.below(held + 1);
      held -= read;
      if (window.consumed(read)) credit += window.grant(step, random.below(3), random.below(4) === 0);
      assert.ok(credit + held <= MAX_WINDOW);
    }
    assert.ok(window.received(credit));
    held += credit;
    assert.ok(window.consumed(held));
    assert.ok(window.grant(1e9, 0, true) > 0);
  }
});

Deno.test("the budget lets windows grow up to the cap, and newcomers begin small above it until half of it is free", () => {
  const budget = new Budget();
  assert.equal(budget.initial, INITIAL_WINDOW);
  assert.equal(budget.add(SESSION_CAP), false);
  assert.equal(budget.crowded, false);
  assert.equal(budget.add(1), true);
  assert.equal(budget.crowded, true);
  assert.equal(budget.initial, NEWCOMER_WINDOW);
  assert.equal(budget.add(-1), false);
  assert.equal(budget.crowded, false);
  assert.equal(budget.initial, NEWCOMER_WINDOW);
  assert.equal(budget.add(-SESSION_CAP / 2), true);
  assert.equal(budget.initial, INITIAL_WINDOW);
});
