/** One request and its answer on a connection of their own: an answer is whole, or it is none. */
import assert from "node:assert/strict";
import { converse, follow } from "../../src/net/converse.ts";
import { type Socket, socketPair } from "../../src/net/socket.ts";

const CALL = { method: "GET", path: "/", headers: {}, body: null };
const NEVER = new AbortController().signal;

/** The near end of a connection whose far end says `text` to the first request, and is closed. */
function answering(text: string): Socket {
  const [near, far] = socketPair();
  (async () => {
    await far.read(new Uint8Array(4096));
    for (let rest = new TextEncoder().encode(text); rest.length > 0;) {
      rest = rest.subarray(await far.write(rest));
    }
    far.closeWrite();
  })();
  return near;
}

const HEAD = "HTTP/1.1 200 OK\r\n";

const WHOLE: readonly (readonly [text: string, body: string])[] = [
  [`${HEAD}Content-Length: 2\r\n\r\n{}`, "{}"],
  [`${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, "{}"],
  [`${HEAD}Connection: close\r\n\r\n{}`, "{}"],
  [`HTTP/1.1 100 Continue\r\n\r\n${HEAD}Content-Length: 0\r\n\r\n`, ""],
];

const CUT = [
  "",
  HEAD,
  `${HEAD}Content-Length: 3\r\n\r\n`,
  `${HEAD}Content-Length: 3\r\n\r\n{}`,
  `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n`,
  `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n`,
];

for (const [text, body] of WHOLE) {
  Deno.test(`an answer is read to its end: ${JSON.stringify(text)}`, async () => {
    assert.equal((await converse(answering(text), "x", CALL, NEVER)).text, body);
  });
}

for (const text of CUT) {
  Deno.test(`an answer that its connection cut short is none: ${JSON.stringify(text)}`, async () => {
    await assert.rejects(converse(answering(text), "x", CALL, NEVER), Deno.errors.UnexpectedEof);
  });
}

Deno.test("of an answer that is longer than is wanted no more is read, and it is none the worse", async () => {
  const { text } = await converse(answering(`${HEAD}Content-Length: 9\r\n\r\nabcdef`), "x", CALL, NEVER, 4);
  assert.equal(text, "abcdef");
});

Deno.test("whoever follows an answer hears of its end and of its cut alike", async () => {
  for (const [text, cut] of [[WHOLE[1][0], false], [CUT[4], true]] as const) {
    let body = "";
    const ended = await follow(answering(text), "x", CALL, NEVER, (piece) => {
      body += piece;
      return true;
    });
    assert.deepEqual([body, ended.cut], ["{}", cut]);
  }
});

Deno.test("whoever has given up before it begins leaves no connection open", async () => {
  const [near, far] = socketPair();
  await assert.rejects(converse(near, "x", CALL, AbortSignal.abort(new Error("given up"))), /given up/);
  assert.equal(await far.read(new Uint8Array(1)), null);
});
