/** Private services, reached: octets both ways, who is let in, and what ends whom. */
import assert from "node:assert/strict";
import { curl, eventually } from "../e2e/rig.ts";
import {
  close,
  connect,
  digest,
  echoing,
  ended,
  readAll,
  summing,
  Target,
  World,
  writeAll,
} from "./world.ts";

const KIB = 1024, MIB = 1024 * KIB;

Deno.test("octets go both ways whole, each with its own end, on 256 connections at once", async () => {
  using sum = summing();
  using echo = echoing();
  await using world = await World.start(
    `  sum: { target: "tcp://127.0.0.1:${sum.port}", access: private }\n` +
      `  echo: { target: "tcp://localhost:${echo.port}", access: private }\n`,
  );
  const [summed, echoed] = await Promise.all([world.reach("sum"), world.reach("echo")]);
  const big = crypto.getRandomValues(new Uint8Array(64 * KIB));
  const body = new Uint8Array(8 * MIB);
  for (let at = 0; at < body.length; at += big.length) body.set(big, at);
  // It answers after the end of what it was sent: a direction that took the other one with it would leave nothing.
  using half = await connect(summed.port);
  await writeAll(half, body);
  await half.closeWrite();
  assert.equal(new TextDecoder().decode(await readAll(half)), `${body.length} ${await digest(body)}`);

  using through = await connect(echoed.port);
  const [back] = await Promise.all([
    readAll(through),
    writeAll(through, body).then(() => through.closeWrite()),
  ]);
  assert.equal(await digest(back), await digest(body));

  const all = await Promise.all(Array.from({ length: 256 }, async (_, i) => {
    using one = await connect(summed.port);
    const text = new TextEncoder().encode(`connection ${i}`.repeat(1 + i));
    await writeAll(one, text);
    await one.closeWrite();
    return new TextDecoder().decode(await readAll(one)) === `${text.length} ${await digest(text)}`;
  }));
  assert.deepEqual(all.filter((right) => !right), []);

  const reached = await world.trail("service.reached");
  assert.deepEqual(reached.map(({ actor, subject }) => [actor, subject]).sort(), [
    ["token:laptop", "echo"],
    ["token:laptop", "sum"],
  ]);
  await summed.process.kill();
  await echoed.process.kill();
  // The trail is told at the latest when the hub ends.
  await world.hub.kill();
  const left = await world.trail("service.left");
  const { connections, bytesIn, bytesOut } = left.find(({ subject }) => subject === "sum")!.data;
  assert.deepEqual([connections, Number(bytesIn) > body.length, Number(bytesOut) > 257 * 64], [
    257,
    true,
    true,
  ]);
});

Deno.test("curl reaches a private HTTP service by name and by unix socket, kept alive, with a body", async () => {
  const socket = Deno.makeTempDirSync({ prefix: "connectd-private-" }) + "/s";
  const listener = Deno.listen({ transport: "unix", path: socket });
  const served = (async () => {
    for await (const connection of listener) {
      void (async () => {
        const buffer = new Uint8Array(64 * KIB);
        let text = "";
        for (;;) {
          const n = await connection.read(buffer);
          if (n === null) return connection.close();
          text += new TextDecoder("latin1").decode(buffer.subarray(0, n));
          const cut = text.indexOf("\r\n\r\n");
          const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
          if (cut < 0 || text.length < cut + 4 + length) continue;
          const body = `${text.split(" ")[0]} ${length}`;
          text = text.slice(cut + 4 + length);
          await connection.write(
            new TextEncoder().encode(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
          );
        }
      })().catch(() => {});
    }
  })();
  await using world = await World.start(`  app: { target: "unix:${socket}", access: private }\n`);
  world.rig.atEnd(async () => {
    listener.close();
    await served.catch(() => {});
    Deno.removeSync(socket.replace(/\/s$/, ""), { recursive: true });
  });
  const { port } = await world.reach("app");
  const url = `http://127.0.0.1:${port}/`;
  const twice = await curl(url, url, "-w", "%{num_connects}\n");
  assert.match(twice.body, /^GET 0\d\n?/);
  const file = world.rig.file("body", "x".repeat(MIB));
  const sent = await curl(url, "-T", file, "-H", "Expect:");
  assert.equal(sent.body, `PUT ${MIB}`);
});

Deno.test("only a member whose name the service allows is let in, and each refusal says why", async () => {
  using echo = echoing();
  const open = `  echo: { target: "tcp://127.0.0.1:${echo.port}", access: private, allow: [laptop] }\n`;
  await using world = await World.start(
    open +
      `  web: { target: "127.0.0.1:${echo.port}" }\n  dead: { target: "tcp://127.0.0.1:1", access: private }\n`,
  );
  const refused = await Promise.all(
    [["echo", "eye"], ["web", "laptop"], ["ekho", "laptop"]].map(([service, token]) =>
      world.rig.run(world.words(["reach", service], token))
    ),
  );
  assert.deepEqual(refused.map(({ code }) => code), [1, 1, 1]);
  assert.match(refused[0].stderr, /does not admit a member with this token/);
  assert.match(refused[1].stderr, /the service web is public/);
  assert.match(refused[2].stderr, /knows no private service "ekho"\n {2}did you mean echo\?/);

  const [stranger, dead] = await Promise.all([world.reach("echo", "desk"), world.reach("dead")]);
  for (
    const [{ port, process }, why] of [[stranger, /may not reach it/], [
      dead,
      /nothing answers where/,
    ]] as const
  ) {
    using one = await connect(port);
    await ended(one);
    await process.until(() => why.test(process.stderr));
  }
  assert.equal(echo.accepted, 0);

  // Who is no longer allowed is cut, and so is everybody when the service goes.
  const { port } = await world.reach("echo");
  using one = await connect(port);
  await writeAll(one, new Uint8Array([1]));
  assert.equal(await one.read(new Uint8Array(1)), 1);
  world.write(open.replace("laptop", "desk"));
  await ended(one);
  using other = await connect(stranger.port);
  await writeAll(other, new Uint8Array([1]));
  assert.equal(await other.read(new Uint8Array(1)), 1);
  world.write(`  other: { target: "tcp://127.0.0.1:${echo.port}", access: private }\n`);
  await ended(other);
  await stranger.process.until(() => /it was closed/.test(stranger.process.stderr));
  // What the daemon refuses is told as well, at the latest when the hub ends.
  await world.hub.kill();
  const told = await world.trail("service.refused");
  assert.deepEqual(told.map(({ actor, subject, data }) => [actor, subject, data.code]).sort(), [
    ["token:desk", "echo", "not_allowed"],
    ["token:laptop", "dead", "target_refused"],
  ]);
});

Deno.test("a connection outlives neither its token nor its daemon, and new ones work after either end was killed", async () => {
  using echo = echoing();
  await using world = await World.start(
    `  echo: { target: "tcp://127.0.0.1:${echo.port}", access: private }\n`,
  );
  const [laptop, desk] = await Promise.all([world.reach("echo"), world.reach("echo", "desk")]);
  const works = async (port: number) => {
    using one = await connect(port);
    await writeAll(one, new Uint8Array([7]));
    return await one.read(new Uint8Array(1)).catch(() => null) === 1;
  };
  using before = await connect(desk.port);
  assert.equal(await works(desk.port), true);
  await world.restartHub();
  await ended(before);
  // It waits for hub and daemon; nothing is to be tried twice.
  assert.equal(await works(desk.port), true);

  using during = await connect(desk.port);
  assert.equal(await works(desk.port), true);
  await world.daemon.kill("SIGKILL");
  await ended(during);
  assert.equal(await works(desk.port), false);
  await desk.process.until(() => /no daemon that is connected|its daemon is away/.test(desk.process.stderr));
  await world.startDaemon();
  assert.equal(await works(desk.port), true);

  using last = await connect(laptop.port);
  await eventually(() => works(laptop.port), (right) => right);
  await writeAll(last, new Uint8Array([7]));
  await last.read(new Uint8Array(1));
  await world.api("DELETE", "/v1/tokens/laptop");
  const at = performance.now();
  await ended(last);
  assert.ok(performance.now() - at < 1_000);
  const { code, stderr } = await laptop.process.ended();
  assert.deepEqual(
    [code, /not valid any more\n {2}get another: connectd login http/.test(stderr)],
    [1, true],
    stderr,
  );
  assert.equal(await works(desk.port), true);
});

Deno.test("what a target says before it breaks the connection arrives, and a client that leaves is told to it", async () => {
  let left = 0;
  const told = Promise.withResolvers<void>();
  using rude = new Target(async (connection) => {
    const buffer = new Uint8Array(16);
    await connection.read(buffer);
    if (buffer[0] === 1) {
      await writeAll(connection, new Uint8Array(MIB));
      // With octets unread a close is a reset.
      return close(connection);
    }
    await ended(connection);
    left++;
    told.resolve();
  });
  await using world = await World.start(
    `  rude: { target: "tcp://127.0.0.1:${rude.port}", access: private }\n`,
  );
  const { port } = await world.reach("rude");
  using one = await connect(port);
  await writeAll(one, new Uint8Array([1]));
  assert.equal((await readAll(one)).length, MIB);
  const other = await connect(port);
  await writeAll(other, new Uint8Array([2]));
  other.close();
  await told.promise;
  assert.equal(left, 1);
});
