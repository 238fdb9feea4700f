/** Links that end after so many requests. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { refusal } from "../../src/core/errors.ts";
import type { ServedLink } from "../../src/daemon/served.ts";
import type { User, Uses } from "../../src/daemon/uses.ts";
import { DaemonRig } from "./daemon_rig.ts";
import { answering, type Asked, entryTo, requestText, Rig, TestTarget } from "./serve_rig.ts";

/** A target that counts, and a file with one link to it. */
class Counted implements Disposable {
  readonly heads: string[] = [];
  readonly target: TestTarget;
  /** Called as a request arrives, before it is answered. */
  onRequest: () => void | Promise<void> = () => {};

  constructor() {
    this.target = new TestTarget(async (connection) => {
      for (let head; (head = await connection.readHead()) !== null;) {
        this.heads.push(head);
        await this.onRequest();
        await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`);
      }
    });
  }

  /** links.yaml below the version: the link `demo` with these keys. */
  file(keys: string): string {
    const { port } = this.target.target as { port: number };
    return `links: { demo: { target: "127.0.0.1:${port}", ${keys} } }`;
  }

  [Symbol.dispose](): void {
    this.target.close();
  }
}

/** What became of so many requests that were sent at once: how often each status or code. */
async function crowd(rig: DaemonRig, n: number): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  for (
    const outcome of await Promise.all(Array.from({ length: n }, () => rig.hub.visit(rig.hub.id("demo"))))
  ) {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return outcomes;
}

/** The uses that the disk knows of. */
function onDisk(rig: DaemonRig): number {
  const database = new DatabaseSync(`${rig.state}/state.db`, { readOnly: true });
  try {
    const rows = database.prepare("SELECT value FROM entries WHERE bucket = 'links'").all();
    return JSON.parse((rows[0] as { value: string }).value).used;
  } finally {
    database.close();
  }
}

Deno.test("of 200 requests at once as many reach the target as the link has uses, and then it has expired", async () => {
  using counted = new Counted();
  await using rig = await DaemonRig.start(counted.file("max_uses: 7"));
  assert.deepEqual(rig.link("demo").uses, { max: 7, left: 7 });
  const ended = rig.daemon.ended("demo");
  assert.deepEqual(await crowd(rig, 200), { 200: 7, link_expired: 193 });
  assert.equal(counted.heads.length, 7);
  const { state, uses, counters } = rig.link("demo");
  assert.deepEqual([state, uses, counters.allowed], ["expired", { max: 7, left: 0 }, 7]);
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "expired");
  await rig.pass(1000);
  await ended;
});

Deno.test("a use is on disk before its request is at the target", async () => {
  using counted = new Counted();
  await using rig = await DaemonRig.start(counted.file("max_uses: 100"));
  const early: string[] = [];
  counted.onRequest = () => {
    const stored = onDisk(rig);
    if (stored < counted.heads.length) early.push(`${counted.heads.length} came, ${stored} were stored`);
  };
  for (const n of [1, 20, 3]) await crowd(rig, n);
  assert.deepEqual([counted.heads.length, early], [24, []]);
});

Deno.test("a restart gives no use back, and a link whose uses are taken stays expired", async () => {
  using counted = new Counted();
  await using rig = await DaemonRig.start(counted.file("max_uses: 5"));
  await crowd(rig, 3);
  await rig.restart();
  assert.deepEqual(rig.link("demo").uses, { max: 5, left: 2 });
  assert.deepEqual(await crowd(rig, 5), { 200: 2, link_expired: 3 });
  await rig.restart();
  assert.equal(rig.link("demo").state, "expired");
  assert.equal(rig.hub.declared("demo")!.state, "expired");
  assert.deepEqual(await crowd(rig, 2), { link_expired: 2 });
  assert.equal(counted.heads.length, 5);
});

Deno.test("what the policy refuses is no use; HEAD is one, and so is a request that its target fails", async () => {
  using counted = new Counted();
  await using rig = await DaemonRig.start(
    counted.file("max_uses: 4, methods: [GET], paths: [/a], rate: 3/h"),
  );
  const id = rig.hub.id("demo"), left = () => rig.link("demo").uses!.left;
  assert.equal(await rig.hub.visit(id, "POST /a"), "method_denied");
  assert.equal(await rig.hub.visit(id, "GET /b"), "path_denied");
  assert.equal(left(), 4);
  assert.equal(await rig.hub.visit(id, "HEAD /a"), "200");
  assert.equal(left(), 3);
  counted.onRequest = () => Promise.reject(new Error("the target leaves"));
  assert.equal(await rig.hub.visit(id, "GET /a"), "target_closed");
  counted.target.close();
  assert.equal(await rig.hub.visit(id, "GET /a"), "target_refused");
  assert.equal(left(), 1);
  assert.equal(await rig.hub.visit(id, "GET /a"), "rate_limited");
  assert.equal(left(), 1);
});

Deno.test("a WebSocket is one use, whatever passes through it", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo, max_uses: 1 } }");
  const fields = [
    ...["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  const asked = rig.hub.ask(rig.hub.id("demo"), "GET /", { fields, last: false });
  await asked.until(() => asked.heads.length > 0);
  assert.equal(asked.status, 101);
  assert.equal(rig.link("demo").state, "expired");
  await rig.pass(60_000);
  const masked = Uint8Array.of(0x81, 0x82, 1, 2, 3, 4, "h".charCodeAt(0) ^ 1, "i".charCodeAt(0) ^ 2);
  await asked.send(masked);
  await asked.until(() => asked.octets >= 4);
  assert.equal(asked.text, "\x81\x02hi");
});

Deno.test("a renewal counts anew; an edited number goes on from what was taken, and a smaller one ends the link", async () => {
  using counted = new Counted();
  await using rig = await DaemonRig.start(counted.file("max_uses: 2"));
  assert.deepEqual(await crowd(rig, 3), { 200: 2, link_expired: 1 });
  const reload = async (keys: string) => (await rig.reload(counted.file(keys))).json.plan[0].changes;
  assert.deepEqual(await reload("max_uses: 5"), [{ key: "max_uses", from: "2", to: "5" }]);
  assert.deepEqual([rig.link("demo").state, rig.link("demo").uses], ["active", { max: 5, left: 3 }]);
  assert.deepEqual(await crowd(rig, 1), { 200: 1 });
  assert.deepEqual(await reload("max_uses: 3"), [{ key: "max_uses", from: "5", to: "3" }]);
  assert.deepEqual([rig.link("demo").state, rig.link("demo").uses], ["expired", { max: 3, left: 0 }]);
  assert.deepEqual(await reload("ttl: never"), [{ key: "max_uses", from: "3", to: null }]);
  assert.deepEqual([rig.link("demo").state, rig.link("demo").uses], ["active", null]);
  assert.deepEqual(await crowd(rig, 4), { 200: 4 });
  await reload("max_uses: 3");
  assert.equal(rig.link("demo").state, "expired");
  assert.equal((await rig.api("POST", "/v1/links/demo/renew")).json.uses.left, 3);
  assert.deepEqual(await crowd(rig, 4), { 200: 3, link_expired: 1 });
});

Deno.test("a link in shadow counts, and ends, as any other", async () => {
  using counted = new Counted();
  await using rig = await DaemonRig.start(counted.file("max_uses: 2, methods: [PUT], shadow: true"));
  assert.deepEqual(await crowd(rig, 5), { 200: 2, link_expired: 3 });
  assert.equal(rig.link("demo").counters.shadowed.method_denied, 2);
});

Deno.test("the last request finishes however long it takes, and only then is the link over", async () => {
  using counted = new Counted();
  const answer = Promise.withResolvers<void>(), arrived = Promise.withResolvers<void>();
  counted.onRequest = () => (arrived.resolve(), answer.promise);
  await using rig = await DaemonRig.start(counted.file("max_uses: 1, ttl: 1h"));
  let over = false;
  rig.daemon.ended("demo").then(() => over = true);
  const asked = rig.hub.ask(rig.hub.id("demo"));
  await arrived.promise;
  assert.equal(rig.link("demo").state, "expired");
  await rig.pass(50_000);
  assert.deepEqual([asked.status, over], [0, false]);
  answer.resolve();
  await asked.over;
  assert.equal(asked.status, 200);
  await rig.pass(1_000);
  assert.equal(over, true);
});

Deno.test("the last request is cut as all are when the link's time is over, or when it is revoked", async () => {
  for (const end of ["expired", "revoked"] as const) {
    using counted = new Counted();
    const arrived = Promise.withResolvers<void>();
    counted.onRequest = () => (arrived.resolve(), new Promise(() => {}));
    await using rig = await DaemonRig.start(counted.file("max_uses: 1, ttl: 30s, timeout: 10m"));
    const asked = rig.hub.ask(rig.hub.id("demo"));
    await arrived.promise;
    await rig.pass(20_000);
    assert.equal(asked.status, 0);
    if (end === "revoked") await rig.daemon.revoke("demo");
    else await rig.pass(11_000);
    await rig.pass(6_000);
    assert.equal(asked.refused, `link_${end}`);
    await rig.daemon.ended("demo");
  }
});

Deno.test("a use that can't be stored is none: its request is refused, and the next one has it", async () => {
  using counted = new Counted();
  await using rig = await DaemonRig.start(counted.file("max_uses: 3"));
  const sql = (text: string) => {
    const database = new DatabaseSync(`${rig.state}/state.db`);
    database.exec(`PRAGMA busy_timeout = 5000; ${text}`);
    database.close();
  };
  sql(
    "CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
  );
  const refused = await crowd(rig, 20);
  assert.equal(counted.heads.length, 0);
  // Those that found others on their way to the disk were told what would have been true.
  assert.equal((refused.link_unavailable ?? 0) + (refused.link_expired ?? 0), 20);
  assert.ok(refused.link_unavailable >= 3);
  assert.deepEqual([rig.link("demo").state, rig.link("demo").uses], ["active", { max: 3, left: 3 }]);
  const said = rig.lines.filter((line) => /use of the link could not be stored.*the disk is full/.test(line));
  assert.equal(said.length, 1, rig.lines.join("\n"));
  sql("DROP TRIGGER full");
  assert.deepEqual(await crowd(rig, 5), { 200: 3, link_expired: 2 });
  await rig.restart();
  assert.deepEqual([counted.heads.length, rig.link("demo").uses], [3, { max: 3, left: 0 }]);
});

Deno.test("a one-off takes maxUses, prints it, and keeps it over a restart", async () => {
  using counted = new Counted();
  await using rig = await DaemonRig.start("links: {}");
  const { port } = counted.target.target as { port: number };
  const body = { name: "demo", target: `127.0.0.1:${port}`, maxUses: 2 };
  const { json } = await rig.api("POST", "/v1/links", body);
  assert.deepEqual([json.uses, json.policy.maxUses], [{ max: 2, left: 2 }, 2]);
  assert.deepEqual(await crowd(rig, 1), { 200: 1 });
  await rig.restart();
  assert.deepEqual(rig.link("demo").uses, { max: 2, left: 1 });
});

/** A link whose next use is stored when the test says so. */
function waiting(rig: Rig, target: TestTarget) {
  const link = rig.link(entryTo(target.target));
  const users: User[] = [];
  link.uses = { left: 1, take: (user: User) => void users.push(user) } as unknown as Uses;
  return { link, users };
}

async function taken(users: readonly User[]): Promise<User> {
  while (users.length === 0) await new Promise((turn) => setTimeout(turn, 1));
  return users[0];
}

Deno.test("while a use is stored the body waits, and then all of it goes on", async () => {
  await using rig = new Rig();
  let body = "";
  const target = rig.target(async (connection) => {
    await connection.readHead();
    body = (await connection.read(8))!;
    await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  const { users } = waiting(rig, target);
  const asked = rig.ask(requestText("POST /", ["Content-Length: 8"]), {}, false);
  await asked.send("abcd");
  const user = await taken(users);
  assert.equal(target.connections, 0);
  await asked.send("efgh");
  asked.stream.end();
  user.counted(true);
  await asked.over;
  assert.deepEqual([asked.status, body], [200, "abcdefgh"]);
});

/** What happens while a use is stored, and what the visitor is told. */
const MEANWHILE: [what: string, refused: string | null, act: (link: ServedLink, asked: Asked) => void][] = [
  ["the visitor leaves", null, (_, asked) => asked.stream.reset("visitor_left")],
  ["the link is revoked", "link_revoked", (link) => void (link.ended = refusal("link_revoked"))],
  ["the link is cut", "link_unavailable", (link) => link.cut(0)],
  ["it can not be stored", "link_unavailable", () => {}],
];

for (const [what, refused, act] of MEANWHILE) {
  Deno.test(`while a use is stored ${what}: nothing goes to the target`, async () => {
    await using rig = new Rig();
    const target = rig.target(answering("hi"));
    const { link, users } = waiting(rig, target);
    const asked = rig.ask(requestText("GET /"));
    const user = await taken(users);
    act(link, asked);
    // What was sent to the daemon is there.
    await rig.get("GET /", [], { link: "none" });
    user.counted(what !== "it can not be stored");
    if (refused !== null) await asked.over;
    assert.equal(asked.refused, refused);
    assert.deepEqual([target.connections, link.counters.open, link.state.streams], [0, 0, 0]);
  });
}
