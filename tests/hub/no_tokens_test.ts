/** A hub without tokens admits nobody, whatever is asked, and whatever is shown instead of one. */
import assert from "node:assert/strict";
import { apiOperations } from "../../src/hub/api.ts";
import type { HubState } from "../../src/hub/state.ts";
import { dial, HubRig } from "./rig.ts";

/** What somebody might try who has none. */
const SHOWN: readonly string[] = [
  "",
  "null",
  "admin",
  "connectd_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

Deno.test("a hub without tokens answers every call of its API with 401 until there is one, and says how to make the first", async () => {
  await using rig = await HubRig.start();
  const [warning] = rig.lines.filter((line) => line.includes("there is no token yet"));
  assert.ok(warning.includes(`\`connectd token create --scope admin --state ${rig.folder}\``), warning);
  const closed = apiOperations({} as HubState).filter(({ open }) => !open);
  assert.ok(closed.length >= 12);
  const ask = (method: string, path: string, token?: string) =>
    rig.api(method, path.replaceAll(/:\w+/g, "x"), token, /GET|DELETE/.test(method) ? undefined : {});
  for (const { method, path } of closed) {
    const { status, json, head } = await ask(method, path);
    assert.deepEqual([status, json?.code], [401, "unauthorized"], `${method} ${path}`);
    assert.match(head, /^www-authenticate: Bearer/im);
  }
  for (const token of SHOWN) {
    for (const { method, path } of closed) {
      const { status, json } = await ask(method, path, token);
      // Who guesses is told to wait.
      assert.ok(
        ["unauthorized", "rate_limited"].includes(json?.code),
        `${method} ${path} ${token} ${status}`,
      );
      assert.ok(status === 401 || status === 429);
    }
  }
  assert.notEqual((await rig.api("GET", "/v1/nothing")).status, 404);
  // The first one is made at the hub's own socket, which only its owner may open.
  assert.equal(Deno.statSync(rig.hub.socket!).mode! & 0o777, 0o600);
  const made = await rig.api("POST", "/v1/tokens", undefined, { scope: "admin" }, rig.hub.socket!);
  assert.equal(made.status, 201);
  assert.equal((await rig.api("GET", "/v1/links", made.json.token)).status, 200);
  assert.equal((await rig.api("GET", "/v1/links")).status, 401);
});

Deno.test("a hub without tokens gives nobody a session, and its pages show nothing of it", async () => {
  await using rig = await HubRig.start();
  const { port } = rig.hub.address;
  for (const token of [null, ...SHOWN]) {
    const error = await dial(port, token).then(() => null, (error: Error) => error);
    assert.match(String(error?.message), /^HTTP\/1\.1 401 /, `${token}`);
  }
  assert.deepEqual(
    (await rig.api("GET", "/v1/sessions", undefined, undefined, rig.hub.socket!)).json.items,
    [],
  );
  for (const path of ["/", "/links", "/tokens", "/audit"]) {
    const { status, body } = await rig.api("GET", path);
    assert.ok([301, 302, 303, 401, 404].includes(status), `${path} ${status}`);
    assert.doesNotMatch(body, new RegExp(rig.folder));
  }
});
