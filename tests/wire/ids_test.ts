import assert from "node:assert/strict";
import { followingId, isAhead } from "../../src/wire/streams.ts";

Deno.test("ids keep their parity, begin again after the last, and are never 0", () => {
  const follow: [id: number, next: number][] = [
    [0, 2],
    [-1, 1],
    [1, 3],
    [0x7ffffffe, 0x80000000],
    [0x7fffffff, 0x80000001],
    [0xfffffffc, 0xfffffffe],
    [0xfffffffe, 2],
    [0xffffffff, 1],
  ];
  for (const [id, next] of follow) assert.equal(followingId(id), next, String(id));
});

Deno.test("the next id is ahead of the last, all around the circle, and the last is not ahead of it", () => {
  for (
    const id of [0, 1, 2, 0x7ffffffd, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xfffffffd, 0xfffffffe, 0xffffffff]
  ) {
    assert.equal(isAhead(followingId(id), id), true, String(id));
    assert.equal(isAhead(id, followingId(id)), false, String(id));
    assert.equal(isAhead(id, id), false, String(id));
  }
  // A daemon of a day's load sends ids that began again.
  assert.equal(isAhead(2, 0xfffffff0), true);
  assert.equal(isAhead(0xfffffff0, 2), false);
});
