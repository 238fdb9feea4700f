import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { toBytes } from "../../src/core/latin1.ts";
import { entryTo, requestText, Rig } from "./serve_rig.ts";

function echoRig(clock?: TestClock): Rig {
  const rig = new Rig(clock);
  rig.link(entryTo({ kind: "echo" }));
  return rig;
}

Deno.test("echo answers with what it was asked", async () => {
  await using rig = echoRig();
  const asked = rig.ask(
    requestText("POST /a?b=c", ["Content-Length: 7", "X-Twice: 1", "X-Twice: 2"]),
    {},
    false,
  );
  await asked.send("gr\u00c3\u00bcn!");
  await asked.send("!");
  asked.stream.end();
  await asked.over;
  assert.equal(asked.status, 200);
  assert.equal(asked.field("Content-Type"), "application/json");
  const { headers, ...rest } = JSON.parse(new TextDecoder().decode(toBytes(asked.text)));
  assert.deepEqual(rest, { method: "POST", target: "/a?b=c", body: "grün!!", bodyEncoding: "utf8" });
  assert.deepEqual(headers.filter(([name]: string[]) => name === "X-Twice"), [["X-Twice", "1"], [
    "X-Twice",
    "2",
  ]]);
  assert.deepEqual(headers.find(([name]: string[]) => name === "Host"), ["Host", "localhost"]);
});

Deno.test("echo gives a body that is no text in base64", async () => {
  await using rig = echoRig();
  const asked = rig.ask(requestText("PUT /", ["Transfer-Encoding: chunked"]), {}, false);
  await asked.send(new Uint8Array([0xff, 0x00, 0x80]));
  asked.stream.end();
  await asked.over;
  const { body, bodyEncoding } = JSON.parse(asked.text);
  assert.deepEqual([body, bodyEncoding], ["/wCA", "base64"]);
});

Deno.test("echo answers with the status, the size and the delay that it is asked for", async () => {
  const clock = new TestClock();
  await using rig = echoRig(clock);
  assert.equal((await rig.get("GET /?status=503")).status, 503);
  const sized = await rig.get("GET /?bytes=1MiB&status=201");
  assert.deepEqual([sized.status, sized.octets, sized.code], [201, 1024 * 1024, null]);
  const head = await rig.get("HEAD /?bytes=1MiB");
  assert.deepEqual([head.field("Content-Length"), head.octets], ["1048576", 0]);
  assert.equal((await rig.get("GET /?status=204")).status, 204);
  const late = rig.ask(requestText("GET /?delay=2s"));
  const other = await rig.get("GET /");
  assert.equal(other.status, 200);
  clock.advance(1_900);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(late.status, 0);
  clock.advance(200);
  await late.over;
  assert.equal(late.status, 200);
});

Deno.test("echo says what it can not read in a query", async () => {
  await using rig = echoRig();
  for (
    const query of [
      "status=99",
      "status=600",
      "status=x",
      "delay=soon",
      "delay=2h",
      "delay=never",
      "bytes=many",
    ]
  ) {
    const asked = await rig.get(`GET /?${query}`);
    assert.equal(asked.status, 400, query);
    assert.equal(typeof JSON.parse(asked.text).error, "string");
  }
});

Deno.test("echo fills a body of any size without holding it", async () => {
  await using rig = echoRig();
  const asked = rig.ask(requestText("GET /?bytes=64MiB"));
  asked.reads = false;
  await asked.until(() => asked.octets === 256 * 1024);
  asked.reads = true;
  asked.stream.consumed(256 * 1024);
  await asked.over;
  assert.equal(asked.octets, 64 * 1024 * 1024);
});

/** A frame of a client, masked with zeros. */
function frame(opcode: number, payload: string, fin = true): Uint8Array {
  return toBytes(
    String.fromCharCode((fin ? 0x80 : 0) | opcode, 0x80 | payload.length) + "\0\0\0\0" + payload,
  );
}

Deno.test("echo speaks WebSocket: messages, also in pieces, ping and close", async () => {
  await using rig = echoRig();
  const asked = rig.ask(
    requestText("GET /ws", [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]),
    {},
    false,
  );
  await asked.until(() => asked.heads.length === 1);
  assert.equal(asked.status, 101);
  assert.equal(asked.field("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  await asked.send(frame(1, "hello"));
  await asked.until(() => asked.octets === 7);
  assert.equal(asked.text, "\u0081\u0005hello");
  await asked.send(frame(9, "?"));
  await asked.send(frame(2, "ab", false));
  await asked.send(frame(0, "cd"));
  await asked.send(frame(8, "\u0003\u00e8bye"));
  await asked.over;
  assert.equal(asked.text.slice(7), "\u008a\u0001?\u0082\u0004abcd\u0088\u0005\u0003\u00e8bye");
});
