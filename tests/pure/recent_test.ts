import assert from "node:assert/strict";
import { Recent } from "../../src/core/recent.ts";
import { Random } from "./random.ts";

Deno.test("of a full map what was used longest ago makes room, whatever happened before", () => {
  const random = new Random(9);
  const recent = new Recent<number>(20);
  let order: [string, number][] = [];
  for (let i = 0; i < 20_000; i++) {
    const key = `${random.below(40)}`;
    const known = order.find(([other]) => other === key);
    if (random.below(3) === 0) assert.equal(recent.peek(key), known?.[1]);
    else {
      assert.equal(recent.use(key), known?.[1]);
      if (known === undefined) recent.add(key, i);
      order = [...order.filter((one) => one !== known), known ?? [key, i] as [string, number]].slice(-20);
    }
    assert.deepEqual([...recent.entries()], order);
    assert.equal(recent.size, order.length);
  }
});
