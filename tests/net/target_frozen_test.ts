/** A target that stops in the middle of a request, as one that was frozen does: its connections stay, and take nothing. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { TargetRig } from "./target_rig.ts";

const MiB = 1024 * 1024;

/** Settles when the kernels on the way have taken all they take. */
async function full(flushed: () => number): Promise<number> {
  for (let before = -1; before !== flushed();) {
    before = flushed();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return flushed();
}

for (const framing of ["length", "chunked"] as const) {
  Deno.test(`a body that its target stops taking waits no longer than \`timeout\` (${framing})`, async () => {
    const gate = Promise.withResolvers<void>(), clock = new TestClock();
    await using rig = new TargetRig(async (peer) => {
      await peer.readHead();
      await gate.promise;
    }, { clock });
    using _ = { [Symbol.dispose]: () => gate.resolve() };
    const length = 64 * MiB;
    const heard = rig.ask("POST /", {
      framing: framing === "length" ? { kind: "length", length } : { kind: "chunked" },
      timeoutMs: 5_000,
    });
    for (let at = 0; at < length; at += MiB) heard.request.send(new Uint8Array(MiB));
    assert.ok(await full(() => heard.flushedOctets) < length);
    clock.advance(4_700);
    assert.equal(heard.code, null);
    clock.advance(400);
    assert.equal(heard.code, "target_timeout");
  });
}

Deno.test("a target that takes a body slowly has all the time it needs, and so has a visitor who sends slowly", async () => {
  const clock = new TestClock();
  let go = Promise.withResolvers<void>();
  await using rig = new TargetRig(async (peer) => {
    await peer.readHead();
    for (let left = 64; left > 0; left--) {
      await go.promise;
      go = Promise.withResolvers();
      await peer.read(MiB);
    }
    await peer.read(1);
    await peer.write("HTTP/1.1 204 No Content\r\n\r\n");
  }, { clock });
  const length = 64 * MiB + 1;
  const heard = rig.ask("POST /", { framing: { kind: "length", length }, timeoutMs: 5_000 });
  for (let at = 0; at < length - 1; at += MiB) heard.request.send(new Uint8Array(MiB));
  await full(() => heard.flushedOctets);
  // A reader that takes a mebibyte each time makes room for about as much; the kernels' own buffers may ask for more.
  while (heard.flushedOctets < length - 1) {
    const before = heard.flushedOctets;
    while (heard.flushedOctets === before) {
      go.resolve();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    clock.advance(4_000);
    assert.equal(heard.code, null, `given up after ${heard.flushedOctets} octets`);
  }
  clock.advance(60_000);
  assert.equal(heard.code, null, "the visitor's pause was taken for the target's");
  heard.send("x");
  heard.request.finish("");
  const draining = setInterval(() => go.resolve());
  await heard.over;
  clearInterval(draining);
  assert.equal(heard.status, 204);
});
