/** Logins from elsewhere: codes that are good once, said yes to by who may, and nobody guesses. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import type { Scope } from "../../src/hub/tokens.ts";
import { type Answer, HubRig } from "./rig.ts";

interface World {
  readonly rig: HubRig;
  readonly clock: TestClock;
}

const withHub = (title: string, run: (world: World) => Promise<void>) =>
  Deno.test(title, async () => {
    const clock = new TestClock();
    await using rig = await HubRig.start({ clock });
    await run({ rig, clock });
  });

const begin = async ({ rig }: World, scope?: string): Promise<{ deviceCode: string; userCode: string }> => {
  const answer = await rig.api(
    "POST",
    "/v1/device",
    undefined,
    scope === undefined ? {} : { scope },
    undefined,
    [
      "Content-Type: application/json",
      "User-Agent: connectd/9.9 \xa9",
    ],
  );
  assert.equal(answer.status, 200, answer.body);
  return answer.json;
};

/** Asks after `seconds`, and says what it got: a token's scope, name and workspace, or a code. */
async function poll({ rig, clock }: World, deviceCode: string, seconds = 5): Promise<string> {
  clock.advance(seconds * 1000);
  const { status, json } = await rig.api("POST", "/v1/device/token", undefined, { deviceCode });
  return status === 200 ? `${json.scope} ${json.workspace}` : `${status} ${json.code}`;
}

const decide = (
  { rig }: World,
  how: "lookup" | "approve" | "deny",
  token: string | undefined,
  body: Record<string, unknown>,
): Promise<Answer> => rig.api("POST", `/v1/device/${how}`, token, body);

withHub("a login that is approved gets its token once, and the trail says by whom", async (world) => {
  const { rig, clock } = world;
  const admin = await rig.token("admin", "acme");
  const { deviceCode, userCode, ...rest } = await begin(world, "daemon") as unknown as Record<string, string>;
  assert.match(userCode, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  const page = `${rig.hub.url}/device`;
  assert.deepEqual(rest, {
    verificationUri: page,
    verificationUriComplete: `${page}?code=${userCode}`,
    expiresIn: 600,
    interval: 5,
  });
  assert.equal(await poll(world, deviceCode), "400 authorization_pending");
  const seen = await decide(world, "lookup", admin, { userCode });
  assert.deepEqual(seen.json, {
    scope: "daemon",
    address: "127.0.0.1",
    software: "connectd/9.9 ??",
    createdAt: new Date(clock.now() - 5000).toISOString(),
    expiresAt: new Date(clock.now() + 595_000).toISOString(),
  });
  // As people type it.
  const typed = userCode.toLowerCase().replace("-", " ");
  assert.equal((await decide(world, "approve", admin, { userCode: typed, name: "laptop" })).status, 200);
  assert.equal((await decide(world, "approve", admin, { userCode })).status, 404);
  clock.advance(5000);
  const granted = await rig.api("POST", "/v1/device/token", undefined, { deviceCode });
  assert.deepEqual([granted.json.name, granted.json.scope, granted.json.workspace], [
    "laptop",
    "daemon",
    "acme",
  ]);
  await (await rig.dialled(granted.json.token, { clock })).hello([]);
  assert.equal(await poll(world, deviceCode), "400 expired_token");
  const { json } = await rig.api("GET", "/v1/audit", admin);
  const records = json.items.map(({ type, actor, subject }: Record<string, string>) =>
    `${type} ${actor} ${subject}`
  );
  const by = `token:${rig.hub.tokens.list("acme").find(({ scope }) => scope === "admin")!.name}`;
  assert.ok(records.includes(`login.approved ${by} 127.0.0.1`), records.join("\n"));
  assert.ok(records.includes(`token.created ${by} laptop`), records.join("\n"));
  for (const text of [rig.lines.join("\n"), JSON.stringify(json)]) {
    for (const secret of [userCode, deviceCode, granted.json.token]) assert.ok(!text.includes(secret));
  }
});

withHub("a login that is denied gets nothing", async (world) => {
  const admin = await world.rig.token("admin");
  const { deviceCode, userCode } = await begin(world);
  assert.equal((await decide(world, "deny", admin, { userCode })).status, 200);
  assert.equal(await poll(world, deviceCode), "400 access_denied");
  assert.equal(await poll(world, deviceCode), "400 expired_token");
  assert.equal(world.rig.hub.tokens.list(null).length, 1);
});

withHub("codes are good for ten minutes", async (world) => {
  const admin = await world.rig.token("admin");
  const { deviceCode, userCode } = await begin(world);
  world.clock.advance(599_999);
  assert.equal((await decide(world, "lookup", admin, { userCode })).status, 200);
  world.clock.advance(1);
  assert.equal((await decide(world, "approve", admin, { userCode })).status, 404);
  assert.equal(await poll(world, deviceCode), "400 expired_token");
});

withHub("whoever asks too often has to ask less often", async (world) => {
  const { deviceCode } = await begin(world);
  assert.equal(await poll(world, deviceCode), "400 authorization_pending");
  assert.equal(await poll(world, deviceCode, 4), "400 slow_down");
  assert.equal(await poll(world, deviceCode, 9), "400 slow_down");
  assert.equal(await poll(world, deviceCode, 15), "400 authorization_pending");
});

withHub("who may approve what", async (world) => {
  const { rig } = world;
  const rows: [as: Scope | "socket", asked: string, answer: Record<string, unknown>, due: string | number][] =
    [
      ["admin", "member", {}, "member acme"],
      ["admin", "daemon", {}, "daemon acme"],
      ["admin", "member", { scope: "viewer" }, "viewer acme"],
      ["admin", "member", { scope: "admin" }, "admin acme"],
      ["admin", "member", { workspace: "other" }, 403],
      ["admin", "member", { scope: "metrics" }, 403],
      ["admin", "member", { scope: "root" }, 422],
      ["admin", "member", { ttl: "soon" }, 422],
      ["member", "member", {}, "member acme"],
      ["member", "viewer", {}, "viewer acme"],
      ["member", "daemon", {}, 403],
      ["member", "daemon", { scope: "viewer" }, "viewer acme"],
      ["member", "member", { scope: "admin" }, 403],
      ["member", "member", { workspace: "other" }, 403],
      ["daemon", "member", {}, 403],
      ["viewer", "viewer", {}, 403],
      ["metrics", "viewer", {}, 403],
      ["socket", "daemon", {}, "daemon default"],
      ["socket", "member", { workspace: "other", scope: "metrics" }, "metrics other"],
    ];
  for (const [as, asked, answer, due] of rows) {
    const what = `${as} approves ${asked} as ${JSON.stringify(answer)}`;
    world.clock.advance(60_000);
    const { deviceCode, userCode } = await begin(world, asked);
    const body = { userCode, ...answer };
    const { status } = as === "socket"
      ? await rig.api("POST", "/v1/device/approve", undefined, body, rig.hub.socket!)
      : await decide(world, "approve", await rig.token(as, "acme"), body);
    assert.equal(status, typeof due === "number" ? due : 200, what);
    assert.equal(
      await poll(world, deviceCode),
      typeof due === "number" ? "400 authorization_pending" : due,
      what,
    );
  }
});

withHub("a name that is taken is told to who approves", async (world) => {
  const { rig } = world;
  const admin = await rig.token("admin");
  await rig.hub.tokens.create({ scope: "viewer", workspace: "default", name: "laptop", ttlMs: null });
  const { deviceCode, userCode } = await begin(world);
  const taken = await decide(world, "approve", admin, { userCode, name: "laptop" });
  assert.deepEqual([taken.status, taken.json.code], [409, "name_taken"]);
  assert.equal((await decide(world, "approve", admin, { userCode, name: "phone" })).status, 200);
  assert.equal(await poll(world, deviceCode), "member default");
});

withHub("a token that can not be stored can be asked for again", async (world) => {
  const { rig } = world;
  const admin = await rig.token("admin");
  const { deviceCode, userCode } = await begin(world);
  await decide(world, "approve", admin, { userCode });
  rig.diskFull = true;
  assert.equal(await poll(world, deviceCode), "503 store_unavailable");
  rig.diskFull = false;
  assert.equal(await poll(world, deviceCode), "member default");
});

withHub("ten wrong codes a minute are looked at, and then not even the right one", async (world) => {
  const { rig, clock } = world;
  const admin = await rig.token("admin");
  const { userCode } = await begin(world);
  const guess = () => decide(world, "lookup", admin, { userCode: "BBBB-BBBB" });
  for (let i = 0; i < 10; i++) assert.equal((await guess()).status, 404);
  const late = await decide(world, "lookup", admin, { userCode });
  assert.deepEqual([late.status, late.json.code], [429, "rate_limited"]);
  assert.match(late.head, /^retry-after: 6\r$/im);
  clock.advance(6000);
  assert.equal((await decide(world, "lookup", admin, { userCode })).status, 200);
});

withHub("ten logins a minute begin from one address", async (world) => {
  const codes = [];
  for (let i = 0; i < 10; i++) codes.push((await begin(world)).userCode);
  assert.equal(new Set(codes).size, 10);
  const more = await world.rig.api("POST", "/v1/device");
  assert.deepEqual([more.status, more.json.code], [429, "rate_limited"]);
  world.clock.advance(6000);
  await begin(world);
});

Deno.test("a hub that starts anew has forgotten the logins that waited", async () => {
  const clock = new TestClock();
  await using rig = await HubRig.start({ clock });
  const { deviceCode } = await begin({ rig, clock });
  await rig.hub.close();
  await rig.begin({ clock });
  assert.equal(await poll({ rig, clock }, deviceCode), "400 expired_token");
});
