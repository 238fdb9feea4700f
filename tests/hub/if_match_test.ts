/** `If-Match`: whoever says what they have seen changes nothing else; whoever says nothing is let through. */
import assert from "node:assert/strict";
import { asked, managed, obey, reply, service, short } from "./managed.ts";
import { type Answer, HubRig } from "./rig.ts";

const tagOf = ({ head }: Answer) => /^etag: (\S+)/im.exec(head)?.[1] ?? "none";

function call(rig: HubRig, token: string, method: string, path: string, tag: string | null, body?: unknown) {
  const fields = tag === null ? [] : [`If-Match: ${tag}`];
  if (body !== undefined) fields.push("Content-Type: application/json");
  return rig.api(method, path, token, body, undefined, fields);
}

Deno.test("a change of links, shares and tokens that names another state than there is changes nothing", async () => {
  await using rig = await HubRig.start();
  const daemon = await managed(rig, [service("web"), service("db", { access: "private" })]);
  const admin = await rig.token("admin"), member = await rig.token("member");
  const making = rig.api("POST", "/v1/links", admin, { service: "web" });
  await obey(daemon);
  const link = `/v1/links/${(await making).json.id}`;
  const made = (await rig.api("POST", "/v1/shares", admin, { services: ["db"], requireApproval: true })).json;
  const share = `/v1/shares/${made.id}`;
  await rig.api("POST", "/v1/shares/join", member, { code: made.code });
  const token = `/v1/tokens/${(await rig.api("POST", "/v1/tokens", admin, { scope: "viewer" })).json.id}`;
  const [, joined] = member.split("_");

  const rows: readonly (readonly [method: string, path: string, thing: string, body?: unknown])[] = [
    ["POST", `${link}/renew`, link, { ttl: "1h" }],
    ["DELETE", link, link],
    ["POST", `${share}/approve`, share, { member: joined }],
    ["DELETE", share, share],
    ["POST", `${token}/rotate`, token],
    ["DELETE", token, token],
  ];
  for (const [method, path, thing, body] of rows) {
    const name = `${method} ${path}`, before = await rig.api("GET", thing, admin);
    const stale = await call(rig, admin, method, path, '"stale"', body);
    assert.equal(short(stale), "412 precondition_failed", name);
    assert.equal(tagOf(stale), tagOf(before), name);
    assert.deepEqual((await rig.api("GET", thing, admin)).json, before.json, name);
    const seen = call(rig, admin, method, path, tagOf(before), body);
    if (path.endsWith("/renew")) {
      reply(daemon, await asked(daemon, 1));
    }
    const done = await seen;
    assert.equal(done.status, 200, `${name}: ${done.body}`);
    assert.equal(
      tagOf(done),
      tagOf(await rig.api("GET", thing, admin)),
      `${name}: the answer has the new tag`,
    );
  }
  // Whoever had no answer says it again as it was, and is told that it is done.
  for (const path of [link, share, token]) {
    assert.equal((await call(rig, admin, "DELETE", path, '"stale"')).status, 200, path);
  }
});
