import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { type Script, settle, TargetRig } from "./target_rig.ts";

const MiB = 1024 * 1024;

/** A rig whose answers come, or do not, by hand. */
function timedRig(script: Script): { rig: TargetRig; clock: TestClock } {
  const clock = new TestClock();
  return { rig: new TargetRig(script, { clock }), clock };
}

/** Settles when `value` has not changed for a while: kernels have taken all they take. */
async function still(value: () => number): Promise<number> {
  for (let before = -1; before !== value();) {
    before = value();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return value();
}

Deno.test("a sink that takes nothing holds the target up, and gets every octet when it takes them again", async () => {
  const piece = new Uint8Array(64 * 1024).map((_, i) => i * 31 + (i >> 8));
  for (const framing of ["Content-Length: 33554432", "Transfer-Encoding: chunked", "X: to the end"]) {
    let written = 0;
    await using rig = new TargetRig(async (peer) => {
      await peer.readHead();
      await peer.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`);
      const chunked = framing.endsWith("chunked");
      for (; written < 32 * MiB; written += piece.length) {
        if (chunked) await peer.write("10000\r\n");
        await peer.write(piece);
        if (chunked) await peer.write("\r\n");
      }
      if (chunked) await peer.write("0\r\n\r\n");
    });
    const heard = rig.ask("GET /");
    heard.takes = 1000;
    await heard.until(() => heard.octets === 1000);
    assert.ok(await still(() => written) < 16 * MiB, `${written} octets were taken from the target`);
    assert.equal(heard.octets, 1000);
    let sum = 0, expected = 0;
    for (const octet of piece) expected += octet;
    const data = heard.data.bind(heard);
    heard.data = (bytes) => {
      for (const octet of bytes) sum += octet;
      return data(bytes);
    };
    for (let i = 0; i < 1000; i++) sum += piece[i];
    heard.takes = Infinity;
    heard.request.resume();
    await heard.over;
    assert.deepEqual([heard.octets, heard.code], [32 * MiB, null], framing);
    assert.equal(sum, 512 * expected, framing);
  }
});

Deno.test("a sink that takes a little at a time gets everything in its order", async () => {
  await using rig = new TargetRig(async (peer) => {
    await peer.readHead();
    await peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    await peer.write("5\r\nabcde\r\n1\r\nf\r\n14\r\n0123456789012345678!\r\n0\r\nX: y\r\n\r\n");
    await peer.readAll();
  });
  const heard = rig.ask("GET /");
  heard.takes = 0;
  await heard.until(() => heard.status === 200);
  while (heard.trailers === null) {
    heard.takes++;
    heard.request.resume();
    await Promise.resolve();
    if (heard.octets < heard.takes && heard.trailers === null) await settle();
  }
  assert.equal(heard.text, "abcdef0123456789012345678!");
  assert.equal(heard.trailers, "X: y\r\n");
});

Deno.test("what a target does not read is not reported, however it is framed; what it reads is, all of it", async () => {
  const gate = Promise.withResolvers<void>();
  await using rig = new TargetRig(async (peer) => {
    await peer.readHead();
    await gate.promise;
    await peer.readTo("0\r\n\r\n");
    await peer.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  const heard = rig.ask("POST /", { framing: { kind: "chunked" } });
  await settle();
  // Six octets of framing for each of the body: were they reported too, a window would never hold.
  const octet = new Uint8Array([0x61]);
  let sent = 0;
  const fill = async () => {
    for (let before = -1; before !== heard.flushedOctets;) {
      before = heard.flushedOctets;
      while (sent - heard.flushedOctets < 256 * 1024) {
        heard.request.send(octet);
        sent++;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await fill();
  // Loopback kernels take some MiB, of which a sixth is body.
  assert.ok(sent < 4 * MiB, `${sent} octets`);
  assert.equal(sent - heard.flushedOctets, 256 * 1024);
  gate.resolve();
  heard.request.finish("");
  await heard.over;
  assert.deepEqual([heard.status, heard.code], [204, null]);
  assert.equal(heard.flushedOctets, sent);
});

Deno.test("octets are reported when the kernel has them, and the head's are nobody's", async () => {
  await using rig = new TargetRig(async (peer) => {
    while (await peer.readHead() !== null) await peer.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  await rig.get();
  const head = "POST / HTTP/1.1\r\nHost: target\r\nContent-Length: 1000\r\n\r\n";
  const [socket] = rig.sockets;
  const rest = Promise.withResolvers<number>();
  socket.nextWrite = (p) => {
    socket.nextWrite = () => rest.promise;
    return socket.real.write(p.subarray(0, head.length + 100));
  };
  const heard = rig.ask(head, { framing: { kind: "length", length: 1000 } });
  heard.request.send(new Uint8Array(1000));
  await heard.until(() => heard.flushedOctets > 0);
  assert.equal(heard.flushedOctets, 100);
  rest.resolve(900);
  await heard.until(() => heard.flushedOctets > 100);
  assert.equal(heard.flushedOctets, 1000);
});

Deno.test("a visitor that sends slowly is not cut by the deadline of the idle connection it got", async () => {
  const { rig, clock } = timedRig(async (peer) => {
    await peer.readHead();
    await peer.write("HTTP/1.1 204 No Content\r\n\r\n");
    await peer.readAll();
  });
  await using _ = rig;
  await rig.get();
  const heard = rig.ask("POST /", { framing: { kind: "length", length: 2 } });
  heard.send("a");
  await heard.until(() => heard.flushedOctets === 1);
  clock.advance(3_600_000);
  assert.equal(heard.code, null);
  assert.equal(rig.connections, 1);
});

Deno.test("the time for an answer runs from the last octet of the request", async () => {
  const { rig, clock } = timedRig(async (peer) => {
    await peer.readHead();
    await peer.readAll();
  });
  await using _ = rig;
  const heard = rig.ask("POST /", { framing: { kind: "length", length: 2 }, timeoutMs: 1_000 });
  heard.send("a");
  await heard.until(() => heard.flushedOctets === 1);
  clock.advance(10_000);
  assert.equal(heard.code, null, "the visitor is still sending");
  heard.send("b");
  heard.request.finish("");
  await heard.until(() => heard.flushedOctets === 2);
  clock.advance(900);
  assert.equal(heard.code, null);
  clock.advance(200);
  assert.equal(heard.code, "target_timeout");
});

Deno.test("the last octet may be with the kernel before the request is said to end", async () => {
  const { rig, clock } = timedRig(async (peer) => void await peer.readAll());
  await using _ = rig;
  const heard = rig.ask("POST /", { framing: { kind: "length", length: 1 }, timeoutMs: 1_000 });
  heard.send("a");
  await heard.until(() => heard.flushedOctets === 1);
  heard.request.finish("");
  clock.advance(1_100);
  assert.equal(heard.code, "target_timeout");
});

Deno.test("interim answers win no time, and no body that moves or pauses is ever cut", async () => {
  const gate = Promise.withResolvers<void>();
  const { rig, clock } = timedRig(async (peer) => {
    const head = await peer.readHead();
    await peer.write("HTTP/1.1 103 Early Hints\r\n\r\n");
    if (head!.startsWith("GET /never")) return void await peer.readAll();
    await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    await gate.promise;
    await peer.write("cd");
    await peer.readAll();
  });
  await using _ = rig;
  const never = rig.ask("GET /never", { timeoutMs: 1_000 });
  await never.until(() => never.interims.length === 1);
  clock.advance(1_100);
  assert.equal(never.code, "target_timeout");
  const slow = rig.ask("GET /slow", { timeoutMs: 1_000 });
  await slow.until(() => slow.octets === 2);
  clock.advance(3_600_000);
  gate.resolve();
  await slow.over;
  assert.deepEqual([slow.text, slow.code], ["abcd", null]);
});

Deno.test("a kept connection counts the time of each request anew", async () => {
  const { rig, clock } = timedRig(async (peer) => {
    for (let head; (head = await peer.readHead()) !== null;) {
      if (head.startsWith("GET /never")) return void await peer.readAll();
      await peer.write("HTTP/1.1 204 No Content\r\n\r\n");
    }
  });
  await using _ = rig;
  await rig.get();
  const heard = rig.ask("GET /never", { timeoutMs: 60_000 });
  await settle();
  await settle();
  clock.advance(59_000);
  assert.equal(heard.code, null, "the deadline of an idle connection was left behind");
  clock.advance(1_100);
  assert.equal(heard.code, "target_timeout");
  assert.equal(rig.connections, 1);
});

Deno.test("a target that answers and does not take the rest of the request is left in the end", async () => {
  const left = Promise.withResolvers<void>();
  const { rig, clock } = timedRig(async (peer) => {
    await peer.readHead();
    await peer.write("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    await left.promise;
  });
  await using _ = rig;
  const body = new Uint8Array(32 * MiB);
  const heard = rig.ask("POST /", { framing: { kind: "length", length: body.length }, timeoutMs: 1_000 });
  heard.request.send(body);
  heard.request.finish("");
  await heard.over;
  assert.equal(heard.status, 202);
  assert.equal(rig.sockets[0].closed, false);
  clock.advance(1_100);
  assert.equal(rig.sockets[0].closed, true);
  left.resolve();
});
