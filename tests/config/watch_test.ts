import assert from "node:assert/strict";
import { systemClock, TestClock } from "../../src/clock.ts";
import { watchFile } from "../../src/config/watch.ts";
import { Folder } from "./read.ts";

/** Longer than any test waits: with it, only what the system tells of is noticed. */
const NEVER = 3_600_000;

/** A watch whose notices can be awaited; each is told once. */
class Told {
  notices = 0;
  #heard = Promise.withResolvers<void>();

  readonly changed = (): void => {
    this.notices++;
    this.#heard.resolve();
  };

  /** How many there were since the last call, at least one. */
  async next(): Promise<number> {
    if (this.notices === 0) await this.#heard.promise;
    this.#heard = Promise.withResolvers();
    const { notices } = this;
    this.notices = 0;
    return notices;
  }
}

/** Ways in which people and programs change a file. */
const CHANGES: Record<string, (path: string, folder: Folder) => void> = {
  "written in place": (path) => Deno.writeTextFileSync(path, "changed"),
  "appended to": (path) => Deno.writeTextFileSync(path, "more", { append: true }),
  "replaced by a rename": (path, folder) => Deno.renameSync(folder.file(".next", "changed"), path),
  "removed and made again"(path) {
    Deno.removeSync(path);
    Deno.writeTextFileSync(path, "other");
  },
  "removed": (path) => Deno.removeSync(path),
  "replaced by one of the same size and time"(path, folder) {
    const { mtime, atime } = Deno.statSync(path);
    const next = folder.file(".next", "new");
    Deno.utimeSync(next, atime!, mtime!);
    Deno.renameSync(next, path);
  },
};

for (const [how, change] of Object.entries(CHANGES)) {
  Deno.test(`a file that is ${how} is noticed without a poll`, async () => {
    using folder = new Folder();
    const path = folder.file("links.yaml", "old");
    const told = new Told();
    const watch = watchFile(path, { clock: systemClock, stillMs: 20, pollMs: NEVER }, told.changed);
    change(path, folder);
    assert.equal(await told.next(), 1);
    watch.close();
  });
}

Deno.test("a file that is made later is noticed, and again each time it changes", async () => {
  using folder = new Folder();
  const path = folder.file("links.yaml");
  const told = new Told();
  const watch = watchFile(path, { clock: systemClock, stillMs: 20, pollMs: NEVER }, told.changed);
  for (const text of ["one", "two", "three"]) {
    Deno.renameSync(folder.file(".next", text), path);
    assert.equal(await told.next(), 1);
  }
  watch.close();
});

Deno.test("a Kubernetes volume that swaps its ..data link is noticed", async () => {
  using folder = new Folder();
  for (const version of ["one", "two"]) {
    Deno.mkdirSync(folder.file(`..${version}`));
    folder.file(`..${version}/links.yaml`, version);
  }
  Deno.symlinkSync("..one", folder.file("..data"));
  Deno.symlinkSync("..data/links.yaml", folder.file("links.yaml"));
  const told = new Told();
  const path = folder.file("links.yaml");
  const watch = watchFile(path, { clock: systemClock, stillMs: 20, pollMs: NEVER }, told.changed);
  Deno.symlinkSync("..two", folder.file("..data_tmp"));
  Deno.renameSync(folder.file("..data_tmp"), folder.file("..data"));
  assert.equal(await told.next(), 1);
  assert.equal(Deno.readTextFileSync(path), "two");
  watch.close();
});

Deno.test("what is not heard of is found by the poll, behind a symlink too", () => {
  using folder = new Folder();
  using elsewhere = new Folder();
  const real = elsewhere.file("real.yaml", "old");
  Deno.symlinkSync(real, folder.file("links.yaml"));
  const clock = new TestClock();
  let told = 0;
  const watch = watchFile(folder.file("links.yaml"), { clock }, () => told++);
  clock.advance(1_900);
  Deno.writeTextFileSync(real, "changed");
  clock.advance(200);
  assert.equal(told, 0, "it must stand still first");
  clock.advance(200);
  assert.equal(told, 1);
  clock.advance(10_000);
  assert.equal(told, 1);
  // Readable now, perhaps: the content is the same, and what can be done with it is not.
  Deno.chmodSync(real, 0o600);
  clock.advance(2_300);
  assert.equal(told, 2);
  watch.close();
});

Deno.test("a folder that is not there yet is no error, and its file is found when it comes", () => {
  using folder = new Folder();
  const path = folder.file("later/links.yaml");
  const clock = new TestClock();
  let told = 0;
  const watch = watchFile(path, { clock }, () => told++);
  Deno.mkdirSync(folder.file("later"));
  Deno.writeTextFileSync(path, "x");
  clock.advance(2_300);
  assert.equal(told, 1);
  watch.close();
});

Deno.test("a file that is still being written is not told of until it stands still", () => {
  using folder = new Folder();
  const path = folder.file("links.yaml", "0");
  const clock = new TestClock();
  let told = 0;
  const watch = watchFile(path, { clock, stillMs: 200, pollMs: 1_000 }, () => told++);
  for (let i = 0; i < 20; i++) {
    Deno.writeTextFileSync(path, "x", { append: true });
    clock.advance(i === 0 ? 1_000 : 200);
    assert.equal(told, 0, `after ${i + 1} writes`);
  }
  clock.advance(200);
  assert.equal(told, 1);
  watch.close();
});

Deno.test("a change that is taken back before it stood still is none", () => {
  using folder = new Folder();
  const path = folder.file("links.yaml", "same");
  // Made while the other is there: the number of a file that is gone may be given to the next one.
  const backup = folder.file("links.yaml~", "same");
  const clock = new TestClock();
  let told = 0;
  const watch = watchFile(path, { clock, stillMs: 200, pollMs: 1_000 }, () => told++);
  Deno.removeSync(path);
  clock.advance(1_000);
  Deno.renameSync(backup, path);
  clock.advance(200);
  assert.equal(told, 0);
  clock.advance(200);
  assert.equal(told, 1, "another inode is another file");
  watch.close();
});

Deno.test("a closed watch says nothing more", () => {
  using folder = new Folder();
  const path = folder.file("links.yaml", "1");
  const clock = new TestClock();
  let told = 0;
  const watch = watchFile(path, { clock }, () => told++);
  Deno.writeTextFileSync(path, "22");
  watch.close();
  clock.advance(60_000);
  assert.equal(told, 0);
});

Deno.test("a watch may be closed by whom it tells", () => {
  using folder = new Folder();
  const path = folder.file("links.yaml", "1");
  const clock = new TestClock();
  let told = 0;
  const watch = watchFile(path, { clock }, () => {
    told++;
    watch.close();
  });
  Deno.writeTextFileSync(path, "22");
  clock.advance(2_300);
  Deno.writeTextFileSync(path, "333");
  clock.advance(60_000);
  assert.equal(told, 1);
});
