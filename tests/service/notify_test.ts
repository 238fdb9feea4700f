/** What a service manager hears: ready, reloading, stopping, and that all is well while it is. */
import assert from "node:assert/strict";
import { Rig } from "../e2e/rig.ts";
import { Supervisor } from "./supervisor.ts";

const here = new URL("./", import.meta.url).pathname;
const LINKS = "version: 1\nlinks:\n  a: echo\n".replace("a: echo", "a: { target: echo }");

function daemonArgs(rig: Rig, ...more: string[]): string[] {
  const places = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];
  return [
    "run",
    "--config",
    `${rig.folder}/links.yaml`,
    "--state",
    `${rig.folder}/state`,
    ...places,
    ...more,
  ];
}

Deno.test("a daemon is ready once it serves, says when it reads its file again, and that it ends", async () => {
  await using rig = new Rig();
  const supervisor = await Supervisor.listen(rig);
  rig.file("links.yaml", LINKS);
  const daemon = supervisor.start(daemonArgs(rig));
  await supervisor.until("READY=1");
  assert.deepEqual(supervisor.heard, [["READY=1", "STATUS=1 link: 1 active"]]);
  // Ready: the ready line stands there, and the API answers.
  assert.match(daemon.stdout, /^ready hub=/);
  rig.file("links.yaml", `${LINKS}  b: { target: "localhost:1" }\n`);
  // Whether this or the watch comes first, each is told.
  assert.equal((await rig.run(["reload", "--state", `${rig.folder}/state`])).code, 0);
  await supervisor.until("STATUS=2 links: 2 active");
  const [, reloading, again] = supervisor.heard;
  assert.deepEqual([reloading, again[0]], [["RELOADING=1"], "READY=1"]);
  const { code } = await daemon.kill("SIGTERM");
  assert.equal(code, 0);
  await supervisor.until("STOPPING=1");
  assert.deepEqual(supervisor.heard.at(-1), ["STOPPING=1", "STATUS=finishing what is in flight"]);
  assert.equal(supervisor.count("WATCHDOG=1"), 0, "nobody asked for it");
});

Deno.test("a bad file makes the reload of a unit fail, and the daemon is ready as before", async () => {
  await using rig = new Rig();
  const supervisor = await Supervisor.listen(rig);
  rig.file("links.yaml", LINKS);
  supervisor.start(daemonArgs(rig));
  await supervisor.until("READY=1");
  rig.file("links.yaml", "version: 1\nlinks: 3\n");
  // As ExecReload runs it: the unit's state directory is in the environment.
  const reload = await rig.run(["reload"], { STATE_DIRECTORY: `${rig.folder}/state` });
  assert.equal(reload.code, 2);
  assert.match(reload.stderr, /links\.yaml:2:8: error/);
  await supervisor.until("READY=1", 2);
  assert.deepEqual(supervisor.heard.slice(1, 3), [["RELOADING=1"], ["READY=1", "STATUS=1 link: 1 active"]]);
});

Deno.test("the reload of a hub's unit is told, and fails for a bad file", async () => {
  await using rig = new Rig();
  const supervisor = await Supervisor.listen(rig);
  const file = rig.file("hub.yaml", "version: 1\nlisten: 127.0.0.1:0\n");
  supervisor.start(["hub", "--config", file, "--state", `${rig.folder}/state`]);
  await supervisor.until("READY=1");
  rig.file("hub.yaml", "version: 1\nlisten: 127.0.0.1:0\nlimits: 3\n");
  const reload = await rig.run(["hub", "reload"], { STATE_DIRECTORY: `${rig.folder}/state` });
  assert.deepEqual([reload.code, reload.stdout], [2, ""]);
  assert.match(reload.stderr, /hub\.yaml:3:9: error/);
  await supervisor.until("READY=1", 2);
  assert.deepEqual(supervisor.heard.slice(1, 3), [["RELOADING=1"], [
    "READY=1",
    "STATUS=links are at localhost",
  ]]);
});

Deno.test("a daemon is ready without its hub, and says that the links are pending", async () => {
  await using rig = new Rig();
  const supervisor = await Supervisor.listen(rig);
  rig.file("token", "t".repeat(40));
  rig.file("links.yaml", `hub: http://127.0.0.1:9\ntoken_file: ./token\n${LINKS}`);
  supervisor.start(daemonArgs(rig));
  await supervisor.until("READY=1");
  assert.deepEqual(supervisor.heard, [["READY=1", "STATUS=1 link: 1 pending"]]);
});

Deno.test("a hub is ready once it serves, at an abstract socket as at any", async () => {
  await using rig = new Rig();
  const supervisor = await Supervisor.listen(rig, `@connectd-${crypto.randomUUID()}`);
  const hub = supervisor.start(["hub", "--listen", "127.0.0.1:0", "--state", `${rig.folder}/hub`], {
    watchdogMs: 400,
  });
  await supervisor.until("READY=1");
  assert.deepEqual(supervisor.heard[0], ["READY=1", "STATUS=links are at localhost"]);
  await supervisor.until("WATCHDOG=1", 2);
  await hub.kill("SIGTERM");
  await supervisor.until("STOPPING=1");
});

Deno.test("a watchdog hears nothing from a loop that is stuck, and again from one that turns", async () => {
  await using rig = new Rig();
  const supervisor = await Supervisor.listen(rig);
  rig.file("links.yaml", LINKS);
  const blocked = rig.file("blocked", "");
  const daemon = supervisor.start(daemonArgs(rig), {
    watchdogMs: 200,
    program: `${here}blocked.ts`,
    env: { BLOCKED: blocked },
  });
  // Idle as it is.
  await supervisor.until("WATCHDOG=1", 3);
  daemon.signal("SIGUSR2");
  await daemon.until(() => daemon.stdout.includes("blocked"));
  const before = supervisor.count("WATCHDOG=1");
  // Three times the limit: a supervisor would have ended it.
  await new Promise((over) => setTimeout(over, 600));
  assert.equal(supervisor.count("WATCHDOG=1"), before);
  Deno.removeSync(blocked);
  await supervisor.until("WATCHDOG=1", before + 2);
});

Deno.test("a watchdog hears nothing from a daemon that nobody can command any more", async () => {
  await using rig = new Rig();
  const supervisor = await Supervisor.listen(rig);
  rig.file("links.yaml", LINKS);
  const daemon = supervisor.start(daemonArgs(rig), { watchdogMs: 200 });
  await supervisor.until("WATCHDOG=1", 2);
  Deno.removeSync(`${rig.folder}/state/control.sock`);
  await daemon.until(() => daemon.stderr.includes("the watchdog is not told"));
  const before = supervisor.count("WATCHDOG=1");
  await new Promise((over) => setTimeout(over, 500));
  assert.equal(supervisor.count("WATCHDOG=1"), before);
});

Deno.test("without the flag for it a service says why its supervisor hears nothing, and serves", async () => {
  await using rig = new Rig();
  const supervisor = await Supervisor.listen(rig);
  rig.file("links.yaml", LINKS);
  const grants = ["--no-prompt", "--allow-net", "--allow-env", "--allow-read", "--allow-write"];
  const daemon = supervisor.start(daemonArgs(rig, "--json"), { grants });
  await daemon.ready();
  await daemon.until(() => daemon.stderr.includes("--unstable-net"));
  assert.equal((await rig.run(["status", "--state", `${rig.folder}/state`])).code, 0);
});
