import assert from "node:assert/strict";
import { DaemonRig } from "./daemon_rig.ts";

const TOKEN = "a-token-of-some-length";
const FILE = "links: { web: { target: echo, auth: { bearer: { token_file: ./tokens } } } }";

Deno.test("a request with two credentials is counted, logged and kept as everything that is refused", async () => {
  await using rig = await DaemonRig.start("links: {}");
  Deno.writeTextFileSync(`${rig.folder}/tokens`, `${TOKEN}\n`);
  await rig.reload(FILE, { allowEmpty: true });
  await rig.hub.until(() => rig.hub.id("web") !== undefined);
  const fields = [`Authorization: Bearer ${TOKEN}`, "authorization: Bearer another"];
  const asked = rig.hub.ask(rig.hub.id("web"), "GET /in", { fields, requestId: "v1" });
  await asked.over;
  assert.equal(asked.refused, "bad_request");
  assert.deepEqual(rig.link("web").counters.denied, { bad_request: 1 });
  for (const path of ["/v1/requests", "/v1/logs"]) {
    const [{ id, address, status, code, verdict }] = (await rig.api("GET", path)).json.items;
    assert.deepEqual(
      [id, address, status, code, verdict],
      ["v1", "192.0.2.7", 400, "bad_request", "bad_request"],
      path,
    );
  }
  const { request: { head } } = (await rig.api("GET", "/v1/requests/v1")).json;
  assert.match(head, /\r\nAuthorization: \*\*\*\r\nauthorization: \*\*\*\r\n/);
});
