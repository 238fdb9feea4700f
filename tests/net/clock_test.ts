/** The process's own clock, over real sockets. */
import assert from "node:assert/strict";
import { systemClock } from "../../src/clock.ts";

/** Takes the processor for `ms`, as a process is held that is frozen. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

Deno.test("what a peer sent in time is read before a deadline passes that came while the process was held up", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  using peer = await Deno.connect({ hostname: "127.0.0.1", port });
  const socket = await listener.accept();
  const fired: string[] = [], over = Promise.withResolvers<void>();
  const patience = systemClock.timer(() => fired.push("patience"));
  const other = systemClock.timer(() => over.resolve());
  patience.set(300);
  other.set(500);
  const read = socket.read(new Uint8Array(8)).then(() => patience.clear());
  // Timers keep no process alive; who waits for an answer does.
  const silence = peer.read(new Uint8Array(1));
  await peer.write(new Uint8Array(1));
  block(1_500);
  await Promise.all([read, over.promise]);
  assert.deepEqual(fired, []);
  patience.drop();
  other.drop();
  socket.close();
  assert.equal(await silence, null);
});

Deno.test("a deadline passes also where every turn of an overrun process takes longer than a tick may be late", async () => {
  let fired = 0;
  const deadline = systemClock.timer(() => fired++);
  deadline.set(300);
  for (let turns = 0; turns < 4 && fired === 0; turns++) {
    await new Promise((turn) => setTimeout(turn, 0));
    block(1_100);
  }
  deadline.drop();
  assert.equal(fired, 1);
});

Deno.test("a deadline that is set as a process goes on that was held up passes no earlier than any other", async () => {
  const running = systemClock.timer(() => {});
  running.set(60_000);
  block(1_500);
  const passed = Promise.withResolvers<number>(), begun = performance.now();
  const deadline = systemClock.timer(() => passed.resolve(performance.now() - begun));
  deadline.set(600);
  const alive = setInterval(() => {}, 1_000);
  assert.ok(await passed.promise >= 600);
  clearInterval(alive);
  deadline.drop();
  running.drop();
});
