/** `Idempotency-Key`: a create that is said twice makes one thing, and answers alike. */
import assert from "node:assert/strict";
import { systemClock, TestClock } from "../../src/clock.ts";
import { hubStorePath, openHubStore } from "../../src/hub/place.ts";
import { asked, managed, obey, reply, service, short } from "./managed.ts";
import { type Answer, HubRig, link, pass } from "./rig.ts";

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

Deno.test("a hub that is killed between a create and its answer makes nothing twice: the same call finds what was made", async () => {
  const services = [service("web"), service("db", { access: "private" })];
  const bodies: Record<string, unknown> = {
    "/v1/shares": { services: ["db"] },
    "/v1/tokens": { scope: "viewer", name: "ci" },
    "/v1/links": { service: "web" },
  };
  await using rig = await HubRig.start();
  const daemon = await managed(rig, services);
  const admin = await rig.token("admin");
  const first: Record<string, Answer> = {};
  // All that the store has of an answer which the kill took.
  rig.losing = "idempotency";
  for (const [path, body] of Object.entries(bodies)) {
    const answer = create(rig, admin, path, body, "k");
    if (path === "/v1/links") await obey(daemon);
    first[path] = await answer;
    assert.equal(first[path].status, 201, first[path].body);
  }
  rig.losing = null;
  await rig.hub.close();
  await rig.begin();
  // Its daemon is not back yet: that is no reason to forget what was begun.
  for (const path of ["/v1/shares", "/v1/tokens"]) {
    const again = await create(rig, admin, path, bodies[path], "k");
    assert.deepEqual([again.status, again.json], [201, first[path].json], path);
  }
  assert.ok((await create(rig, admin, "/v1/links", bodies["/v1/links"], "k")).status >= 400);
  const back = rig.attached();
  await back.hello([link("web", { service: "web", source: "hub" })], { services });
  const again = create(rig, admin, "/v1/links", bodies["/v1/links"], "k");
  const { id } = await asked(back);
  assert.equal(id, (await asked(daemon)).id, "the daemon knows by it that it has done this");
  reply(back, await asked(back));
  assert.deepEqual([(await again).status, (await again).json.id], [201, first["/v1/links"].json.id]);
  for (const [path, count] of [["/v1/shares", 1], ["/v1/tokens", 2]] as const) {
    assert.equal((await rig.api("GET", path, admin)).json.items.length, count, path);
  }
});

Deno.test("a call that was refused, or whose daemon refused it, is put right with the key that it has", async () => {
  await using rig = await HubRig.start();
  const daemon = await managed(rig, [service("web")]);
  const admin = await rig.token("admin");
  assert.equal(short(await create(rig, admin, "/v1/tokens", { scope: "x" }, "k")), "422 invalid /scope");
  assert.equal((await create(rig, admin, "/v1/tokens", { scope: "viewer" }, "k")).status, 201);
  const busy = create(rig, admin, "/v1/links", { service: "web" }, "k");
  const first = await asked(daemon);
  reply(daemon, first, { status: 503, code: "unavailable", detail: "The disk is full.", errors: [] });
  assert.equal(short(await busy), "503 unavailable");
  const again = create(rig, admin, "/v1/links", { service: "web" }, "k");
  assert.notEqual((await obey(daemon, 1)).id, first.id, "what was refused for good is asked anew");
  assert.equal((await again).status, 201);
});

Deno.test("what made nothing leaves nothing in the store, and what was made one answer", async () => {
  await using rig = await HubRig.start();
  const daemon = await managed(rig, [service("web")]);
  const member = await rig.token("member"), admin = await rig.token("admin");
  await daemon.change([link("own", { service: "web" })]);
  daemon.leave();
  await daemon.end();
  for (const [body, due] of [[{ service: "web" }, 503], [{ service: "no" }, 422]] as const) {
    assert.equal((await create(rig, member, "/v1/links", body, `k${due}`)).status, due);
  }
  assert.equal((await create(rig, admin, "/v1/tokens", { scope: "viewer" }, "k")).status, 201);
  await rig.hub.close();
  const store = await openHubStore(hubStorePath(rig.folder), systemClock);
  const kept = await Promise.all(["attempts", "idempotency"].map((name) => store.bucket(name).list()));
  await store.close();
  await rig.begin();
  assert.deepEqual(kept.map(({ length }) => length), [0, 1]);
});

Deno.test("what was begun without an answer in time is asked of the daemon again as the same", async () => {
  const clock = new TestClock();
  await using rig = await HubRig.start({ clock });
  const daemon = await managed(rig, [service("web")]);
  const member = await rig.token("member");
  const late = create(rig, member, "/v1/links", { service: "web" }, "k");
  const { id } = await asked(daemon);
  await pass(clock, 11_000);
  assert.equal(short(await late), "503 daemon_timeout");
  assert.equal(
    short(await create(rig, member, "/v1/links", { service: "web", ttl: "1h" }, "k")),
    "422 idempotency_mismatch",
    "another body might be a second link",
  );
  const again = create(rig, member, "/v1/links", { service: "web" }, "k");
  assert.equal((await obey(daemon, 1)).id, id);
  assert.equal((await again).status, 201);
});

Deno.test("an answer that was sealed with the secret before a rotation is not opened, and nothing is made a second time", async () => {
  await using rig = await HubRig.start();
  const admin = await rig.token("admin");
  await create(rig, admin, "/v1/tokens", { scope: "viewer" }, "k");
  const [, id] = admin.split("_");
  const { token } = (await rig.api("POST", `/v1/tokens/${id}/rotate`, admin)).json;
  const other = await create(rig, token, "/v1/tokens", { scope: "viewer" }, "k");
  assert.equal(short(other), "422 idempotency_mismatch");
  assert.match(other.json.detail, /another secret/);
});
