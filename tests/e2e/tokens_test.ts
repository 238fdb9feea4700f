/** Tokens as people use them: a login from elsewhere, a rotation under load. */
import assert from "node:assert/strict";
import { ask } from "../hub/rig.ts";
import { startPair } from "./pair.ts";
import { eventually, Rig } from "./rig.ts";

interface Session {
  readonly id: string;
}

Deno.test("a token is rotated under a running daemon: its sessions move over, no request fails, the old secret ends", async () => {
  await using rig = new Rig();
  const { port } = await startPair(rig, "  echo: { target: echo, subdomain: echo, ttl: never }\n");
  const state = `${rig.folder}/hub`, old = Deno.readTextFileSync(`${rig.folder}/token`).trim();
  const hub = `http://127.0.0.1:${port}`;
  const asked = (token: string) =>
    fetch(`${hub}/v1/sessions`, { headers: { Authorization: `Bearer ${token}` } });
  const sessions = async (token: string): Promise<string[]> =>
    ((await (await asked(token)).json()).items as Session[]).map(({ id }) => id);
  const before = await eventually(() => sessions(old), (ids) => ids.length === 2);
  const seen = new Map<string, number>();
  let over = false;
  const visitors = Array.from({ length: 2 }, async () => {
    while (!over) {
      const { status, body } = await ask(port, "echo.localhost", "GET /?bytes=4KiB HTTP/1.1");
      const what = `${status} ${body.length}`;
      seen.set(what, (seen.get(what) ?? 0) + 1);
    }
  });
  const [name] = JSON.parse((await rig.run(["token", "list", "--state", state, "--json"])).stdout).items;
  const rotated = await rig.run([
    ...["token", "rotate", name.name, "--overlap", "1h", "--out", `${rig.folder}/token`, "--state", state],
  ]);
  assert.equal(rotated.code, 0, rotated.stderr);
  const fresh = Deno.readTextFileSync(`${rig.folder}/token`).trim();
  assert.notEqual(fresh, old);
  assert.equal(Deno.statSync(`${rig.folder}/token`).mode! & 0o777, 0o600);
  assert.ok(!(rotated.stdout + rotated.stderr).includes(fresh));
  const moved = await eventually(
    () => sessions(fresh),
    (ids) => ids.length === 2 && !ids.some((id) => before.includes(id)),
  );
  assert.equal((await asked(old)).status, 200, "the overlap is not over");
  // Once more and at once: whoever has an old secret is out, the daemon that reads the file is not.
  await rig.run([
    "token",
    "rotate",
    name.name,
    "--overlap",
    "5s",
    "--out",
    `${rig.folder}/token`,
    "--state",
    state,
  ]);
  assert.equal((await asked(old)).status, 401);
  const last = Deno.readTextFileSync(`${rig.folder}/token`).trim();
  await eventually(() => sessions(last), (ids) => ids.length === 2 && !ids.some((id) => moved.includes(id)));
  over = true;
  await Promise.all(visitors);
  assert.deepEqual([...seen.keys()], ["200 4096"]);
  assert.ok(seen.get("200 4096")! > 10);
});

Deno.test("somebody logs in from elsewhere, is let in on the hub's machine, and dials in with what that gave", async () => {
  await using rig = new Rig();
  const state = `${rig.folder}/hub`;
  const hub = rig.connectd(["hub", "--listen", "127.0.0.1:0", "--state", state, "--json"]);
  const { hub: url } = await hub.ready<{ hub: string }>();
  const elsewhere = `${rig.folder}/elsewhere`;
  const login = rig.connectd(["login", url, "--scope", "daemon", "--state", elsewhere, "--json"]);
  const code = await login.until(() => /[A-Z]{4}-[A-Z]{4}/.exec(login.stderr)?.[0]);
  const wrong = await rig.run(["token", "approve", "BBBB-BBBB", "--state", state]);
  assert.deepEqual([wrong.code, /no login that waits/.test(wrong.stderr)], [1, true]);
  const approved = await rig.run(["token", "approve", code, "--name", "laptop", "--state", state]);
  assert.equal(approved.code, 0, approved.stderr);
  assert.match(approved.stderr, /^connectd\/[\d.]+ at 127\.0\.0\.1 asked .* to be let in as daemon$/m);
  const { code: exit, stdout, stderr } = await login.ended();
  assert.equal(exit, 0, stderr);
  const { name, scope, workspace, file } = JSON.parse(stdout);
  assert.deepEqual([name, scope, workspace, file], ["laptop", "daemon", "default", `${elsewhere}/token`]);
  // The state directory's own token: nothing names a file.
  rig.file("links.yaml", `version: 1\nhub: ${url}\nlinks:\n  echo: { target: echo, subdomain: echo }\n`);
  const daemon = rig.connectd([
    ...[
      "run",
      "--config",
      `${rig.folder}/links.yaml`,
      "--state",
      elsewhere,
      "--control",
      "127.0.0.1:0",
      "--json",
    ],
  ]);
  const { links } = await daemon.ready<{ links: { url: string; state: string }[] }>();
  await eventually(
    () => ask(Number(new URL(url).port), "echo.localhost", "GET / HTTP/1.1"),
    ({ status }) => status === 200,
  );
  assert.equal(links.length, 1);
  const listed = await rig.run(["list", "--hub", url, "--state", elsewhere, "--json"]);
  assert.equal(JSON.parse(listed.stdout).items[0].name, "echo", listed.stderr);
});
