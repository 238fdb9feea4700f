/** What every store promises; each implementation runs the same suite. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import type { AuditEntry, AuditQuery, AuditRow } from "../../src/core/audit.ts";
import { Failure } from "../../src/core/errors.ts";
import { AuditDesk } from "../../src/store/audit_desk.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { type Change, Conflict, type Store } from "../../src/store/store.ts";

/** How the suite gets a store: opening again finds what was stored. */
interface Maker {
  readonly name: string;
  make(): Promise<{ open(clock: TestClock): Promise<Store>; remove(): Promise<void> }>;
}

const MAKERS: Maker[] = [{
  name: "sqlite",
  async make() {
    const folder = await Deno.makeTempDir();
    return {
      open: (clock) => openSqlite(`${folder}/store.db`, clock),
      remove: () => Deno.remove(folder, { recursive: true }),
    };
  },
}];

const ALL: AuditQuery = { limit: 1000, before: null, type: null, link: null, workspace: null };

function entry(subject: string, o: Partial<AuditEntry> = {}): AuditEntry {
  const at = "2026-01-01T00:00:00.000Z";
  return { at, type: "link.opened", workspace: "", actor: "file", subject, data: "{}", ...o };
}

async function subjects(store: Store, query: Partial<AuditQuery> = {}): Promise<AuditRow["subject"][]> {
  return (await store.trail.list({ ...ALL, ...query })).map(({ subject }) => subject);
}

async function isWhole(store: Store, clock: TestClock): Promise<void> {
  const { broken, records } = await new AuditDesk(store.trail, null, clock).verify([]);
  assert.equal(broken, null);
  assert.equal(records, (await store.trail.list(ALL)).length);
}

for (const maker of MAKERS) {
  const promise = (
    title: string,
    run: (store: Store, clock: TestClock, reopen: () => Promise<Store>) => Promise<void>,
  ) =>
    Deno.test(`${maker.name}: ${title}`, async () => {
      const place = await maker.make();
      const clock = new TestClock();
      let store = await place.open(clock);
      try {
        await run(store, clock, async () => {
          await store.close();
          return store = await place.open(clock);
        });
      } finally {
        await store.close();
        await place.remove();
      }
    });

  promise("what was put is there after the store was opened again", async (store, _clock, reopen) => {
    const revision = await store.bucket("a").put("k", `{"x":1}`);
    const again = await reopen();
    assert.deepEqual(await again.bucket("a").get("k"), { key: "k", value: `{"x":1}`, revision });
    assert.equal(await again.bucket("b").get("k"), null);
    assert.equal(await again.bucket("a").get("other"), null);
  });

  promise("a put with a revision that does not match is a Conflict and changes nothing", async (store) => {
    const bucket = store.bucket("a");
    const first = await bucket.put("k", "1", { ifRevision: 0 });
    await assert.rejects(bucket.put("k", "2", { ifRevision: 0 }), Conflict);
    const second = await bucket.put("k", "2", { ifRevision: first });
    await assert.rejects(bucket.put("k", "3", { ifRevision: first }), Conflict);
    await assert.rejects(bucket.delete("k", { ifRevision: first }), Conflict);
    assert.equal((await bucket.get("k"))!.value, "2");
    await bucket.delete("k", { ifRevision: second });
    await bucket.delete("k");
    await assert.rejects(bucket.put("k", "4", { ifRevision: second }), Conflict);
    assert.equal(await bucket.get("k"), null);
  });

  promise("no revision comes twice, not even after a delete and a restart", async (store, _clock, reopen) => {
    const first = await store.bucket("a").put("k", "1");
    await store.bucket("a").delete("k");
    const again = await reopen();
    assert.ok(await again.bucket("a").put("k", "2") > first);
  });

  promise("of many who ask for one revision at once, one gets it", async (store) => {
    const bucket = store.bucket("a");
    const tries = Array.from({ length: 50 }, (_, i) => bucket.put("k", String(i), { ifRevision: 0 }));
    const done = (await Promise.allSettled(tries)).filter(({ status }) => status === "fulfilled");
    assert.equal(done.length, 1);
  });

  promise("a prefix means whole tokens, and lists come in order", async (store) => {
    const bucket = store.bucket("a");
    await Promise.all(["a.c", "a.b.x", "a", "ab", "a-b", "b"].map((key) => bucket.put(key, "1")));
    const keys = async (prefix?: string) => (await bucket.list(prefix)).map(({ key }) => key);
    assert.deepEqual(await keys("a"), ["a", "a.b.x", "a.c"]);
    assert.deepEqual(await keys("a.b"), ["a.b.x"]);
    assert.deepEqual((await keys()).length, 6);
  });

  promise("a key that is none is refused before anything is written", async (store) => {
    const bucket = store.bucket("a");
    for (const key of ["", ".", "a.", ".a", "a..b", "a b", "a*", "a.>", "ä", "a/b"]) {
      await assert.rejects(bucket.put(key, "1"), TypeError);
      await assert.rejects(bucket.get(key), TypeError);
    }
    assert.throws(() => store.bucket("a.b"), TypeError);
    assert.deepEqual(await bucket.list(), []);
  });

  promise("a value is gone when its time to live is over, by the clock alone", async (store, clock) => {
    const bucket = store.bucket("a", { ttlMs: 1000 });
    const first = await bucket.put("k", "1");
    clock.advance(999);
    assert.equal((await bucket.get("k"))!.value, "1");
    clock.advance(1);
    assert.equal(await bucket.get("k"), null);
    assert.deepEqual(await bucket.list(), []);
    await assert.rejects(bucket.put("k", "2", { ifRevision: first }), Conflict);
    await bucket.put("k", "2", { ifRevision: 0 });
    clock.advance(900);
    await bucket.put("k", "3");
    clock.advance(900);
    assert.equal((await bucket.get("k"))!.value, "3");
  });

  promise("who watches sees every later change below the prefix, in order", async (store) => {
    const bucket = store.bucket("a");
    await bucket.put("w.before", "0");
    const abort = new AbortController();
    const changes = bucket.watch("w", abort.signal);
    await Promise.all([bucket.put("w.x", "1"), bucket.put("other", "1"), store.bucket("b").put("w.x", "9")]);
    await bucket.put("w.x", "2");
    await bucket.put("w.x", "no", { ifRevision: 0 }).catch(() => {});
    await bucket.delete("w.x");
    await bucket.delete("w.x");
    await bucket.put("w", "3");
    const seen: Change[] = [];
    for await (const change of changes) {
      seen.push(change);
      if (seen.length === 4) abort.abort();
    }
    assert.deepEqual(seen.map(({ key, entry }) => [key, entry?.value ?? null]), [
      ["w.x", "1"],
      ["w.x", "2"],
      ["w.x", null],
      ["w", "3"],
    ]);
  });

  promise("a watch ends with its signal and with the store", async (store) => {
    const bucket = store.bucket("a");
    const abort = new AbortController();
    const first = bucket.watch("", abort.signal)[Symbol.asyncIterator]();
    const next = first.next();
    abort.abort();
    assert.equal((await next).done, true);
    assert.equal((await bucket.watch("", abort.signal)[Symbol.asyncIterator]().next()).done, true);
    const second = bucket.watch("", new AbortController().signal)[Symbol.asyncIterator]();
    const last = second.next();
    await store.close();
    assert.equal((await last).done, true);
  });

  promise(
    "what was appended is listed newest first, by pages, after a restart too",
    async (store, clock, reopen) => {
      for (let i = 1; i <= 5; i++) store.trail.append(entry(`link-${i}`));
      assert.deepEqual(await subjects(store, { limit: 2 }), ["link-5", "link-4"]);
      assert.deepEqual(await subjects(store, { limit: 2, before: 4 }), ["link-3", "link-2"]);
      const again = await reopen();
      again.trail.append(entry("link-6"));
      const rows = await again.trail.list(ALL);
      assert.deepEqual(rows.map(({ seq }) => seq), [6, 5, 4, 3, 2, 1]);
      assert.equal(rows[0].prev, rows[1].hash);
      assert.deepEqual((await again.trail.walk(2, 3)).map(({ seq }) => seq), [2, 3, 4]);
      assert.equal((await again.trail.ends()).issued, 6);
      await isWhole(again, clock);
    },
  );

  promise("a trail is asked by type, by link, by workspace", async (store) => {
    store.trail.append(entry("a", { type: "link.opened", workspace: "acme" }));
    store.trail.append(entry("a", { type: "link.revoked", workspace: "acme" }));
    store.trail.append(entry("a", { type: "linked", workspace: "other" }));
    store.trail.append(entry("b", { type: "link.revoked", workspace: "other" }));
    assert.deepEqual(await subjects(store, { type: "link" }), ["b", "a", "a"]);
    assert.deepEqual(await subjects(store, { type: "link.revoked" }), ["b", "a"]);
    assert.deepEqual(await subjects(store, { type: "lin" }), []);
    assert.deepEqual(await subjects(store, { link: "a" }), ["a", "a"]);
    assert.deepEqual(await subjects(store, { workspace: "other" }), ["b", "a"]);
    assert.deepEqual(await subjects(store, { workspace: "acme", type: "link.revoked", link: "a" }), ["a"]);
  });

  promise("what a put carries is in the trail when the put is, and not when it is not", async (store) => {
    const bucket = store.bucket("a");
    await bucket.put("k", "1", { ifRevision: 0, audit: entry("first") });
    await assert.rejects(bucket.put("k", "2", { ifRevision: 0, audit: entry("never") }), Conflict);
    store.trail.append(entry("beside"));
    await bucket.put("k", "3", { audit: entry("second") });
    assert.deepEqual(await subjects(store), ["second", "beside", "first"]);
  });

  promise("what is appended in the turn of a put is there when the put is", async (store, _clock, reopen) => {
    const bucket = store.bucket("a");
    void bucket.put("before", "1");
    for (let i = 0; i < 20; i++) {
      const put = bucket.put(`k.${i}`, "1");
      store.trail.append(entry(`${i}`));
      await put;
      const [newest] = await store.trail.list({ ...ALL, limit: 1 });
      assert.equal(newest.subject, `${i}`);
    }
    store.trail.append(entry("at the end"));
    assert.deepEqual(await subjects(await reopen(), { limit: 1 }), ["at the end"]);
  });

  promise("ten thousand records of one turn are all there, in order", async (store, clock) => {
    for (let i = 0; i < 10_000; i++) store.trail.append(entry(`${i}`));
    assert.deepEqual(await subjects(store, { limit: 2 }), ["9999", "9998"]);
    assert.equal((await new AuditDesk(store.trail, null, clock).verify([])).records, 10_000);
  });

  promise("what retention drops leaves a trail that is whole", async (store, clock, reopen) => {
    for (let i = 0; i < 10; i++) store.trail.append(entry(`${i}`, { at: `2026-01-0${i}T00:00:00.000Z` }));
    await store.trail.prune("2026-01-04T00:00:00.000Z", 1000);
    assert.deepEqual((await subjects(store)).slice(1), ["9", "8", "7", "6", "5", "4"]);
    await store.trail.prune("2026-01-04T00:00:00.000Z", 1000);
    assert.equal((await store.trail.list(ALL)).length, 7);
    await isWhole(store, clock);
    const again = await reopen();
    await again.trail.prune("2000-01-01T00:00:00.000Z", 3);
    assert.deepEqual((await again.trail.list(ALL)).map(({ seq }) => seq), [12, 11, 10, 9]);
    await isWhole(again, clock);
    await again.trail.prune("2030-01-01T00:00:00.000Z", 1000);
    again.trail.append(entry("after"));
    await isWhole(again, clock);
    assert.deepEqual((await again.trail.list(ALL)).map(({ seq }) => seq), [14, 13, 12]);
  });

  promise(
    "closing waits for what was asked for, and what comes after is refused",
    async (store, _c, reopen) => {
      const bucket = store.bucket("a");
      const puts = Array.from({ length: 100 }, (_, i) => bucket.put(`k.${i}`, "1"));
      await store.close();
      await Promise.all(puts);
      await assert.rejects(bucket.put("late", "1"), Failure);
      assert.equal((await (await reopen()).bucket("a").list("k")).length, 100);
    },
  );
}

Deno.test("sqlite: a file that can't be used is refused in words", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/text.db`, "no database ".repeat(1000));
    await assert.rejects(openSqlite(`${folder}/text.db`), /damaged or no database/);
    await assert.rejects(openSqlite(`${folder}/none/x.db`), /its folder does not exist/);
    await assert.rejects(openSqlite(folder), Failure);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("sqlite: the file is for its owner only", async () => {
  const folder = await Deno.makeTempDir();
  const store = await openSqlite(`${folder}/x.db`);
  try {
    await store.bucket("a").put("k", "1");
    for (const name of ["x.db", "x.db-wal"]) {
      assert.equal((await Deno.stat(`${folder}/${name}`)).mode! & 0o777, 0o600, name);
    }
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("sqlite: a disk that is full refuses the write in words, and what was stored stays readable", async () => {
  const folder = await Deno.makeTempDir();
  const mounted = await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "size=256k", "tmpfs", folder],
    stderr: "null",
  }).output().then(({ success }) => success, () => false);
  if (!mounted) {
    await Deno.remove(folder);
    return console.log("left out: this user may not mount a small file system");
  }
  const store = await openSqlite(`${folder}/x.db`);
  const bucket = store.bucket("a");
  try {
    await bucket.put("k", "kept");
    await assert.rejects(bucket.put("big", "x".repeat(400_000)), /the disk is full/);
    assert.equal((await bucket.get("k"))!.value, "kept");
    await bucket.put("k", "still works");
  } finally {
    await store.close();
    await new Deno.Command("umount", { args: [folder] }).output();
    await Deno.remove(folder);
  }
});

Deno.test("sqlite: a store of the process that is killed in the middle of writing keeps what it acknowledged", async () => {
  const folder = await Deno.makeTempDir();
  const script = `import { openSqlite } from ${
    JSON.stringify(new URL("../../src/store/sqlite.ts", import.meta.url).href)
  };
    const bucket = (await openSqlite(${JSON.stringify(`${folder}/x.db`)})).bucket("a");
    for (let i = 0;; i++) { await bucket.put("k." + i, "1"); console.log(i); }`;
  await Deno.writeTextFile(`${folder}/writer.ts`, script);
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-config", "-A", `${folder}/writer.ts`],
      stdout: "piped",
    }).spawn();
    let said = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (said.split("\n").length > 50) break;
    }
    child.kill("SIGKILL");
    await child.status;
    const acknowledged = said.trimEnd().split("\n").length;
    const store = await openSqlite(`${folder}/x.db`);
    assert.ok((await store.bucket("a").list("k")).length >= acknowledged);
    await store.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
