/** Services exposed while things run, and shares: let in, cut, ended, over restarts. */
import assert from "node:assert/strict";
import { connect, echoing, ended, World, writeAll } from "./world.ts";

/** Whether what is sent to `port` comes back. */
async function works(port: number): Promise<boolean> {
  using one = await connect(port);
  await writeAll(one, new Uint8Array([7]));
  return await one.read(new Uint8Array(1)).catch(() => null) === 1;
}

Deno.test("a share opens its services to whom it lets in, writes where they are, and its end cuts them at once", async () => {
  using echo = echoing();
  await using world = await World.start(
    `  echo-1: { target: "tcp://127.0.0.1:${echo.port}", access: private }\n` +
      `  other: { target: "127.0.0.1:${echo.port}", access: private }\n`,
  );
  const { rig } = world;
  const verb = async (...args: string[]) => {
    const run = await rig.run(world.words(args));
    assert.equal(run.code, 0, run.stderr);
    return run.stdout;
  };
  const code = (await verb("share", "--services", "echo-1", "--expires", "1h", "--require-approval")).trim();
  assert.match(code, /^[a-z2-7]{5}(-[a-z2-7]{5}){2}$/);
  const env = `${rig.folder}/env`;
  const joined = rig.connectd(world.words(["join", code, "--env-file", env, "--json"], "desk"));
  await joined.until(() => joined.stderr.includes("waiting for approval"));
  assert.match(await verb("share", "--list"), /echo-1 +laptop +in \d+[hm].* +desk \(waits\)/);
  // Nobody gets in by the share's id alone, or with a token that waits.
  const [{ id }] = JSON.parse(await verb("share", "--list", "--json")).items;
  for (const token of ["desk", "laptop"]) {
    const answer = await fetch(`${world.url}/v1/reach?share=${id}`, {
      headers: { Authorization: `Bearer ${Deno.readTextFileSync(`${rig.folder}/${token}.token`).trim()}` },
    });
    assert.equal((await answer.json()).code, "forbidden", token);
  }
  await verb("share", "--approve", "desk");
  const { services } = await joined.ready<{ services: { name: string; port: number; url: string }[] }>();
  const [{ name, port, url }] = services;
  assert.deepEqual([services.length, name, url], [1, "echo-1", `tcp://127.0.0.1:${port}`]);
  assert.equal(Deno.readTextFileSync(env), `ECHO_1_HOST=127.0.0.1\nECHO_1_PORT=${port}\nECHO_1_URL=${url}\n`);
  assert.equal(Deno.statSync(env).mode! & 0o777, 0o600);
  assert.equal(await works(port), true);
  using one = await connect(port);
  await writeAll(one, new Uint8Array([1]));
  await one.read(new Uint8Array(1));
  await verb("share", "--revoke", id);
  const at = performance.now();
  await ended(one);
  assert.ok(performance.now() - at < 1_000);
  const { code: exit, stderr } = await joined.ended();
  assert.deepEqual([exit, /the share has ended/.test(stderr)], [0, true]);
  const again = await rig.run(world.words(["join", code], "desk"));
  assert.deepEqual([again.code, /no such share/.test(again.stderr)], [1, true]);
  // The secret is in no log and no trail.
  const told = world.hub.stderr + JSON.stringify(await world.trail("share"));
  assert.equal(told.includes(code), false);
});

Deno.test("a share that expires ends those who joined, and a token with a life of its own ends with it", async () => {
  using echo = echoing();
  await using world = await World.start(
    `  echo: { target: "tcp://127.0.0.1:${echo.port}", access: private }\n`,
  );
  const { rig } = world;
  await world.token("short", "member", "8s");
  const [short, made] = await Promise.all([
    world.reach("echo", "short"),
    rig.run(world.words(["share", "--expires", "10s"])),
  ]);
  using one = await connect(short.port);
  const joined = rig.spawn("sh", [
    "-c",
    'echo "$0" | exec "$@"',
    made.stdout.trim(),
    ...[Deno.execPath(), "run", "--no-prompt", "--allow-net", "--allow-read", "--allow-write", "--allow-env"],
    ...[new URL("../../mod.ts", import.meta.url).pathname, ...world.words(["join", "-", "--json"], "desk")],
  ]);
  const { services: [{ port }] } = await joined.ready<{ services: { port: number }[] }>();
  using other = await connect(port);
  await Promise.all([ended(one), ended(other)]);
  assert.equal((await short.process.ended()).code, 1);
  assert.equal((await joined.ended()).code, 0);
});

Deno.test("what is exposed by a running daemon stays over its kill until it is closed, which cuts it", async () => {
  using echo = echoing();
  await using world = await World.start("  web: 127.0.0.1:1\n");
  const { rig } = world, target = `tcp://127.0.0.1:${echo.port}`;
  const here = (...args: string[]) => rig.run(["expose", ...args, "--state", `${rig.folder}/daemon`]);
  const made = await here(target, "--name", "echo", "--allow", "laptop");
  assert.match(made.stdout, /^echo leads to tcp:.*, for laptop\nreach it: connectd reach echo --hub http/);
  assert.match(
    (await here("tcp://127.0.0.1:1", "--name", "echo")).stderr,
    /there is another service echo: close it first/,
  );
  assert.match((await here(target, "--name", "web")).stderr, /another service web: choose another name/);
  await world.daemon.kill("SIGKILL");
  await world.startDaemon();
  assert.match(
    (await here("--list")).stdout,
    /echo +tcp:\S+ +private +laptop +exposed +0\nweb +http:\S+ +public/,
  );
  const { port } = await world.reach("echo");
  using one = await connect(port);
  await writeAll(one, new Uint8Array([1]));
  assert.equal(await one.read(new Uint8Array(1)), 1);
  assert.equal((await here("--close", "echo")).code, 0);
  await ended(one);
  assert.equal((await here("--close", "echo")).code, 1);
  assert.match((await here("--close", "web")).stderr, /stands in the file/);
});

Deno.test("without a daemon a service is exposed in the foreground, and is gone with it", async () => {
  using echo = echoing();
  await using world = await World.start("  web: 127.0.0.1:1\n");
  const { rig } = world;
  const args = ["expose", `tcp://127.0.0.1:${echo.port}`, "--name", "echo", "--state", `${rig.folder}/none`];
  const exposed = rig.connectd(world.words(args, "work"));
  await exposed.until(() => exposed.stdout.includes("reach it"));
  const { port, process } = await world.reach("echo");
  assert.equal(await works(port), true);
  assert.equal((await exposed.kill("SIGINT")).code, 0);
  assert.equal(await works(port), false);
  await process.until(() => /no daemon that is connected/.test(process.stderr));
  const bare = rig.file("bare.yaml", "version: 1\nlinks: {}\n");
  const homeless = await rig.run([
    "expose",
    "tcp://127.0.0.1:1",
    "-c",
    bare,
    "--state",
    `${rig.folder}/none`,
  ]);
  assert.deepEqual([homeless.code, /no hub is named/.test(homeless.stderr)], [1, true]);
});
