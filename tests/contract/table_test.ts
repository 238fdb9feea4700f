import assert from "node:assert/strict";
import type { Stream } from "../../src/wire/stream.ts";
import { StreamTable } from "../../src/wire/table.ts";
import { Random } from "../pure/random.ts";

Deno.test("a table of streams holds what a map would, with a few that stay while thousands pass", () => {
  const random = new Random(1);
  const table = new StreamTable(), map = new Map<number, Stream>();
  // The ids of both sides, as they are dealt out; around the last one they begin again.
  const next = [0xffff_f000, 0xffff_f001];
  for (let i = 0; i < 20_000; i++) {
    const side = random.below(2);
    const id = next[side] = (next[side] + 2) >>> 0;
    if (id === 0 || map.has(id)) continue;
    const stream = { id } as Stream;
    table.add(stream);
    map.set(id, stream);
    // One in a hundred is a WebSocket, and stays.
    const oldest = [...map.values()].find((_, at) => at > map.size - 20 && random.below(100) > 0);
    if (map.size > 40 && oldest !== undefined) {
      assert.equal(table.delete(oldest), true);
      assert.equal(table.delete(oldest), false);
      map.delete(oldest.id);
    }
    assert.equal(table.size, map.size);
    assert.equal(table.get(id), map.get(id));
    assert.equal(table.get((id + 1024) >>> 0), map.get((id + 1024) >>> 0));
  }
  assert.deepEqual(new Set(table.values()), new Set(map.values()));
  for (const [id, stream] of map) assert.equal(table.get(id), stream);
});
