/** Control frames: what a flood of them costs, and that pieces of one come together. */
import assert from "node:assert/strict";
import { Opcode, wsFrame, WsReader, type WsSink } from "../../src/core/ws.ts";

/** Keeps the payloads of pings as they were handed over. */
function listen(): { reader: WsReader; pings: Uint8Array[]; sink: WsSink } {
  const pings: Uint8Array[] = [];
  const sink: WsSink = {
    payload() {},
    message() {},
    ping: (payload) => void pings.push(payload),
    pong() {},
    closing() {},
  };
  return { reader: new WsReader(false, 1024), pings, sink };
}

const ping = (text: string) =>
  wsFrame(new TextEncoder().encode(text), { opcode: Opcode.PING, fin: true, key: null });

Deno.test("a control frame that comes whole is not copied: a flood of them is as cheap as its octets", () => {
  for (const text of ["", "x", "x".repeat(125)]) {
    const { reader, pings, sink } = listen();
    const bytes = ping(text);
    reader.read(bytes, 0, bytes.length, sink);
    reader.read(bytes, 0, bytes.length, sink);
    assert.equal(pings.length, 2);
    for (const payload of pings) {
      assert.equal(new TextDecoder().decode(payload), text);
      if (text !== "") assert.equal(payload.buffer, bytes.buffer);
    }
    // What holds nothing is one for all.
    if (text === "") assert.equal(pings[0], pings[1]);
  }
});

Deno.test("a control frame in pieces is the same wherever it is cut", () => {
  const text = "0123456789".repeat(12);
  const bytes = ping(text);
  for (let cut = 1; cut < bytes.length; cut++) {
    for (let second = cut; second < bytes.length; second += 17) {
      const { reader, pings, sink } = listen();
      for (const [from, to] of [[0, cut], [cut, second], [second, bytes.length]]) {
        // A buffer that is another's after each call.
        const buffer = bytes.slice();
        reader.read(buffer, from, to, sink);
        if (to < bytes.length) buffer.fill(0);
      }
      assert.deepEqual(pings.map((payload) => new TextDecoder().decode(payload)), [text]);
    }
  }
});
