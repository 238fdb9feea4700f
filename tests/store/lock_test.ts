/** The lock that a daemon and a hub hold on what is theirs. */
import assert from "node:assert/strict";
import { takeLock } from "../../src/store/lock.ts";

Deno.test("a lock that is given back is free, also where the process is just starting others", async () => {
  const path = await Deno.makeTempFile();
  let over = false;
  const starting = [1, 2].map(async () => {
    while (!over) await new Deno.Command("true").output();
  });
  const holders: string[] = [];
  for (let n = 0; n < 400; n++) {
    const lock = await takeLock(path);
    if ("release" in lock) lock.release();
    else holders.push(lock.holder);
  }
  over = true;
  await Promise.all(starting);
  await Deno.remove(path);
  assert.deepEqual(holders, []);
});

Deno.test("whoever asks for a lock that is held hears by which process", async () => {
  const path = await Deno.makeTempFile();
  const held = await takeLock(path);
  assert.deepEqual(await takeLock(path), { holder: String(Deno.pid) });
  assert.ok("release" in held);
  held.release();
  const again = await takeLock(path);
  assert.ok("release" in again);
  again.release();
  await Deno.remove(path);
});
