/** Private services under strain: readers that stop, members that leave amid a transfer, thousands of connections, ports that are taken. */
import assert from "node:assert/strict";
import { eventually, freePort } from "../e2e/rig.ts";
import { close, connect, echoing, ended, readAll, Target, World, writeAll } from "./world.ts";

const KIB = 1024, MIB = 1024 * KIB;

/** Sends without end, and tells of each that left. */
function pouring(left: () => void): Target {
  return new Target(async (connection) => {
    const bytes = new Uint8Array(64 * KIB);
    try {
      for (;;) await writeAll(connection, bytes);
    } finally {
      left();
    }
  });
}

Deno.test("readers that stop hold up nobody else, and a member that is interrupted amid transfers ends at once and cuts them", async () => {
  let left = 0;
  using pour = pouring(() => left++);
  using echo = echoing();
  await using world = await World.start(
    `  pour: { target: "tcp://127.0.0.1:${pour.port}", access: private }\n` +
      `  echo: { target: "tcp://127.0.0.1:${echo.port}", access: private }\n` +
      `  dead: { target: "unix:/nowhere/socket", access: private }\n`,
  );
  // All by one session: that of a share.
  const { stdout: code } = await world.rig.run(world.words(["share"]));
  const joined = world.rig.connectd(world.words(["join", code.trim(), "--json"], "desk"));
  const { services } = await joined.ready<{ services: { name: string; port: number }[] }>();
  const port = (name: string) => services.find((service) => service.name === name)!.port;
  const stopped = await Promise.all(Array.from({ length: 20 }, () => connect(port("pour"))));
  const octet = new Uint8Array(1);
  await Promise.all(stopped.map((one) => one.read(octet)));
  using busy = await connect(port("pour"));
  const taken = (async () => {
    const buffer = new Uint8Array(64 * KIB);
    for (let octets = 0; octets < 64 * MIB;) octets += (await busy.read(buffer))!;
  })();
  const body = crypto.getRandomValues(new Uint8Array(64 * KIB));
  for (let i = 0; i < 20; i++) {
    using one = await connect(port("echo"));
    const [back] = await Promise.all([readAll(one), writeAll(one, body).then(() => one.closeWrite())]);
    assert.deepEqual(back, body);
  }
  await taken;
  using dead = await connect(port("dead"));
  await ended(dead);
  await joined.until(() => /^dead: a connection was cut: nothing answers/m.test(joined.stderr));
  assert.equal(left, 0);
  assert.equal((await joined.kill("SIGINT")).code, 0);
  await eventually(() => Promise.resolve(left), (n) => n === 21);
  for (const one of stopped) close(one);
});

Deno.test("2,000 short connections, 64 at a time, each get their answer, and none is left open", async () => {
  using echo = echoing();
  await using world = await World.start(
    `  echo: { target: "tcp://127.0.0.1:${echo.port}", access: private }\n`,
  );
  const { port, process } = await world.reach("echo");
  let to = 0, wrong = 0;
  await Promise.all(Array.from({ length: 64 }, async () => {
    while (to < 2_000) {
      const text = new TextEncoder().encode(`connection ${to++}`);
      using one = await connect(port);
      await writeAll(one, text);
      await one.closeWrite();
      if (new TextDecoder().decode(await readAll(one)) !== new TextDecoder().decode(text)) wrong++;
    }
  }));
  assert.deepEqual([wrong, echo.accepted, process.stderr], [0, 2_000, ""]);
  const listed = await world.rig.run(["expose", "--list", "--state", `${world.rig.folder}/daemon`]);
  assert.match(listed.stdout, /^echo .* file +0$/m);
});

Deno.test("a port here has the number of the service's own where that is free, else another; one that was asked for is an error", async () => {
  const usual = freePort();
  await using world = await World.start(`  db: { target: "tcp://127.0.0.2:${usual}", access: private }\n`);
  const words = (...args: string[]) => world.words(["reach", "db", "--json", ...args]);
  const first = world.rig.connectd(words());
  assert.equal((await first.ready<{ port: number }>()).port, usual);
  const second = world.rig.connectd(words());
  assert.notEqual((await second.ready<{ port: number }>()).port, usual);
  const third = await world.rig.run(words("--port", String(usual)));
  assert.deepEqual([third.code, third.stderr], [
    1,
    `connectd: the port ${usual} is taken\n  name another with --port N, or 0 for a free one\n`,
  ]);
});

Deno.test("who waits for approval goes on waiting while the hub is away, and is let in by the one that comes back", async () => {
  using echo = echoing();
  await using world = await World.start(
    `  echo: { target: "tcp://127.0.0.1:${echo.port}", access: private }\n`,
  );
  const { rig } = world;
  const { stdout: code } = await rig.run(world.words(["share", "--require-approval"]));
  const joined = rig.connectd(world.words(["join", code.trim(), "--json"], "desk"));
  await joined.until(() => joined.stderr.includes("waiting for approval"));
  await world.hub.kill("SIGKILL");
  await joined.until(() => joined.stderr.includes("the hub is lost"));
  await world.startHub(`127.0.0.1:${new URL(world.url).port}`);
  assert.equal((await rig.run(world.words(["share", "--approve", "desk"]))).code, 0);
  const { services: [{ port }] } = await joined.ready<{ services: { port: number }[] }>();
  using one = await connect(port);
  await writeAll(one, new Uint8Array([7]));
  assert.equal(await one.read(new Uint8Array(1)), 1);
  await world.api("DELETE", "/v1/tokens/desk");
  await ended(one);
  assert.equal((await joined.ended()).code, 1);
});

Deno.test("on the machine of its daemon a service whose target is down is not led to itself, and the target gets its port back", async () => {
  const usual = freePort();
  await using world = await World.start(`  db: { target: "tcp://localhost:${usual}", access: private }\n`);
  const state = ["--state", `${world.rig.folder}/daemon`, "--json"];
  const reached = world.rig.connectd(world.words(["reach", "db", ...state]));
  const { port } = await reached.ready<{ port: number }>();
  using one = await connect(port);
  await ended(one);
  await reached.until(() => /nothing answers where its daemon connects to/.test(reached.stderr));
  Deno.listen({ hostname: "127.0.0.1", port: usual }).close();
  const { stdout: code } = await world.rig.run(world.words(["share"]));
  const joined = world.rig.connectd(world.words(["join", code.trim(), ...state], "desk"));
  const { services } = await joined.ready<{ services: { port: number }[] }>();
  assert.notEqual(services[0].port, usual);
});
