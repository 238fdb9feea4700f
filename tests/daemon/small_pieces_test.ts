/** A body that comes octet by octet waits in as much memory as it has octets. */
import assert from "node:assert/strict";
import { systemClock } from "../../src/clock.ts";
import { latin1 } from "../../src/core/latin1.ts";
import { Opcode, wsFrame } from "../../src/core/ws.ts";
import type { Auth, Judged } from "../../src/daemon/auth.ts";
import { type Socket, socketPair } from "../../src/net/socket.ts";
import { TargetPool } from "../../src/net/pool.ts";
import { liveOctets } from "../heap.ts";
import { type Asked, entryTo, requestText, Rig } from "./serve_rig.ts";

const OCTETS = 200_000;
/** Side by side they are 200 KB in buffers of twice that; apart they were 20 MB and more. */
const MOST = 4 * 1024 * 1024;

const CHUNKED = requestText("POST /", [
  "Transfer-Encoding: chunked",
  "Authorization: Bearer 0123456789abcdef",
]);

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Sends `bytes` in frames of one octet each. */
async function drip({ stream }: Asked, bytes: Uint8Array): Promise<void> {
  for (let i = 0; i < bytes.length;) {
    const sent = stream.send(bytes, i, i + 1);
    if (sent === 0) await turn();
    i += sent;
  }
}

const body = new Uint8Array(OCTETS).fill(0x61);

Deno.test("while a credential is judged", async () => {
  await using rig = new Rig();
  const link = rig.link(entryTo({ kind: "echo" }, {}, { auth: true, bearer: true }));
  let judged!: Judged;
  const slow = {
    problem: null,
    concerns: () => true,
    judge: (_: string, waiter: Judged) => (judged = waiter, null),
    close() {},
  };
  link.auth = slow as unknown as Auth;
  const asked = rig.ask(CHUNKED, {}, false);
  await drip(asked, body.subarray(0, 1000));
  const before = liveOctets();
  await drip(asked, body.subarray(1000));
  await turn();
  const grown = liveOctets() - before;
  assert.ok(grown < MOST, `${grown} octets`);
  asked.stream.end();
  judged.judged("right");
  await asked.over;
  assert.equal(JSON.parse(asked.text).body, latin1(body));
});

Deno.test("while the target is dialled", async () => {
  await using rig = new Rig();
  const link = rig.link(entryTo({ kind: "echo" }));
  const dialled = Promise.withResolvers<Socket>();
  link.pool = new TargetPool({ kind: "echo" }, {
    tls: null,
    clock: systemClock,
    connect: () => dialled.promise,
  });
  const asked = rig.ask(CHUNKED, {}, false);
  await drip(asked, body.subarray(0, 1000));
  const before = liveOctets();
  await drip(asked, body.subarray(1000));
  await turn();
  const grown = liveOctets() - before;
  assert.ok(grown < MOST, `${grown} octets`);
  const [ours, its] = socketPair();
  dialled.resolve(ours);
  asked.stream.end();
  let text = "";
  const buffer = new Uint8Array(65536);
  while (!text.endsWith("\r\n0\r\n\r\n")) text += latin1(buffer, 0, (await its.read(buffer))!);
  assert.equal(text.slice(text.indexOf("\r\n\r\n") + 4), "1\r\na\r\n".repeat(OCTETS) + "0\r\n\r\n");
  its.close();
});

Deno.test("while echo waits for the rest", async () => {
  await using rig = new Rig();
  rig.link(entryTo({ kind: "echo" }));
  const asked = rig.ask(CHUNKED, {}, false);
  await drip(asked, body.subarray(0, 1000));
  const before = liveOctets();
  await drip(asked, body.subarray(1000));
  await turn();
  const grown = liveOctets() - before;
  assert.ok(grown < MOST, `${grown} octets`);
  asked.stream.end();
  await asked.over;
  assert.equal(JSON.parse(asked.text).body, latin1(body));
});

Deno.test("while echo waits for the rest of a WebSocket message", async () => {
  await using rig = new Rig();
  rig.link(entryTo({ kind: "echo" }));
  const asked = rig.ask(
    requestText("GET /", [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]),
    {},
    false,
  );
  await asked.until(() => asked.status === 101);
  const piece = (opcode: number, fin: boolean) => wsFrame(body.subarray(0, 1), { opcode, fin, key: 0 });
  await asked.send(piece(Opcode.TEXT, false));
  const before = liveOctets();
  const frame = piece(Opcode.CONTINUATION, false);
  const frames = new Uint8Array(frame.length * 1000);
  for (let i = 0; i < 1000; i++) frames.set(frame, i * frame.length);
  for (let i = 0; i < OCTETS / 1000; i++) await asked.send(frames);
  await turn();
  const grown = liveOctets() - before;
  assert.ok(grown < MOST, `${grown} octets`);
  await asked.send(piece(Opcode.CONTINUATION, true));
  await asked.until(() => asked.octets > OCTETS);
  // One frame with a length of eight octets.
  assert.equal(asked.octets, OCTETS + 2 + 10);
  asked.stream.reset("done");
});
