import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemClock, TestClock } from "../../src/clock.ts";
import { Failure } from "../../src/core/errors.ts";
import { startDaemon } from "../../src/daemon/daemon.ts";
import { createLog } from "../../src/log.ts";
import { ask, eventually } from "../hub/rig.ts";
import { DaemonRig, realHub } from "./daemon_rig.ts";

/** While it stands, sqlite says what it says on a full disk. */
function fullDisk(rig: DaemonRig): Disposable {
  const run = (sql: string) => {
    const database = new DatabaseSync(`${rig.state}/state.db`);
    // The daemon may be writing.
    database.exec(`PRAGMA busy_timeout = 5000; ${sql}`);
    database.close();
  };
  run(
    "CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
  );
  return { [Symbol.dispose]: () => run("DROP TRIGGER full") };
}

Deno.test("a second daemon on a state directory is refused, and told who has it", async () => {
  await using rig = await DaemonRig.start("links: {}");
  const second = startDaemon({
    file: rig.file,
    state: rig.state,
    control: "127.0.0.1:0",
    embedded: null,
    log: createLog({ write() {} }),
  });
  await assert.rejects(second, (error: unknown) => {
    assert.ok(error instanceof Failure);
    assert.match(error.message, new RegExp(`pid ${Deno.pid}\\b`));
    assert.match(error.hint!, /--state/);
    return true;
  });
  assert.equal((await rig.api("GET", "/v1/status")).status, 200);
});

Deno.test("a daemon that could not start leaves nothing behind", async () => {
  await using rig = await DaemonRig.start("links: {}");
  await rig.daemon.close();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await assert.rejects(rig.begin({ control: `127.0.0.1:${taken.addr.port}` }), /it is in use/);
  Deno.renameSync(`${rig.state}/control.token`, `${rig.folder}/token`);
  Deno.mkdirSync(`${rig.state}/control.token`);
  await assert.rejects(rig.begin(), /directory .* can not be used/);
  await assert.rejects(rig.begin(), /directory .* can not be used/);
  Deno.removeSync(`${rig.state}/control.token`);
  const runtime = Deno.env.get("XDG_RUNTIME_DIR");
  Deno.env.delete("XDG_RUNTIME_DIR");
  try {
    const long = `${rig.folder}/${"x".repeat(120)}`;
    await assert.rejects(rig.begin({ state: long }), /too long for a socket/);
    await assert.rejects(rig.begin({ state: long }), /too long for a socket/);
  } finally {
    if (runtime !== undefined) Deno.env.set("XDG_RUNTIME_DIR", runtime);
  }
  await rig.restart();
  assert.equal((await rig.api("GET", "/v1/status")).status, 200);
});

Deno.test("the same daemon is known by its id after a restart, and the same file by a link to it", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const hello = () => rig.hub.said.find((message) => message.type === "hello")!;
  const first = hello(), { id } = rig.link("demo");
  Deno.symlinkSync(rig.file, `${rig.folder}/other.yaml`);
  await rig.restart({ file: `${rig.folder}/other.yaml` });
  const second = hello();
  assert.equal(second.daemon, first.daemon);
  assert.notEqual(second.instance, first.instance);
  assert.equal(rig.link("demo").id, id);
  Deno.copyFileSync(rig.file, `${rig.folder}/copy.yaml`);
  await rig.restart({ file: `${rig.folder}/copy.yaml` });
  assert.equal(rig.hub.declarations("demo")[0].id, null);
});

Deno.test("a symlink that is turned to another file goes on with its links, and what was revoked stays so", async () => {
  await using rig = await DaemonRig.start("links: {}");
  const { folder } = rig;
  const version = (name: string) => {
    Deno.mkdirSync(`${folder}/${name}`);
    Deno.writeTextFileSync(`${folder}/${name}/links.yaml`, "version: 1\nlinks: { demo: { target: echo } }\n");
    // As Kubernetes does it: the folder behind the file's own symlink changes.
    Deno.symlinkSync(name, `${folder}/next`);
    Deno.renameSync(`${folder}/next`, `${folder}/..data`);
  };
  version("first");
  Deno.symlinkSync("..data/links.yaml", `${folder}/mounted.yaml`);
  await rig.restart({ file: `${folder}/mounted.yaml` });
  await rig.daemon.revoke("demo");
  version("second");
  await rig.restart({ file: `${folder}/mounted.yaml` });
  assert.equal(rig.link("demo").state, "revoked");
});

Deno.test("the same name in another file is another link with an address of its own", async () => {
  let folder = "";
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }", {
    embedded: (listen) => realHub(() => folder ||= Deno.makeTempDirSync(), systemClock)(listen),
  });
  const { id } = rig.link("demo");
  await rig.daemon.revoke("demo");
  const file = `${rig.folder}/other.yaml`;
  Deno.copyFileSync(rig.file, file);
  await rig.restart({ file });
  const other = rig.link("demo");
  assert.equal(other.state, "active");
  assert.notEqual(other.id, id);
  const visit = async (label: string | null) =>
    (await ask(Number(new URL(other.url!).port), `${label}.localhost`, "GET / HTTP/1.1")).json;
  assert.equal((await visit(id)).code, "link_revoked");
  assert.equal((await visit(other.id)).method, "GET");
  await rig.restart({ file });
  assert.equal(rig.link("demo").id, other.id);
  await rig.restart();
  assert.deepEqual([rig.link("demo").state, rig.link("demo").id], ["revoked", id]);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("what can not be stored is answered 503 and logged, and can be done again", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const id = rig.link("demo").id!;
  {
    using _full = fullDisk(rig);
    const refused = await rig.api("DELETE", "/v1/links/demo");
    assert.deepEqual([refused.status, refused.json.code], [503, "unavailable"]);
    assert.match(refused.json.detail, /disk is full/);
    assert.equal(rig.lines.some((line) => / error .*disk is full/.test(line)), true);
    // It holds here, but nobody was told that it is durable.
    assert.equal(await rig.hub.visit(id), "link_revoked");
    assert.equal(rig.hub.declared("demo")!.state, "active");
    assert.equal((await rig.api("DELETE", "/v1/links/demo")).status, 503);
    assert.equal((await rig.api("POST", "/v1/links", { name: "quick", target: "echo" })).status, 503);
    assert.equal(rig.link("quick"), undefined);
  }
  assert.equal((await rig.api("DELETE", "/v1/links/demo")).status, 200);
  await rig.hub.until(() => rig.hub.declared("demo")!.state === "revoked");
  assert.equal((await rig.api("POST", "/v1/links", { name: "quick", target: "echo" })).status, 201);
  await rig.restart();
  assert.equal(rig.link("demo").state, "revoked");
});

Deno.test("a hub's revocation that could not be stored is stored as soon as it can be", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  {
    using _full = fullDisk(rig);
    rig.hub.revoke("demo", rig.clock.now());
    await rig.pass(1);
    assert.equal(rig.link("demo").state, "revoked");
    await eventually(() => rig.lines.some((line) => line.includes("disk is full")), Boolean);
  }
  await rig.pass(12_000);
  await rig.restart();
  assert.equal(rig.link("demo").state, "revoked");
});

Deno.test("a store that can not be opened ends the start, and gives the state directory back", async () => {
  await using rig = await DaemonRig.start("links: {}");
  await rig.daemon.close();
  const database = Deno.readFileSync(`${rig.state}/state.db`);
  Deno.writeTextFileSync(
    `${rig.state}/state.db`,
    "this is no database, whatever it may look like\n".repeat(100),
  );
  await assert.rejects(
    rig.begin(),
    (error: unknown) => error instanceof Failure && /damaged/.test(error.message),
  );
  Deno.writeFileSync(`${rig.state}/state.db`, database);
  await rig.restart();
});

Deno.test("a daemon that drains answers what is in flight, begins nothing, and closes", async () => {
  const clock = new TestClock();
  let folder = "";
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }", {
    clock,
    embedded: (listen) => realHub(() => folder ||= Deno.makeTempDirSync(), clock)(listen),
  });
  const { host, port } = new URL(rig.link("demo").url!);
  const asked = ask(Number(port), host, "GET /?delay=2s HTTP/1.1");
  await eventually(() => rig.link("demo").counters.open, (open) => open === 1);
  const drained = rig.daemon.drain();
  assert.equal((await rig.api("POST", "/v1/links", { name: "quick", target: "echo" })).status, 503);
  assert.equal((await rig.api("POST", "/v1/reload")).json.applied, false);
  for (let i = 0; i < 4; i++) await rig.pass(1000);
  assert.equal((await asked).status, 200);
  await rig.pass(1000);
  await drained;
  assert.equal(Deno.readDirSync(rig.state).some(({ name }) => name === "control.sock"), false);
  Deno.removeSync(folder, { recursive: true });
});
