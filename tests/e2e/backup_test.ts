/** A hub's backup taken under load, and everything that hung on the hub back from it on another machine's disk. */
import assert from "node:assert/strict";
import { ask } from "../hub/rig.ts";
import { startPair } from "./pair.ts";
import { curl, eventually, Rig } from "./rig.ts";

interface Report {
  readonly entries: Record<string, number>;
  readonly records: number;
  readonly bytes: number;
  readonly broken: unknown;
}

const asked = async (socket: string, method: string, path: string, body?: unknown) => {
  const json = body === undefined ? "" : JSON.stringify(body);
  const fields = body === undefined
    ? ""
    : `\r\nContent-Type: application/json\r\nContent-Length: ${json.length}`;
  return await ask(socket, "localhost", `${method} ${path} HTTP/1.1${fields}`, json);
};

Deno.test("what a hub had acknowledged before a backup under load is there after a restore: daemons come back with their ids, what ended stays ended", async () => {
  await using rig = new Rig();
  const pair = await startPair(
    rig,
    "  kept: { target: echo }\n  named: { target: echo, subdomain: demo }\n  gone: { target: echo }\n",
  );
  const state = `${rig.folder}/hub`, socket = `${state}/hub.sock`;
  const links: { name: string; id: string }[] = (await asked(socket, "GET", "/v1/links")).json.items;
  const idOf = (name: string) => links.find((link) => link.name === name)!.id;
  const visit = async (id: string) => (await ask(pair.port, `${id}.localhost`, "GET / HTTP/1.1")).status;
  assert.deepEqual([await visit(idOf("kept")), await visit("demo")], [200, 200]);
  assert.equal((await asked(socket, "DELETE", `/v1/links/${idOf("gone")}`)).status, 200);
  const ended = await asked(socket, "POST", "/v1/tokens", { scope: "admin", name: "ended" });
  await asked(socket, "DELETE", `/v1/tokens/${ended.json.id}`);

  // Tokens are made, and visitors come, all the while.
  const made: string[] = [];
  const failed: number[] = [];
  let wanted = true;
  const tokens = (async () => {
    while (wanted) {
      const { status, json } = await asked(socket, "POST", "/v1/tokens", { scope: "viewer" });
      if (status === 201) made.push(json.token);
      else failed.push(status);
    }
  })();
  const visits = (async () => {
    while (wanted) if (await visit("demo") !== 200) failed.push(1);
  })();
  await eventually(() => Promise.resolve(made.length), (n) => n > 20);
  const due = made.slice();
  const file = `${rig.folder}/backup.db`;
  const taken = await rig.run(["hub", "backup", file, "--state", state, "--json"]);
  const before = made.length;
  await eventually(() => Promise.resolve(made.length), (n) => n > before + 5);
  wanted = false;
  await Promise.all([tokens, visits]);
  assert.equal(taken.code, 0, taken.stderr);
  assert.deepEqual(failed, []);
  const report: Report = JSON.parse(taken.stdout);
  assert.deepEqual([report.entries.names, report.broken], [3, null]);
  assert.ok(report.entries.tokens >= due.length + 2 && report.records > report.entries.tokens);
  const { mode, size } = Deno.statSync(file);
  assert.deepEqual([mode! & 0o777, size], [0o600, report.bytes]);
  const left = [...Deno.readDirSync(state)].map(({ name }) => name).filter((name) =>
    /snapshot|backup/.test(name)
  );
  assert.deepEqual(left, []);

  // The machine is lost.
  await pair.hub.kill("SIGKILL");
  const other = `${rig.folder}/other`;
  const restored = await rig.run(["hub", "restore", file, "--state", other, "--json"]);
  assert.equal(restored.code, 0, restored.stderr);
  assert.deepEqual({ ...JSON.parse(restored.stdout), file }, { ...report, file });
  const hub = rig.connectd(["hub", "--listen", `127.0.0.1:${pair.port}`, "--state", other, "--json"]);
  await hub.ready();
  await eventually(() => visit(idOf("kept")), (status) => status === 200);
  assert.equal(await visit("demo"), 200);
  assert.equal(await visit(idOf("gone")), 410);
  const known = async (token: string) =>
    (await curl(`http://127.0.0.1:${pair.port}/v1/links`, "-H", `Authorization: Bearer ${token}`)).status;
  for (const token of [due[0], due[due.length >> 1], due.at(-1)!]) assert.equal(await known(token), 200);
  assert.equal(await known(ended.json.token), 401);
  const all = (await asked(`${other}/hub.sock`, "GET", "/v1/tokens?limit=1000")).json.items;
  const ids = new Set(all.map(({ id }: { id: string }) => id));
  assert.deepEqual(due.filter((token) => !ids.has(token.split("_")[1])), []);
  const { json } = await asked(`${other}/hub.sock`, "POST", "/v1/audit/verify");
  assert.equal(json.ok, true, JSON.stringify(json));

  // Nothing is written over, neither a backup nor a store.
  const [again, running] = await Promise.all([
    rig.run(["hub", "backup", file, "--state", other]),
    rig.run(["hub", "restore", file, "--state", other]),
  ]);
  assert.deepEqual([again.code, again.stdout], [1, ""]);
  assert.match(again.stderr, /is there already, and is not written over/);
  assert.equal(running.code, 1);
  assert.match(running.stderr, /has the store .*\n {2}end the hub first/);
  await hub.kill();
  const there = await rig.run(["hub", "restore", file, "--state", other]);
  assert.equal(there.code, 1);
  assert.match(there.stderr, /a store lies at .*\n {2}move it away: mv /);
  assert.equal(Deno.statSync(file).size, report.bytes);
  // Of a hub that does not run.
  const still = await rig.run(["hub", "backup", `${rig.folder}/still.db`, "--state", other]);
  assert.equal(still.code, 0, still.stderr);
  assert.match(still.stderr, /no hub runs at/);
  assert.match(still.stdout, /is written and whole: 3 names, \d+ tokens, \d+ records of the audit trail/);
});

Deno.test("a backup that is not there is named as it was typed, and nothing is made for it", async () => {
  await using rig = new Rig();
  const state = `${rig.folder}/new`;
  const { code, stderr } = await rig.run(["hub", "restore", `${rig.folder}/nothing.db`, "--state", state]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^connectd: there is no file \S+nothing\.db\n {2}name a file that `hub backup` wrote\n$/,
  );
  assert.throws(() => Deno.statSync(state), Deno.errors.NotFound);
});

Deno.test("a backup that is damaged on its way is refused, and leaves nothing where the hub would look", async () => {
  await using rig = new Rig();
  const state = `${rig.folder}/hub`;
  await rig.run(["token", "create", "--scope", "admin", "--state", state]);
  const file = `${rig.folder}/b.db`;
  assert.equal((await rig.run(["hub", "backup", file, "--state", state])).code, 0);
  const bytes = Deno.readFileSync(file);
  Deno.writeFileSync(file, bytes.subarray(0, bytes.length - 4096));
  const { code, stderr } = await rig.run(["hub", "restore", file, "--state", `${rig.folder}/new`]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    new RegExp(`connectd: the store ${file} can not be used: it is damaged or no database`),
  );
  const left = [...Deno.readDirSync(`${rig.folder}/new`)].map(({ name }) => name);
  assert.deepEqual(left, ["hub.db.lock"]);
});

Deno.test("`hub reload` and SIGHUP do what the file says, a bad one is exit 2, and `hub check` says the same of it", async () => {
  await using rig = new Rig();
  const state = `${rig.folder}/hub`;
  const file = rig.file("hub.yaml", "version: 1\nlisten: 127.0.0.1:0\nlimits: { sessions: 1 }\n");
  const hub = rig.connectd(["hub", "--state", state, "--json"]);
  await hub.ready();
  Deno.writeTextFileSync(file, "version: 1\nlisten: 127.0.0.1:0\nlimits: { sesions: 2 }\n");
  const [bad, check] = await Promise.all([
    rig.run(["hub", "reload", "--state", state]),
    rig.run(["hub", "check", file]),
  ]);
  assert.deepEqual([bad.code, check.code, bad.stdout, check.stdout], [2, 2, "", ""]);
  assert.match(
    bad.stderr,
    /hub\.yaml:3:11: error: "sesions" is no key here \[unknown_key\]\n.*\n *\^\n {2}did you mean "sessions"\?/,
  );
  assert.equal(check.stderr, bad.stderr);
  await hub.until(() => hub.stderr.includes("the file was not taken"));
  Deno.writeTextFileSync(file, "version: 1\nlisten: 127.0.0.1:0\nlimits: { sessions: 3 }\n");
  hub.signal("SIGHUP");
  await hub.until(() => hub.stderr.includes("changed limits.sessions: 1 → 3"));
  const same = await rig.run(["hub", "reload", "--state", state]);
  assert.deepEqual([same.code, same.stdout], [0, "nothing changes: the hub goes by the file as it is\n"]);
  assert.equal((await hub.kill()).code, 0);
  const gone = await rig.run(["hub", "reload", "--state", state]);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /no hub answers at/);
});
