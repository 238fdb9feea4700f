import assert from "node:assert/strict";
import { readStill } from "../../src/config/still.ts";
import { Folder } from "./read.ts";

const decoder = new TextDecoder();

Deno.test("a file is read whole while its writer pauses more briefly than it must stand still", async () => {
  using folder = new Folder();
  const path = folder.file("links.yaml", "0");
  const reading = readStill(path, 400);
  // The second look comes amid these writes, and must not be the last.
  for (const part of ["1", "2", "3", "4"]) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    Deno.writeTextFileSync(path, part, { append: true });
  }
  assert.equal(decoder.decode(await reading), "01234");
});

Deno.test("a file that is replaced while it is looked at is read as the new one", async () => {
  using folder = new Folder();
  const path = folder.file("links.yaml", "old");
  const reading = readStill(path, 200);
  await new Promise((resolve) => setTimeout(resolve, 50));
  Deno.renameSync(folder.file("next", "new"), path);
  assert.equal(decoder.decode(await reading), "new");
});

Deno.test("a file that goes away while it is looked at is not there", async () => {
  using folder = new Folder();
  const path = folder.file("links.yaml", "old");
  const reading = readStill(path, 100);
  Deno.removeSync(path);
  await assert.rejects(reading, /there is no file/);
});

Deno.test("no more is read than was asked for", async () => {
  using folder = new Folder();
  const path = folder.file("big", "x".repeat(100_000));
  assert.equal((await readStill(path, 0, 10)).length, 10);
  assert.equal((await readStill(path, 0, 100_000)).length, 100_000);
  assert.equal((await readStill(path, 0, 1_000_000)).length, 100_000);
  assert.equal((await readStill(folder.file("empty", ""), 0, 10)).length, 0);
});
