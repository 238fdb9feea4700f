/** Access logs on a real folder: what is written, what stays of it, what happens where nothing can be. */
import assert from "node:assert/strict";
import { type Clock, systemClock, TestClock } from "../../src/clock.ts";
import { createLog } from "../../src/log.ts";
import { BOUNDS, type Bounds } from "../../src/store/access_files.ts";
import { AccessLog } from "../../src/store/access_log.ts";
import type { Place } from "../../src/store/access_reader.ts";
import { eventually } from "../hub/rig.ts";

const DAY_MS = 86_400_000;

class Folder implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "connectd-access-" });
  /** What was logged. */
  readonly said: string[] = [];
  readonly clock = new TestClock(Date.now());
  log!: AccessLog;
  #n = 0;

  constructor(readonly bounds: Partial<Bounds> = {}) {
    this.begin();
  }

  begin(clock: Clock = this.clock): void {
    this.log = new AccessLog({
      folder: this.path,
      name: "access",
      clock,
      log: createLog({ write: (line) => this.said.push(line) }),
      keepMs: 30 * DAY_MS,
      bounds: { ...BOUNDS, ...this.bounds },
    });
  }

  /** Adds requests, numbered on. */
  add(count: number, o: { link?: string; path?: string } = {}): void {
    for (let i = 0; i < count; i++) {
      this.log.add({
        id: String(++this.#n),
        at: this.clock.now(),
        link: o.link ?? "web",
        address: "192.0.2.1",
        method: "GET",
        target: o.path ?? "/",
        status: 200,
        code: null,
        bytesIn: 0,
        bytesOut: 0,
        ms: 0,
      });
    }
  }

  /** The files' names, and what stands in all of them, in order. */
  get files(): string[] {
    const names = [...Deno.readDirSync(this.path)].map(({ name }) => name);
    return names.sort();
  }

  get ids(): number[] {
    return this.files.flatMap((name) => this.text(name).split("\n").slice(0, -1))
      .map((line) => Number(JSON.parse(line).id));
  }

  text(name = "access.log"): string {
    return Deno.readTextFileSync(`${this.path}/${name}`);
  }

  said1(text: string): string[] {
    return this.said.filter((line) => line.includes(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.log.close();
    Deno.removeSync(this.path, { recursive: true });
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

Deno.test("lines are written a moment later, and all of them when the log is closed", async () => {
  await using folder = new Folder();
  folder.add(3);
  assert.deepEqual(folder.files, []);
  folder.clock.advance(250);
  await eventually(() => folder.files.length, (n) => n === 1);
  await eventually(() => folder.ids.length, (n) => n === 3);
  assert.equal(Deno.statSync(`${folder.path}/access.log`).mode! & 0o777, 0o600);
  folder.add(1_000);
  await folder.log.close();
  assert.deepEqual(folder.ids, range(1, 1_003));
  assert.equal(folder.log.lost, 0);
  assert.deepEqual(folder.said, []);
});

Deno.test("a file that is full gives way to another, and the oldest go when all are too large", async () => {
  await using folder = new Folder({ fileOctets: 20_000, allOctets: 60_000 });
  for (let i = 0; i < 10; i++) {
    folder.add(100);
    await folder.log.flush();
  }
  assert.deepEqual(folder.files.slice(0, 2), ["access-000001.log", "access-000002.log"]);
  assert.deepEqual(folder.ids, range(1, 1_000));
  for (const name of folder.files) assert.ok(folder.text(name).length <= 20_000, name);
  folder.clock.advance(3_600_200);
  await eventually(() => folder.files[0], (name) => name !== "access-000001.log");
  await folder.log.flush();
  const { ids } = folder;
  assert.deepEqual(ids, range(ids[0], 1_000));
  assert.ok(ids.length >= 200, String(ids.length));
  // Numbers go on over a restart.
  const last = folder.files.at(-2)!;
  await folder.log.close();
  folder.begin();
  folder.add(200);
  await folder.log.flush();
  assert.ok(folder.files.at(-2)! > last, folder.files.join());
});

Deno.test("a day's lines have a file, and go when they are too old", async () => {
  await using folder = new Folder();
  folder.add(1);
  await folder.log.flush();
  folder.clock.jump(DAY_MS);
  folder.add(1);
  await folder.log.flush();
  assert.deepEqual(folder.files, ["access-000001.log", "access.log"]);
  Deno.utimeSync(`${folder.path}/access-000001.log`, 1, (Date.now() - 31 * DAY_MS) / 1000);
  folder.clock.advance(3_600_200);
  await eventually(() => folder.files.join(), (files) => files === "access.log");
  assert.deepEqual(folder.ids, [2]);
});

Deno.test("half a line that a killed process left is taken out at the start, and nothing else", async () => {
  const whole = '{"id":"1","at":"2026-01-01T00:00:00.000Z"}\n';
  for (
    const [before, after] of [
      [whole, whole],
      [`${whole}{"id":"2","a`, whole],
      ['{"id":"2","a', ""],
      [`${whole}${"x".repeat(200_000)}`, whole],
      ["", ""],
    ]
  ) {
    await using folder = new Folder();
    Deno.writeTextFileSync(`${folder.path}/access.log`, before);
    folder.add(1);
    await folder.log.flush();
    const text = folder.files.map((name) => folder.text(name)).join("");
    assert.equal(text.slice(0, after.length), after);
    assert.equal(JSON.parse(text.slice(after.length)).path, "/");
  }
});

Deno.test("a file that is moved or removed is begun anew, and what was moved stays as it was", async () => {
  await using folder = new Folder();
  const path = `${folder.path}/access.log`;
  folder.add(1);
  await folder.log.flush();
  Deno.renameSync(path, `${folder.path}/access.1`);
  folder.clock.jump(1_000);
  folder.add(1);
  await folder.log.flush();
  assert.equal(JSON.parse(folder.text()).id, "2");
  assert.equal(JSON.parse(folder.text("access.1")).id, "1");
  Deno.removeSync(path);
  folder.clock.jump(-2_000);
  folder.add(1);
  await folder.log.flush();
  assert.equal(JSON.parse(folder.text()).id, "3");
  assert.deepEqual(folder.said, []);
});

Deno.test("while nothing can be written lines wait, the oldest go, and it is said once how many", async () => {
  await using folder = new Folder();
  const path = `${folder.path}/access.log`;
  Deno.mkdirSync(path);
  for (let i = 0; i < 3; i++) {
    folder.add(1);
    await folder.log.flush();
  }
  assert.equal(folder.said1("can not be written").length, 1, folder.said.join("\n"));
  // Beyond 4 MiB.
  folder.add(40_000);
  await folder.log.flush();
  assert.ok(folder.log.lost > 10_000 && folder.log.lost < 25_000, String(folder.log.lost));
  Deno.removeSync(path);
  folder.clock.advance(1_200);
  await eventually(() => folder.said1("is written again").length, (n) => n === 1);
  await folder.log.flush();
  const ids = folder.ids;
  assert.deepEqual(ids, range(folder.log.lost + 1, 40_003));
  assert.match(folder.said.at(-1)!, new RegExp(`lost=${folder.log.lost}$`));
});

Deno.test("a pipe in the place of the file stops nobody", async () => {
  await using folder = new Folder();
  const path = `${folder.path}/access.log`;
  await new Deno.Command("mkfifo", { args: [path] }).output();
  folder.add(1);
  await folder.log.flush();
  assert.match(folder.said[0], /is no file/);
  Deno.removeSync(path);
});

Deno.test("a log that is off writes nothing, and goes on when it is on", async () => {
  await using folder = new Folder();
  folder.log.keep(null);
  folder.add(1);
  await folder.log.flush();
  assert.deepEqual(folder.files, []);
  folder.log.keep(DAY_MS);
  folder.add(1);
  await folder.log.flush();
  assert.deepEqual(folder.ids, [2]);
});

Deno.test("pages go back through all files, each line once, also while lines come and files give way", async () => {
  await using folder = new Folder({ fileOctets: 20_000 });
  for (let i = 0; i < 5; i++) {
    folder.add(70, { link: i % 2 === 0 ? "even" : "odd" });
    await folder.log.flush();
  }
  const wanted = (line: string) => line.includes('"link":"even"') ? Number(JSON.parse(line).id) : null;
  const seen: number[] = [];
  let before: Place | null = null;
  do {
    const page: { items: readonly number[]; next: Place | null } = await folder.log.read({
      limit: 8,
      before,
      wanted,
    });
    seen.push(...page.items);
    assert.ok(page.items.length === 8 || page.next === null);
    before = page.next;
    folder.add(30, { link: "odd" });
    // Files go, and their numbers are not given again.
    if (seen.length > 150) {
      for (const name of ["access-000001.log"]) Deno.removeSync(`${folder.path}/${name}`);
    }
  } while (before !== null && seen.length <= 150);
  assert.deepEqual(seen.slice(0, 3), [350, 349, 348]);
  assert.deepEqual(seen, seen.toSorted((a, b) => b - a));
  assert.equal(new Set(seen).size, seen.length);
});

Deno.test("a file that others wrote into is read past what is no line", async () => {
  await using folder = new Folder();
  folder.add(1);
  await folder.log.flush();
  Deno.writeTextFileSync(`${folder.path}/access-000001.log`, `\n\n{\n${"y".repeat(300_000)}\n{"id":"0"}\n`);
  const wanted = (line: string) => {
    try {
      return Number(JSON.parse(line).id);
    } catch {
      return null;
    }
  };
  const { items, next } = await folder.log.read({ limit: 10, before: null, wanted });
  assert.deepEqual([items, next], [[1, 0], null]);
  assert.deepEqual(
    (await folder.log.read({ limit: 10, before: { number: 9, offset: 10 ** 9 }, wanted })).items,
    [1, 0],
  );
});

Deno.test("whoever adds never waits, and what was added while a batch was written is written after it", async () => {
  await using folder = new Folder();
  folder.begin(systemClock);
  const ends: Promise<void>[] = [];
  for (let i = 0; i < 50; i++) {
    folder.add(500);
    if (i % 7 === 0) ends.push(folder.log.flush());
    await new Promise((turn) => setTimeout(turn, 0));
  }
  await Promise.all(ends);
  await folder.log.flush();
  assert.deepEqual(folder.ids, range(1, 25_000));
});

Deno.test("a full disk costs no line while there is room in memory, and leaves none half", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "connectd-full-" });
  const script = new URL("full_disk.ts", import.meta.url).pathname;
  const mount =
    'mount -t tmpfs -o size=300k tmpfs "$1" && echo mounted && exec "$2" run --allow-read --allow-write ' +
    '--allow-env "$3" "$1"';
  const { success, stdout, stderr } = await new Deno.Command("unshare", {
    args: ["-m", "sh", "-c", mount, "sh", folder, Deno.execPath(), script],
  }).output();
  Deno.removeSync(folder);
  const [mounted, printed] = new TextDecoder().decode(stdout).split("\n");
  const complaint = new TextDecoder().decode(stderr);
  if (mounted !== "mounted") {
    return console.log(`left out: this user may not mount a small file system: ${complaint.trim()}`);
  }
  assert.ok(success, complaint);
  const { full, ids, said } = JSON.parse(printed);
  assert.ok(full > 0);
  assert.deepEqual(ids, range(1, 1_601));
  assert.deepEqual(said.map(({ message }: { message: string }) => message.split(":")[0]), [
    "the access log can not be written",
    "the access log is written again",
  ]);
  assert.match(said[0].error, /[Nn]o space left/);
  assert.equal(said[1].lost, 0);
});
