/** A trail on a real file that somebody else writes to, and on a disk that is full. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemClock, TestClock } from "../../src/clock.ts";
import type { AuditEntry, AuditQuery } from "../../src/core/audit.ts";
import { AuditDesk } from "../../src/store/audit_desk.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import type { Store } from "../../src/store/store.ts";

const ALL: AuditQuery = { limit: 1000, before: null, type: null, link: null, workspace: null };

function entry(subject: string): AuditEntry {
  const at = new Date(Date.UTC(2026, 0, 1)).toISOString();
  return { at, type: "link.opened", workspace: "", actor: "file", subject, data: `{"n":"${subject}"}` };
}

/** A file with ten records in a folder that goes away. */
async function ten(use: (folder: string, reopen: () => Promise<Store>) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const open = () => openSqlite(`${folder}/state.db`);
  let store = await open();
  try {
    for (let i = 1; i <= 10; i++) store.trail.append(entry(`link-${i}`));
    await store.close();
    await use(folder, async () => store = await open());
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

function sql(folder: string, text: string): void {
  const db = new DatabaseSync(`${folder}/state.db`);
  try {
    db.exec(text);
  } finally {
    db.close();
  }
}

const COPY =
  "INSERT INTO audit SELECT %, at, type, workspace, actor, subject, data, prev, hash FROM audit WHERE";

/** What somebody does with a tool for sqlite, and the record that shows it; null: it shows only by a head. */
const TAMPERING: [statement: string, seq: number, kind: string][] = [
  ["UPDATE audit SET actor = 'socket' WHERE seq = 4", 4, "edited"],
  ["UPDATE audit SET at = '2020-01-01T00:00:00.000Z' WHERE seq = 10", 10, "edited"],
  ["UPDATE audit SET data = x'7b7d' WHERE seq = 4", 4, "edited"],
  ["UPDATE audit SET type = 'link.closed'", 1, "edited"],
  ["UPDATE audit SET hash = prev WHERE seq = 4", 4, "edited"],
  ["UPDATE audit SET subject = subject || char(0) || 'x' WHERE seq = 4", 4, "edited"],
  ["DELETE FROM audit WHERE seq = 4", 4, "missing"],
  ["DELETE FROM audit WHERE seq BETWEEN 4 AND 6", 4, "missing"],
  ["DELETE FROM audit WHERE seq = 1", 1, "missing"],
  ["DELETE FROM audit WHERE seq = 10", 10, "missing"],
  ["DELETE FROM audit WHERE seq > 6", 7, "missing"],
  ["DELETE FROM audit", 1, "missing"],
  ["DELETE FROM audit WHERE seq = 4; UPDATE audit SET seq = seq - 1 WHERE seq > 4", 4, "edited"],
  [
    "UPDATE audit SET seq = -4 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = -4",
    4,
    "edited",
  ],
  [`${COPY.replace("%", "11")} seq = 10`, 11, "edited"],
  [`${COPY.replace("%", "0")} seq = 1`, 0, "unlinked"],
  [`${COPY.replace("%", "-9223372036854775808")} seq = 1`, -(2 ** 63), "unlinked"],
  [`${COPY.replace("%", "9223372036854775807")} seq = 10`, 11, "missing"],
  ["UPDATE audit SET seq = seq + 100", 1, "missing"],
];

Deno.test("whatever somebody does to the table is found, and at the right record", async () => {
  await ten(async (folder, reopen) => {
    await Deno.copyFile(`${folder}/state.db`, `${folder}/kept`);
    for (const [statement, seq, kind] of TAMPERING) {
      sql(folder, statement);
      const store = await reopen();
      const verdict = await new AuditDesk(store.trail, folder, systemClock).verify([]);
      await store.close();
      assert.deepEqual(
        [verdict.broken?.seq, verdict.broken?.kind, verdict.ok],
        [seq, kind, false],
        statement,
      );
      await Deno.copyFile(`${folder}/kept`, `${folder}/state.db`);
    }
    assert.equal((await new AuditDesk((await reopen()).trail, folder, systemClock).verify([])).ok, true);
  });
});

Deno.test("what a head noted elsewhere holds can't be cut off or made anew, and a head can't be made up", async () => {
  await ten(async (folder, reopen) => {
    let store = await reopen();
    const head = await new AuditDesk(store.trail, folder, systemClock).head();
    assert.equal(head.seq, 10);
    assert.equal((await Deno.stat(`${folder}/audit.key`)).mode! & 0o777, 0o600);
    const verify = async (...heads: typeof head[]) => {
      const { broken } = await new AuditDesk(store.trail, folder, systemClock).verify(heads);
      return broken === null ? "whole" : `${broken.seq} ${broken.kind}: ${broken.detail}`;
    };
    store.trail.append(entry("link-11"));
    assert.equal(await verify(head), "whole");
    assert.match(await verify({ ...head, seq: 9 }), /^9 head: .* edited where it was noted/);
    assert.match(await verify({ ...head, key: "nonsense" }), /^10 head/);
    const elsewhere = await Deno.makeTempDir();
    const others = await new AuditDesk(store.trail, elsewhere, systemClock).head();
    await Deno.remove(elsewhere, { recursive: true });
    assert.match(await verify(head, others), /^11 head: .* another key/);
    await store.close();
    // All that is known of the end goes with it.
    sql(folder, "DELETE FROM audit WHERE seq > 6; UPDATE sqlite_sequence SET seq = 6 WHERE name = 'audit'");
    store = await reopen();
    assert.equal(await verify(), "whole");
    assert.match(await verify(head), /^7 head: .*what came after is missing/);
    for (let i = 0; i < 9; i++) store.trail.append(entry(`made-up-${i}`));
    assert.equal(await verify(), "whole");
    assert.match(await verify(head), /^10 head: .*made anew/);
  });
});

Deno.test("a cut at the end shows after the trail went on, too", async () => {
  await ten(async (folder, reopen) => {
    sql(folder, "DELETE FROM audit WHERE seq > 6");
    const store = await reopen();
    store.trail.append(entry("link-11"));
    const { broken } = await new AuditDesk(store.trail, folder, systemClock).verify([]);
    assert.deepEqual([broken?.seq, broken?.kind], [7, "missing"]);
  });
});

Deno.test("a row that is put in while the store is open stops nothing, and shows", async () => {
  await ten(async (folder, reopen) => {
    const store = await reopen();
    await store.trail.ends();
    sql(folder, `${COPY.replace("%", "11")} seq = 10`);
    await store.bucket("a").put("k", "1", { audit: entry("link-12") });
    const rows = await store.trail.list(ALL);
    assert.deepEqual(rows.slice(0, 2).map(({ seq, subject }) => [seq, subject]), [[12, "link-12"], [
      11,
      "link-10",
    ]]);
    const { broken } = await new AuditDesk(store.trail, folder, systemClock).verify([]);
    assert.deepEqual([broken?.seq, broken?.kind], [11, "edited"]);
  });
});

Deno.test("a table that is no trail any more stops nothing but the trail, and what happens is kept until it is one", async () => {
  await ten(async (folder, reopen) => {
    sql(folder, "ALTER TABLE audit RENAME COLUMN data TO other");
    const store = await reopen();
    const troubles: string[] = [];
    store.trail.onTrouble = ({ message }) => troubles.push(message);
    store.trail.append(entry("first"));
    await store.bucket("a").put("k", "1", { audit: entry("second") });
    store.trail.append(entry("third"));
    assert.equal((await store.bucket("a").get("k"))?.value, "1");
    await assert.rejects(store.trail.list(ALL), /the audit trail can not be used: .*no column named data/);
    assert.deepEqual(troubles.length, 1, "said once");
    sql(folder, "ALTER TABLE audit RENAME COLUMN other TO data");
    await store.bucket("a").put("k", "2");
    const { broken, records } = await new AuditDesk(store.trail, folder, systemClock).verify([]);
    assert.deepEqual([broken, records], [null, 13]);
    assert.deepEqual((await store.trail.list({ ...ALL, limit: 3 })).map(({ subject }) => subject), [
      "third",
      "second",
      "first",
    ]);
  });
});

Deno.test("what a full disk did not take is stored in order when there is room again, and a put that failed left nothing", async () => {
  const folder = await Deno.makeTempDir();
  const mounted = await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "size=256k", "tmpfs", folder],
    stderr: "null",
  }).output().then(({ success }) => success, () => false);
  if (!mounted) {
    await Deno.remove(folder);
    return console.log("left out: this user may not mount a small file system");
  }
  const clock = new TestClock();
  const store = await openSqlite(`${folder}/x.db`, clock);
  const trouble = Promise.withResolvers<string>();
  store.trail.onTrouble = ({ message }) => trouble.resolve(message);
  try {
    store.trail.append(entry("before"));
    await store.bucket("a").put("k", "1");
    await Deno.writeFile(`${folder}/big`, new Uint8Array(256 * 1024)).catch(() => {});
    const large = { ...entry("large"), data: JSON.stringify({ text: "x".repeat(100_000) }) };
    store.trail.append(large);
    assert.match(await trouble.promise, /the disk is full/);
    store.trail.append(entry("waits"));
    await assert.rejects(store.bucket("a").put("k", "2", { audit: entry("never") }), /the disk is full/);
    await Deno.remove(`${folder}/big`);
    clock.advance(10_000);
    for (;;) {
      const rows = await store.trail.list(ALL);
      if (rows.length < 3) continue;
      assert.deepEqual(rows.map(({ subject }) => subject), ["waits", "large", "before"]);
      break;
    }
    assert.equal((await new AuditDesk(store.trail, null, clock).verify([])).ok, true);
  } finally {
    await store.close();
    await new Deno.Command("umount", { args: [folder] }).output();
    await Deno.remove(folder);
  }
});
