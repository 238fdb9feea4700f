/** `Idempotency-Key`: a create that is said twice makes one thing, and answers alike. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { asked, managed, obey, reply, service, short } from "./managed.ts";
import { type Answer, HubRig } from "./rig.ts";

const DAY = 24 * 3_600_000;

function create(rig: HubRig, token: string, path: string, body: unknown, key: string): Promise<Answer> {
  const fields = ["Content-Type: application/json", `Idempotency-Key: ${key}`];
  return rig.api("POST", path, token, body, undefined, fields);
}

Deno.test("a link, a share and a token are made once by one key, over a restart of the hub too", async () => {
  const clock = new TestClock();
  await using rig = await HubRig.start({ clock });
  const daemon = await managed(rig, [service("web"), service("db", { access: "private" })]);
  const admin = await rig.token("admin");
  const bodies: Record<string, unknown> = {
    "/v1/links": { service: "web" },
    "/v1/shares": { services: ["db"] },
    "/v1/tokens": { scope: "viewer" },
  };
  const first: Record<string, Answer> = {};
  for (const [path, body] of Object.entries(bodies)) {
    const answer = create(rig, admin, path, body, "same-key");
    if (path === "/v1/links") await obey(daemon);
    first[path] = await answer;
    assert.equal(first[path].status, 201, path);
  }
  for (const restart of [false, true]) {
    if (restart) {
      await rig.hub.close();
      await rig.begin({ clock });
    }
    for (const [path, body] of Object.entries(bodies)) {
      const again = await create(rig, admin, path, body, "same-key");
      assert.deepEqual([again.status, again.json], [201, first[path].json], path);
      assert.match(again.head, /^location: /im);
      const other = await create(rig, admin, path, { ...body as object, ttl: "1h" }, "same-key");
      assert.equal(short(other), "422 idempotency_mismatch ".trim(), path);
    }
  }
  assert.equal(daemon.messages.filter(({ type }) => type === "ask").length, 1);
  clock.jump(DAY + 1);
  const { json } = await create(rig, admin, "/v1/tokens", bodies["/v1/tokens"], "same-key");
  assert.notEqual(json.id, first["/v1/tokens"].json.id, "after a day the key is nobody's");
});

Deno.test("what is kept of an answer opens for nobody but the caller: the store holds no secret", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  const { json } = await create(rig, admin, "/v1/tokens", { scope: "viewer" }, "k");
  await rig.hub.close();
  for (const { name } of Deno.readDirSync(rig.folder)) {
    if (!name.startsWith("hub.db")) continue;
    const text = new TextDecoder("latin1").decode(Deno.readFileSync(`${rig.folder}/${name}`));
    assert.equal(text.includes(json.token), false, name);
  }
  await rig.begin();
});

Deno.test("a key is its caller's own: what others made with the same one is theirs", async () => {
  await using rig = await HubRig.start();
  const callers = [await rig.token("admin"), await rig.token("admin"), await rig.token("admin", "elsewhere")];
  const ids = await Promise.all(
    callers.map(async (token) => (await create(rig, token, "/v1/tokens", { scope: "viewer" }, "k")).json.id),
  );
  assert.equal(new Set(ids).size, 3);
});

Deno.test("of two at once with one key the second waits for the answer of the first; a refusal is not kept", async () => {
  await using rig = await HubRig.start();
  const daemon = await managed(rig, [service("web")]);
  const member = await rig.token("member");
  const make = () => create(rig, member, "/v1/links", { service: "web" }, "k");
  const refused = make();
  reply(daemon, await asked(daemon), { status: 409, code: "name_taken", detail: "It is taken.", errors: [] });
  assert.equal(short(await refused), "409 name_taken");
  const two = [make(), make()];
  await obey(daemon, 1);
  const [one, other] = await Promise.all(two);
  assert.deepEqual([one.status, other.status, other.json.id], [201, 201, one.json.id]);
  assert.equal(daemon.messages.filter(({ type }) => type === "ask").length, 2);
});

Deno.test("a key that is none is refused, and so is a body that is too large, before anything is made", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  const tokens = async () => (await rig.api("GET", "/v1/tokens", admin)).json.items.length;
  const before = await tokens();
  for (const key of ["", "a b", "x".repeat(256)]) {
    assert.equal(
      short(await create(rig, admin, "/v1/tokens", { scope: "viewer" }, key)),
      "400 bad_request",
      key,
    );
  }
  assert.equal(short(await create(rig, admin, "/v1/tokens", "x".repeat(70_000), "k")), "413 body_too_large");
  assert.equal(await tokens(), before);
});
