/** What was acknowledged is on disk, what the disk refused was not done, and a clock that jumps undoes neither. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { eventually } from "../hub/rig.ts";
import { DaemonRig } from "./daemon_rig.ts";
import { FakeHub } from "./fake_hub.ts";

const HOUR = 3_600_000, DAY = 24 * HOUR;

function open(rig: DaemonRig): DatabaseSync {
  const database = new DatabaseSync(`${rig.state}/state.db`);
  // The daemon may be writing.
  database.exec("PRAGMA busy_timeout = 5000");
  return database;
}

function execute(rig: DaemonRig, sql: string): void {
  const database = open(rig);
  database.exec(sql);
  database.close();
}

/** What the disk holds of the record at `key`; undefined: nothing. */
function stored(rig: DaemonRig, key: RegExp): Record<string, unknown> | undefined {
  const database = open(rig);
  const rows = database.prepare("SELECT key, value FROM entries WHERE bucket = 'links'").all();
  database.close();
  const found = rows.find((row) => key.test(String(row.key)));
  return found && JSON.parse(String(found.value));
}

/** While it stands, sqlite refuses entries that `when` means, as a full disk does. */
function full(rig: DaemonRig, when = "true"): Disposable {
  for (const what of ["INSERT", "DELETE"]) {
    const row = what === "INSERT" ? "NEW" : "OLD";
    execute(
      rig,
      `CREATE TRIGGER full_${what} BEFORE ${what} ON entries WHEN ${when.replaceAll("ROW", row)}
       BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`,
    );
  }
  return { [Symbol.dispose]: () => execute(rig, "DROP TRIGGER full_INSERT; DROP TRIGGER full_DELETE") };
}

/** How a link that was renewed while the clock ran a day ahead is revoked after it was set right. */
const REVOCATIONS: Record<string, (rig: DaemonRig) => void | Promise<void>> = {
  "the API": async (rig) => assert.equal((await rig.api("DELETE", "/v1/links/demo")).status, 200),
  "a hub at once": (rig) => rig.hub.revoke("demo", rig.clock.now()),
  "a hub in its welcome": async (rig) => {
    rig.hub.pending.push({ name: "demo", id: rig.hub.id("demo"), at: rig.clock.now() });
    rig.hub.drop();
    await rig.pass(2_000);
  },
};

for (const [by, revoke] of Object.entries(REVOCATIONS)) {
  Deno.test(`a revocation by ${by} holds after the clock was set back past a renewal`, async () => {
    await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
    await rig.leap(DAY);
    await rig.api("POST", "/v1/links/demo/renew");
    await rig.leap(-DAY);
    await revoke(rig);
    await rig.hub.until(() => rig.hub.declared("demo")!.state === "revoked");
    assert.equal(await rig.hub.visit(rig.hub.id("demo")), "link_revoked");
    await rig.restart();
    assert.equal(rig.link("demo").state, "revoked");
  });
}

const RENEWALS: readonly {
  name: string;
  end: (rig: DaemonRig) => Promise<unknown>;
  state: string;
  wish: object;
}[] = [
  { name: "revoked", end: (rig) => rig.daemon.revoke("demo"), state: "revoked", wish: {} },
  { name: "expired", end: (rig) => rig.leap(HOUR), state: "expired", wish: { ttl: "2h" } },
  { name: "active", end: () => Promise.resolve(), state: "active", wish: { ttl: "never" } },
  { name: "revoked", end: (rig) => rig.daemon.revoke("demo"), state: "revoked", wish: { newId: true } },
];

for (const { name, end, state, wish } of RENEWALS) {
  Deno.test(`a renewal of ${JSON.stringify(wish)} that can not be stored leaves a link ${name} as it was`, async () => {
    await using rig = await DaemonRig.start("links: { demo: { target: echo, ttl: 1h } }");
    await end(rig);
    const { id, expiresAt, revokedAt } = rig.link("demo");
    const answer = await rig.hub.visit(id!), declared = rig.hub.declarations("demo").length;
    {
      using _full = full(rig);
      const refused = await rig.api("POST", "/v1/links/demo/renew", wish);
      assert.deepEqual([refused.status, refused.json.code], [503, "unavailable"]);
      assert.match(refused.json.detail, /disk is full/);
      const now = rig.link("demo");
      assert.deepEqual([now.state, now.id, now.expiresAt, now.revokedAt], [state, id, expiresAt, revokedAt]);
      assert.equal(await rig.hub.visit(id!), answer);
      // No hub was asked for another id, or told that a link that has ended serves.
      for (const { newId, state } of rig.hub.declarations("demo").slice(declared)) {
        assert.deepEqual([newId, state], [false, name]);
      }
    }
    await rig.pass(12_000);
    await rig.restart();
    assert.deepEqual([rig.link("demo").state, rig.link("demo").id], [state, id]);
    assert.equal((await rig.api("POST", "/v1/links/demo/renew", wish)).status, 200);
    assert.equal(rig.link("demo").state, "active");
  });
}

for (
  const [what, method, path, body, key] of [
    ["a link that is made", "POST", "/v1/links", { name: "try", target: "echo" }, /^oneoff\.try$/],
    ["a new id", "POST", "/v1/links/demo/renew", { newId: true }, /\.demo$/],
  ] as const
) {
  Deno.test(`${what} is answered when its address is on disk, and has it after a kill`, async () => {
    await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
    rig.hub.hold();
    let answered = false;
    const asked = rig.api(method, path, body).finally(() => answered = true);
    const name = path === "/v1/links" ? "try" : "demo";
    await rig.hub.until(() => rig.hub.declared(name)?.newId === true);
    // Nothing more gets to the disk, and the hub says the id.
    const other = open(rig);
    other.exec("BEGIN IMMEDIATE");
    rig.hub.release();
    await eventually(() => Promise.resolve(rig.link(name).state), (state) => state === "active");
    for (let turn = 0; turn < 20; turn++) await rig.api("GET", `/v1/links/${name}`);
    assert.equal(answered, false);
    other.exec("COMMIT");
    other.close();
    const { json } = await asked;
    const record = stored(rig, key)!;
    assert.deepEqual(Object.values(record.ids as object), [json.id]);
    assert.equal(record.activatedAt, Date.parse(json.activatedAt));
  });
}

Deno.test("of a link that could not be made nothing is left, and its name begins anew", async () => {
  await using rig = await DaemonRig.start("links: {}");
  {
    using _full = full(rig, "ROW.bucket = 'oneoffs'");
    assert.equal((await rig.api("POST", "/v1/links", { name: "try", target: "echo" })).status, 503);
    assert.equal(stored(rig, /^oneoff\.try$/), undefined);
  }
  await rig.restart();
  await rig.leap(DAY);
  const { json } = await rig.api("POST", "/v1/links", { name: "try", target: "echo", ttl: "1h" });
  assert.equal(json.state, "active");
});

Deno.test("a disk that refuses fifty links is a line, and another one in ten seconds", async () => {
  await using rig = await DaemonRig.start("links: {}");
  const lines = () => rig.lines.filter((line) => line.includes("could not be stored"));
  {
    using _full = full(rig);
    const names = Array.from({ length: 50 }, (_, i) => `l${i}: { target: echo, rate: 1000/d }`);
    assert.equal((await rig.reload(`links: { ${names.join(", ")} }`)).status, 200);
    await eventually(() => Promise.resolve(lines().length), (n) => n > 0);
    for (let i = 0; i < 50; i++) assert.equal(await rig.hub.visit(rig.hub.id(`l${i}`)), "200");
    await rig.pass(9_000);
    assert.equal(lines().length, 1, lines().join("\n"));
    await rig.pass(2_000);
    await eventually(() => Promise.resolve(lines().length), (n) => n > 1);
    assert.equal(lines().length, 2);
    assert.match(lines()[1], /disk is full.* times=\d+/);
  }
  // Once there is room again all of it is stored, without a restart.
  await rig.pass(12_000);
  await eventually(
    () => Promise.resolve(stored(rig, /\.l49$/)),
    (record) => Object.values(record?.ids as object ?? {}).length === 1,
  );
});

Deno.test("what rates counted while the disk was full is stored when there is room, without another request", async () => {
  const yaml = "links: { demo: { target: echo, rate: 3/d } }";
  await using rig = await DaemonRig.start(yaml);
  for (let i = 0; i < 3; i++) assert.equal(await rig.hub.visit(rig.hub.id("demo")), "200");
  {
    using _full = full(rig);
    await rig.pass(11_000);
    await eventually(() => Promise.resolve(rig.lines.some((line) => /not be stored/.test(line))), Boolean);
  }
  await rig.pass(11_000);
  const saved = () => {
    const database = open(rig);
    const rows = database.prepare("SELECT value FROM entries WHERE bucket = 'rates'").all();
    database.close();
    return Promise.resolve(rows.length);
  };
  await eventually(saved, (n) => n === 1);
});

Deno.test("a daemon that says it is ready has on disk when its links were activated, and their addresses", async () => {
  await using rig = await DaemonRig.start("links: {}");
  await rig.daemon.close();
  rig.write("links: { demo: { target: echo, ttl: 1h } }");
  rig.hub = new FakeHub(rig.hub);
  rig.hub.hold();
  let ready = false;
  const begun = rig.begin().finally(() => ready = true);
  await rig.hub.until(() => rig.hub.declared("demo") !== undefined);
  const other = open(rig);
  other.exec("BEGIN IMMEDIATE");
  rig.hub.release();
  // It was activated, and the hub has heard when it will end.
  await rig.hub.until(() => rig.hub.declared("demo")!.expiresAt !== null);
  for (let turn = 0; turn < 20; turn++) await new Promise((next) => setTimeout(next));
  assert.equal(ready, false);
  other.exec("COMMIT");
  other.close();
  await begun;
  const { id, activatedAt } = rig.link("demo"), record = stored(rig, /\.demo$/)!;
  assert.deepEqual([Object.values(record.ids as object), record.activatedAt], [
    [id],
    Date.parse(activatedAt!),
  ]);
});

Deno.test("a hub hears that its revocation has arrived, also of a link that was renewed before that was on disk", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const seen = rig.hub.declarations("demo").length;
  const other = open(rig);
  other.exec("BEGIN IMMEDIATE");
  rig.hub.revoke("demo", rig.clock.now());
  await eventually(() => Promise.resolve(rig.link("demo").state), (state) => state === "revoked");
  const renewed = rig.api("POST", "/v1/links/demo/renew");
  await eventually(() => Promise.resolve(rig.link("demo").state), (state) => state === "active");
  assert.equal(rig.hub.declarations("demo").length, seen);
  other.exec("COMMIT");
  other.close();
  assert.equal((await renewed).status, 200);
  await rig.hub.until(() =>
    rig.hub.declarations("demo").slice(seen).some(({ state }) => state === "revoked")
  );
  // Else it would answer 410 until the session ends.
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "active");
});

Deno.test("a hub hears that its revocation has arrived, also where another link has the subdomain by then", async () => {
  await using rig = await DaemonRig.start("links: {}");
  const make = () => rig.daemon.create({ name: "demo", target: "echo", subdomain: "shop" });
  await make();
  const seen = rig.hub.declarations("demo").length;
  const other = open(rig);
  other.exec("BEGIN IMMEDIATE");
  rig.hub.revoke("demo", rig.clock.now());
  await eventually(() => Promise.resolve(rig.link("demo").state), (state) => state === "revoked");
  const made = make();
  await rig.hub.until(() => rig.hub.declarations("demo").length > seen);
  other.exec("COMMIT");
  other.close();
  await made;
  await rig.hub.until(() =>
    rig.hub.declarations("demo").slice(seen).some(({ state }) => state === "revoked")
  );
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "active");
});

Deno.test("a service that is closed and exposed again is there after a restart, also where its row could not be deleted", async () => {
  await using rig = await DaemonRig.start("links: {}");
  const db = { name: "db", target: "tcp://127.0.0.1:5432" };
  const status = async (method: string, path = "", body?: object) =>
    (await rig.api(method, `/v1/services${path}`, body)).status;
  assert.equal(await status("POST", "", db), 201);
  execute(
    rig,
    `CREATE TRIGGER full_DELETE BEFORE DELETE ON entries WHEN OLD.bucket = 'services'
     BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`,
  );
  // That it is no more is stored by then.
  assert.equal(await status("DELETE", "/db"), 200);
  assert.equal(await status("GET", "/db"), 404);
  await rig.restart();
  assert.equal(await status("GET", "/db"), 404);
  assert.equal(await status("POST", "", db), 201);
  await rig.restart();
  assert.equal(await status("GET", "/db"), 200);
  execute(rig, "DROP TRIGGER full_DELETE");
});

Deno.test("a hub hears that its revocation has arrived, also of a link that had a fresh id wished for before that was on disk", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const seen = rig.hub.declarations("demo").length, id = rig.hub.id("demo");
  const other = open(rig);
  other.exec("BEGIN IMMEDIATE");
  rig.hub.revoke("demo", rig.clock.now());
  await eventually(() => Promise.resolve(rig.link("demo").state), (state) => state === "revoked");
  const renewed = rig.api("POST", "/v1/links/demo/renew", { newId: true });
  await eventually(() => Promise.resolve(rig.link("demo").id), (id) => id === null);
  assert.equal(rig.hub.declarations("demo").length, seen);
  other.exec("COMMIT");
  other.close();
  const { json } = await renewed;
  assert.deepEqual([json.state, json.id === id], ["active", false]);
  const told = rig.hub.said.findIndex((said) => said.type === "links" && said.remove.length > 0);
  assert.deepEqual(rig.hub.removals(), [{ name: "demo", id, reason: "revoked" }]);
  const wished = rig.hub.said.findIndex((said) =>
    said.type === "links" && said.set.some((link) => link.newId)
  );
  assert.ok(told < wished, "or it would take the new one for revoked");
});
