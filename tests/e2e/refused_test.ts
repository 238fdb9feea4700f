/** What the hub inside the daemon's process refuses, before the daemon hears of it, as its operator meets it. */
import assert from "node:assert/strict";
import { curl, Rig } from "./rig.ts";

const LINKS = `version: 1
links:
  hooks: { target: echo, subdomain: hooks, methods: [POST], paths: [/in], inspect: bodies }
  silent: { target: echo, subdomain: silent, methods: [POST], inspect: off }
  few: { target: echo, subdomain: few, methods: [POST], inspect_last: 2 }
`;

/** Visits `path` of a link; returns the status and the request id that the visitor was shown. */
async function visit(hub: string, link: string, path: string, ...args: string[]) {
  const { port } = new URL(hub);
  const { status, head } = await curl(
    `http://127.0.0.1:${port}${path}`,
    ...["-H", `Host: ${link}.localhost:${port}`, ...args],
  );
  return { status, id: /^x-request-id: (\S+)/mi.exec(head)?.[1] ?? "" };
}

Deno.test("the id that a refused visitor is shown finds the whole request, whoever of the process refused it", async () => {
  await using rig = new Rig();
  const { ready: { hub }, state } = await rig.daemon(LINKS);
  const fields = ["-H", "Authorization: Bearer visitors-secret", "-H", "X-Event: push"];
  const { status, id } = await visit(hub, "hooks", "/out?sig=1", "-d", "body", ...fields);
  assert.equal(status, 403);
  const { code, stdout, stderr } = await rig.run(["requests", id, "--state", state]);
  assert.equal(code, 0, stderr);
  for (const line of ["> POST /out?sig=1 HTTP/1.1", "> Authorization: ***", "> X-Event: push"]) {
    assert.ok(stdout.includes(`\n${line}\n`), stdout);
  }
  assert.match(stdout, /path_denied/);
  assert.doesNotMatch(stdout, /visitors-secret/);

  await visit(hub, "silent", "/");
  for (let i = 0; i < 3; i++) await visit(hub, "few", `/${i}`);
  await rig.run(["revoke", "hooks", "--state", state]);
  assert.equal((await visit(hub, "hooks", "/in", "-d", "late")).status, 410);
  const { items } = JSON.parse((await rig.run(["requests", "--state", state, "--json"])).stdout);
  assert.deepEqual(
    // deno-lint-ignore no-explicit-any
    items.map(({ link, path, status, code, verdict }: any) => [link, path, status, code, verdict]),
    [
      ["hooks", "/in", 410, "link_revoked", "link_revoked"],
      ["few", "/2", 405, "method_denied", "method_denied"],
      ["few", "/1", 405, "method_denied", "method_denied"],
      ["hooks", "/out", 403, "path_denied", "path_denied"],
    ],
  );
});
