import assert from "node:assert/strict";
import { Deadline, Wheel } from "../../src/core/wheel.ts";

Deno.test("a deadline fires once, never early, at most two ticks late", () => {
  for (const ms of [1, 50, 99, 100, 101, 750, 5_000, 51_200, 51_300, 400_000]) {
    const wheel = new Wheel(100, 512);
    wheel.advance(330);
    const deadline = new Deadline(() => {});
    wheel.set(deadline, ms);
    let firedAt = -1, fires = 0;
    for (let at = 330; at < 330 + ms + 1_000; at += 10) {
      for (const due of wheel.advance(at)) if (due === deadline) [firedAt, fires] = [at, fires + 1];
    }
    assert.equal(fires, 1, `${ms} ms`);
    assert.ok(firedAt - 330 >= ms && firedAt - 330 <= ms + 230, `${ms} ms fired after ${firedAt - 330}`);
    assert.equal(wheel.size, 0);
  }
});

Deno.test("a deadline that is moved on does not fire at its old time, one that is moved back fires sooner", () => {
  const wheel = new Wheel(10, 16);
  const later = new Deadline(() => {}), sooner = new Deadline(() => {});
  wheel.set(later, 100);
  wheel.set(sooner, 10_000);
  wheel.advance(50);
  wheel.set(later, 1_000);
  wheel.set(sooner, 20);
  assert.deepEqual(wheel.advance(100), [sooner]);
  assert.deepEqual(wheel.advance(900), []);
  assert.deepEqual(wheel.advance(1_200), [later]);
});

Deno.test("a deadline that is lifted or dropped never fires and leaves the wheel empty", () => {
  const wheel = new Wheel(10, 16);
  const lifted = new Deadline(() => {}), dropped = new Deadline(() => {});
  wheel.set(lifted, 50);
  wheel.set(dropped, 50);
  wheel.set(lifted, Infinity);
  wheel.drop(dropped);
  assert.deepEqual(wheel.advance(1_000), []);
  assert.equal(wheel.size, 0);
});

Deno.test("a sleep of many turns fires everything that is due", () => {
  const wheel = new Wheel(10, 16);
  const all = Array.from({ length: 100 }, () => new Deadline(() => {}));
  all.forEach((deadline, i) => wheel.set(deadline, i * 37));
  assert.equal(wheel.advance(86_400_000).length, 100);
  assert.equal(wheel.size, 0);
});

Deno.test("a deadline that another one moves, lifts or drops as it fires does not fire with it", () => {
  const wheel = new Wheel(100);
  const fired: string[] = [];
  const others = ["moved", "lifted", "dropped", "left"].map((name) => new Deadline(() => fired.push(name)));
  const [moved, lifted, dropped] = others;
  const first = new Deadline(() => {
    wheel.set(moved, 1_000);
    lifted.at = Infinity;
    wheel.drop(dropped);
  });
  for (const deadline of [first, ...others]) wheel.set(deadline, 100);
  wheel.fire(300);
  assert.deepEqual(fired, ["left"]);
  wheel.fire(1_600);
  assert.deepEqual(fired, ["left", "moved"]);
});
