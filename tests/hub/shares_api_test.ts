/** Shares: a code that gives members of a workspace private services for a while. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import type { ShareRecord } from "../../src/hub/share.ts";
import { Shares } from "../../src/hub/shares.ts";
import { Services } from "../../src/hub/services.ts";
import { HubEvents } from "../../src/hub/events.ts";
import { Peers } from "../../src/hub/peers.ts";
import type { Identity } from "../../src/hub/tokens.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { managed, service, short } from "./managed.ts";
import { HubRig } from "./rig.ts";

const HOUR = 3_600_000;

const PRIVATE = [service("db", { kind: "tcp", access: "private" }), service("admin", { access: "private" })];

Deno.test("a code lets a member of the workspace in, at once or when its maker says so, until it ends", async () => {
  await using rig = await HubRig.start();
  await managed(rig, PRIVATE);
  const maker = await rig.token("member"), mate = await rig.token("member");
  const open = await rig.api("POST", "/v1/shares", maker, { services: ["db"], expires: "8h" });
  assert.equal(open.status, 201);
  assert.match(open.json.code, /^[a-z2-7]{5}-[a-z2-7]{5}-[a-z2-7]{5}$/);
  assert.equal(Date.parse(open.json.expiresAt) - Date.parse(open.json.createdAt), 8 * HOUR);
  const written = open.json.code.toUpperCase().replaceAll("-", " ");
  const joined = await rig.api("POST", "/v1/shares/join", mate, { code: written });
  assert.equal(joined.json.state, "approved");
  assert.deepEqual(joined.json.services, [{ daemon: "daemon-1", name: "db" }]);

  const shut = await rig.api("POST", "/v1/shares", maker, {
    services: ["db", "admin"],
    requireApproval: true,
  });
  const path = `/v1/shares/${shut.json.id}`;
  const waiting = await rig.api("POST", "/v1/shares/join", mate, { code: shut.json.code });
  assert.deepEqual([waiting.json.state, waiting.json.services], ["waiting", []]);
  const [{ name }] = (await rig.api("GET", path, maker)).json.members;
  for (const token of [mate, await rig.token("daemon")]) {
    assert.equal(short(await rig.api("POST", `${path}/approve`, token, { member: name })), "403 forbidden");
    assert.equal(short(await rig.api("DELETE", path, token)), "403 forbidden");
  }
  assert.equal(
    short(await rig.api("POST", `${path}/approve`, maker, { member: "nobody" })),
    "422 invalid /member",
  );
  assert.equal(
    (await rig.api("POST", `${path}/approve`, maker, { member: name })).json.members[0].state,
    "approved",
  );
  const again = await rig.api("POST", "/v1/shares/join", mate, { code: shut.json.code });
  assert.deepEqual([again.json.state, again.json.services.length], ["approved", 2]);

  const ended = await rig.api("DELETE", path, await rig.token("admin"));
  assert.equal(ended.json.state, "ended");
  assert.deepEqual((await rig.api("DELETE", path, maker)).json.endedAt, ended.json.endedAt);
  assert.equal(
    short(await rig.api("POST", "/v1/shares/join", mate, { code: shut.json.code })),
    "404 not_found",
  );
  assert.equal(short(await rig.api("POST", `${path}/approve`, maker, { member: name })), "409 share_ended");
});

Deno.test("what no share can be is refused where it is wrong, and nothing crosses workspaces", async () => {
  await using rig = await HubRig.start();
  await managed(rig, [...PRIVATE, service("web"), service("twice", { access: "private" })]);
  await managed(rig, [service("twice", { access: "private" })], { daemon: "daemon-2" });
  const member = await rig.token("member"), foreign = await rig.token("admin", "elsewhere");
  const rows: [body: unknown, due: string][] = [
    [{}, "422 invalid /services"],
    [{ services: [] }, "422 invalid /services"],
    [{ services: ["no"] }, "422 invalid /services/0"],
    [{ services: ["db", 1] }, "422 invalid /services/1"],
    [{ services: ["web"] }, "422 invalid /services/0"],
    [{ services: ["twice"] }, "422 invalid /services/0"],
    [{ services: ["daemon-2/twice"] }, "201"],
    [{ services: ["db"], expires: "31d" }, "422 invalid /expires"],
    [{ services: ["db"], expires: "never" }, "422 invalid /expires"],
    [{ services: ["db"], expires: "0s" }, "422 invalid /expires"],
    [{ services: ["db"], expires: 5 }, "422 invalid /expires"],
    [{ services: ["db"], requireApproval: "yes" }, "422 invalid /requireApproval"],
    [{ services: ["db"], code: "abc" }, "422 invalid /code"],
  ];
  for (const [body, due] of rows) {
    assert.equal(short(await rig.api("POST", "/v1/shares", member, body)), due, JSON.stringify(body));
  }
  assert.equal(short(await rig.api("POST", "/v1/shares", await rig.token("viewer"), {})), "403 forbidden");
  const { json: { id, code } } = await rig.api("POST", "/v1/shares", member, { services: ["db", "db"] });
  assert.equal(
    short(await rig.api("POST", "/v1/shares", foreign, { services: ["db"] })),
    "422 invalid /services/0",
  );
  assert.equal(short(await rig.api("GET", `/v1/shares/${id}`, foreign)), "404 not_found");
  assert.equal(short(await rig.api("DELETE", `/v1/shares/${id}`, foreign)), "404 not_found");
  assert.equal(short(await rig.api("POST", "/v1/shares/join", foreign, { code })), "404 not_found");
  assert.deepEqual((await rig.api("GET", "/v1/shares", foreign)).json.items, []);
  assert.equal(
    short(await rig.api("POST", "/v1/shares/join", await rig.token("viewer"), { code })),
    "403 forbidden",
  );
  assert.equal(
    short(await rig.api("POST", "/v1/shares/join", undefined, { code }, rig.hub.socket!)),
    "404 not_found",
  );
  const seen = await rig.api("GET", `/v1/shares/${id}`, await rig.token("viewer"));
  assert.equal(seen.json.services.length, 1);
  assert.equal(seen.body.includes(code), false);
});

Deno.test("shares, members and their ends survive a restart of the hub; its store knows no code", async () => {
  await using rig = await HubRig.start();
  await managed(rig, PRIVATE);
  const member = await rig.token("member");
  const made = await Promise.all(
    ["db", "admin"].map((name) => rig.api("POST", "/v1/shares", member, { services: [name] })),
  );
  const [kept, ended] = made.map(({ json }) => json);
  await rig.api("POST", "/v1/shares/join", member, { code: kept.code });
  await rig.api("DELETE", `/v1/shares/${ended.id}`, member);
  const before = (await rig.api("GET", "/v1/shares", member)).json;
  await rig.hub.close();
  for (const { name } of Deno.readDirSync(rig.folder)) {
    if (!name.startsWith("hub.db")) continue;
    const text = new TextDecoder("latin1").decode(Deno.readFileSync(`${rig.folder}/${name}`));
    for (const { code } of [kept, ended]) assert.equal(text.includes(code), false, name);
  }
  await rig.begin();
  assert.deepEqual((await rig.api("GET", "/v1/shares", member)).json, before);
  assert.equal(
    (await rig.api("POST", "/v1/shares/join", member, { code: kept.code })).json.state,
    "approved",
  );
  assert.equal(
    short(await rig.api("POST", "/v1/shares/join", member, { code: ended.code })),
    "404 not_found",
  );
});

Deno.test("a share that can not be stored is none, and one whose end can not be stored goes on", async () => {
  await using rig = await HubRig.start();
  await managed(rig, PRIVATE);
  const member = await rig.token("member");
  const { json: { id } } = await rig.api("POST", "/v1/shares", member, { services: ["db"] });
  rig.diskFull = true;
  assert.equal(
    short(await rig.api("POST", "/v1/shares", member, { services: ["db"] })),
    "503 store_unavailable",
  );
  assert.equal(short(await rig.api("DELETE", `/v1/shares/${id}`, member)), "503 store_unavailable");
  const { items } = (await rig.api("GET", "/v1/shares", member)).json;
  assert.deepEqual(items.map((share: { id: string; state: string }) => `${share.id} ${share.state}`), [
    `${id} active`,
  ]);
  rig.diskFull = false;
  assert.equal((await rig.api("DELETE", `/v1/shares/${id}`, member)).json.state, "ended");
});

Deno.test("who carries connections asks of each whether a share admits it, and hears at once of every end", async () => {
  const clock = new TestClock(), folder = Deno.makeTempDirSync({ prefix: "connectd-shares-" });
  const store = await openSqlite(`${folder}/hub.db`, clock);
  const peers = new Peers(clock), events = new HubEvents(() => null);
  const peer = peers.of("acme", "d1");
  peer.services = PRIVATE;
  const shares = await Shares.open({ store, clock, events, services: new Services(peers, events) });
  const by = { token: "t1", workspace: "acme", admin: false, actor: "token:ann" };
  const who = (token: string | null, workspace = "acme"): Identity => ({
    ...{ token, workspace, name: token ?? "", scope: "member" },
  });
  const [db, admin] = [{ daemon: "d1", name: "db" }, { daemon: "d1", name: "admin" }];
  const ended: string[] = [];
  const deaf = shares.onEnded(({ id }: ShareRecord) => void ended.push(id));
  const first = await shares.create({ services: ["db"], requireApproval: true, expires: "2h" }, by);
  await shares.join(first.code, who("t2"));
  assert.equal(shares.allows(who("t2"), db), null, "who waits reaches nothing");
  await shares.approve(first.share.id, "t2", by);
  assert.equal(shares.allows(who("t2"), db)?.id, first.share.id);
  for (
    const [identity, service] of [[who("t2"), admin], [who("t3"), db], [who("t2", "other"), db], [
      who(null),
      db,
    ]] as const
  ) {
    assert.equal(shares.allows(identity, service), null);
  }
  const second = await shares.create({ services: ["db"], expires: "1h" }, by);
  await shares.join(second.code, who("t3"));
  await shares.end(first.share.id, by);
  assert.deepEqual(ended, [first.share.id]);
  assert.equal(shares.allows(who("t2"), db), null);
  clock.advance(HOUR);
  assert.equal(shares.allows(who("t3"), db), null, "its time is over, whether that was noticed or not");
  shares.endExpired();
  shares.endExpired();
  assert.deepEqual(ended, [first.share.id, second.share.id]);
  deaf();
  await store.close();
  Deno.removeSync(folder, { recursive: true });
});
