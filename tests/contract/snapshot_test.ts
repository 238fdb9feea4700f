/** A copy of a store that is in use, what is found in it, and stores of other layouts. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Failure } from "../../src/core/errors.ts";
import { AuditDesk } from "../../src/store/audit_desk.ts";
import { auditEntry } from "../../src/store/audit.ts";
import { checkSqlite, openSqlite } from "../../src/store/sqlite.ts";
import { systemClock } from "../../src/clock.ts";
import { Folder } from "../config/read.ts";

const happened = (subject: string) => auditEntry({ type: "test.done", actor: "test", subject }, Date.now());

Deno.test("a snapshot holds everything that was acknowledged before it, and the store goes on meanwhile", async () => {
  using folder = new Folder();
  const store = await openSqlite(folder.file("a.db"));
  const bucket = store.bucket("names");
  const acknowledged = new Set<string>();
  let wanted = true;
  const load = (async () => {
    for (let i = 0; wanted || i < 2_000; i += 20) {
      const keys = Array.from({ length: 20 }, (_, k) => `k${i + k}`);
      await Promise.all(keys.map((key) => bucket.put(key, `"${key}"`, { audit: happened(key) })));
      for (const key of keys) acknowledged.add(key);
    }
  })();
  while (acknowledged.size < 400) await new Promise((turn) => setTimeout(turn));
  const due = [...acknowledged];
  await store.snapshot(folder.file("b.db"));
  wanted = false;
  await load;
  const after = acknowledged.size;
  await store.close();

  assert.equal(Deno.statSync(folder.file("b.db")).mode! & 0o777, 0o600);
  const contents = await checkSqlite(folder.file("b.db"));
  assert.equal(contents.broken, null);
  assert.equal(contents.records, contents.entries.names);
  assert.ok(contents.entries.names >= due.length && contents.entries.names <= after);
  const copy = await openSqlite(folder.file("b.db"));
  const kept = new Set((await copy.bucket("names").list()).map(({ key }) => key));
  assert.deepEqual(due.filter((key) => !kept.has(key)), []);
  // Revisions go on where they were: none is given twice.
  const { revision } = (await copy.bucket("names").list()).reduce((a, b) => a.revision > b.revision ? a : b);
  assert.ok(await copy.bucket("names").put("new", "1") > revision);
  copy.trail.append(happened("after"));
  const { ok, records } = await new AuditDesk(copy.trail, null, systemClock).verify([]);
  assert.deepEqual([ok, records], [true, contents.records + 1]);
  await copy.close();
});

Deno.test("a check changes nothing of a file, and leaves nothing beside it", async () => {
  using folder = new Folder();
  const store = await openSqlite(folder.file("a.db"));
  await store.bucket("tokens").put("x", "1", { audit: happened("x") });
  await store.snapshot(folder.file("b.db"));
  await store.close();
  const before = Deno.readFileSync(folder.file("b.db"));
  const { entries, records, newest, broken } = await checkSqlite(folder.file("b.db"));
  assert.deepEqual([entries, records, broken], [{ tokens: 1 }, 1, null]);
  assert.ok(Math.abs(Date.parse(newest!) - Date.now()) < 60_000);
  assert.deepEqual(Deno.readFileSync(folder.file("b.db")), before);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), ["a.db", "b.db"]);
});

Deno.test("what is wrong with a file is said in a sentence, with what to do", async () => {
  using folder = new Folder();
  const store = await openSqlite(folder.file("a.db"));
  const bucket = store.bucket("names");
  await Promise.all(
    Array.from(
      { length: 500 },
      (_, i) => bucket.put(`k${i}`, `"${"x".repeat(200)}"`, { audit: happened("k") }),
    ),
  );
  await store.close();
  const copyOf = (name: string, change: (db: DatabaseSync) => void) => {
    Deno.copyFileSync(folder.file("a.db"), folder.file(name));
    const db = new DatabaseSync(folder.file(name));
    db.exec("PRAGMA journal_mode = DELETE");
    change(db);
    db.close();
    return folder.file(name);
  };
  const whole = copyOf("whole.db", () => {});
  const bytes = Deno.readFileSync(whole);
  const torn = bytes.slice(0, bytes.length - 40 * 4096);
  const scrambled = bytes.slice();
  scrambled.fill(0x5a, 20 * 4096, 24 * 4096);
  for (
    const [path, said] of [
      [folder.file("text.db", "no database\n".repeat(400)), /damaged or no database/],
      [folder.file("torn.db", torn), /damaged or no database/],
      [folder.file("scrambled.db", scrambled), /damaged or no database/],
      [copyOf("newer.db", (db) => db.exec("PRAGMA user_version = 99")), /made by a newer connectd/],
      [copyOf("other.db", (db) => db.exec("DROP TABLE entries")), /no store of a hub/],
      [folder.file("nosuch.db"), /can not be used/],
    ] as const
  ) {
    await assert.rejects(checkSqlite(path), (error: Failure) => {
      assert.ok(error instanceof Failure);
      assert.match(error.message, said, path);
      return true;
    });
  }
  // Whole, but not as it was written: told, and no reason to throw the rest away.
  const edited = copyOf("edited.db", (db) => db.exec("UPDATE audit SET actor = 'nobody' WHERE seq = 7"));
  assert.deepEqual((await checkSqlite(edited)).broken?.seq, 7);
  assert.equal((await checkSqlite(whole)).broken, null);
});

Deno.test("a store of an older layout opens with what it holds; one of a newer layout is left as it is", async () => {
  using folder = new Folder();
  // As the first version made it: no trail yet.
  const path = folder.file("old.db");
  const sql = Deno.readTextFileSync(new URL("layout1.sql", import.meta.url));
  const old = new DatabaseSync(path);
  old.exec(sql);
  old.close();
  const { entries, records } = await checkSqlite(path);
  assert.deepEqual([entries, records], [{ hub: 1, names: 1, tokens: 1 }, 0]);
  const store = await openSqlite(path);
  assert.equal((await store.bucket("hub").get("id"))?.value, `"k2jq7mzcn3ra4"`);
  await store.bucket("tokens").put("new", "1", { audit: happened("new") });
  assert.equal(
    (await store.trail.list({ limit: 9, before: null, type: null, link: null, workspace: null })).length,
    1,
  );
  await store.close();

  const db = new DatabaseSync(path);
  db.exec("PRAGMA user_version = 2");
  db.close();
  const before = Deno.readFileSync(path);
  await assert.rejects(openSqlite(path), /made by a newer connectd/);
  assert.deepEqual(Deno.readFileSync(path), before);
});
