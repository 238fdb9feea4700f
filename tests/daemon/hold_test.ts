/** Requests that are held for a target, and what ends their wait. */
import assert from "node:assert/strict";
import { systemClock } from "../../src/clock.ts";
import { DaemonRig } from "./daemon_rig.ts";
import { type Asked, Connection, entryTo, requestText, Rig } from "./serve_rig.ts";

/** A port that nobody listens on. */
function closedPort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

/** A daemon in front of nobody, with a request that was refused once and waits. */
async function held(keys = ""): Promise<{ rig: DaemonRig; asked: Asked }> {
  const target = `"127.0.0.1:${closedPort()}"`;
  const rig = await DaemonRig.start(`links: { demo: { target: ${target}, hold: 60s${keys} } }`, {
    clock: systemClock,
  });
  const asked = rig.hub.ask(rig.hub.id("demo"));
  while (rig.link("demo").counters.open === 0) await new Promise((turn) => setTimeout(turn, 1));
  // Whoever knocked before these knows by then that nobody opens.
  for (let i = 0; i < 2; i++) {
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: closedPort() }));
  }
  return { rig, asked };
}

/** What ends the wait, and what the visitor is told. */
const ENDS: [
  what: string,
  refused: string | null,
  act: (rig: DaemonRig, asked: Asked) => Promise<unknown>,
][] = [
  ["a revocation", "link_revoked", (rig) => rig.daemon.revoke("demo")],
  ["the removal of the link", "link_removed", (rig) => rig.reload("links: {}", { allowEmpty: true })],
  ["the daemon's drain", "link_unavailable", (rig) => rig.daemon.drain()],
];

for (const [what, refused, act] of ENDS) {
  Deno.test(`${what} ends the wait for a target at once`, async () => {
    const { rig, asked } = await held(", drain: 50s");
    await using _ = rig;
    const acted = act(rig, asked);
    await asked.over;
    assert.equal(asked.refused, refused);
    await acted;
  });
}

Deno.test("a visitor who leaves is not waited for", async () => {
  const { rig, asked } = await held();
  await using _ = rig;
  asked.stream.reset("visitor_left");
  while (rig.link("demo").counters.open > 0) await new Promise((turn) => setTimeout(turn, 1));
});

Deno.test("those that wait count against max_streams", async () => {
  const { rig } = await held(", max_streams: 1");
  await using _ = rig;
  assert.equal(await rig.hub.visit(rig.hub.id("demo")), "link_busy");
});

Deno.test("a drain lets what is under way finish, and holds nothing that comes after it", async () => {
  await using rig = new Rig();
  const answer = Promise.withResolvers<void>(), arrived = Promise.withResolvers<void>();
  const target = rig.target(async (connection) => {
    await connection.readHead();
    arrived.resolve();
    await answer.promise;
    await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  const open = rig.link(entryTo(target.target, { holdMs: 60_000 }));
  const nobody = { kind: "http", host: "127.0.0.1", port: closedPort() } as const;
  const closed = rig.link(entryTo(nobody, { name: "closed", holdMs: 60_000 }), "closed");
  const first = rig.ask(requestText("GET /"));
  await arrived.promise;
  for (const link of [open, closed]) link.hurry();
  assert.equal((await rig.get("GET /", [], { link: "closed" })).refused, "target_refused");
  answer.resolve();
  await first.over;
  assert.equal(first.status, 200);
});

Deno.test("when its time is over a visitor gets 502, and the log has how long that was", async () => {
  await using rig = new Rig();
  const target = { kind: "http", host: "127.0.0.1", port: closedPort() } as const;
  const link = rig.link(entryTo(target, { holdMs: 300 }));
  // The clock's own timers keep no process alive.
  const alive = setInterval(() => {}, 1_000);
  assert.equal((await rig.get("GET /")).refused, "target_refused");
  clearInterval(alive);
  assert.match(rig.said.join("\n"), /a target failed.*held for \d{3} ms/);
  assert.match(link.trouble!, /^target_refused: .*held for \d{3} ms$/);
});

Deno.test("a body that comes while the target is waited for is no more than the first window, and is not lost", async () => {
  await using rig = new Rig();
  const port = closedPort();
  rig.link(entryTo({ kind: "http", host: "127.0.0.1", port }, { holdMs: 60_000 }));
  const size = 1024 * 1024;
  const asked = rig.ask(requestText("POST /", [`Content-Length: ${size}`]), {}, false);
  const sent = asked.send(new Uint8Array(size).fill(0x61));
  let all = false;
  sent.then(() => all = true);
  // One that needs no target comes behind all that has credit.
  await rig.get("GET /", [], { link: "none" });
  assert.equal(all, false);
  using listener = Deno.listen({ hostname: "127.0.0.1", port });
  const target = new Connection(await listener.accept());
  await target.readHead();
  const came = await target.read(size);
  await target.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  await asked.over;
  assert.deepEqual([asked.status, came], [200, "a".repeat(size)]);
  target.close();
});
