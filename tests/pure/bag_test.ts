import assert from "node:assert/strict";
import { Bag, type Bagged } from "../../src/core/bag.ts";
import { Random } from "./random.ts";

Deno.test("a bag holds what a set would, whatever goes in and out", () => {
  const random = new Random(1);
  const things = Array.from({ length: 50 }, (): Bagged => ({ place: -1 }));
  const bag = new Bag<Bagged>(), set = new Set<Bagged>();
  for (let i = 0; i < 5_000; i++) {
    const thing = things[random.below(things.length)];
    if (set.delete(thing)) bag.delete(thing);
    else {
      set.add(thing);
      bag.add(thing);
    }
    assert.equal(bag.size, set.size);
    assert.deepEqual(new Set(bag.items()), set);
  }
});
