/** How a tunnel begins, at both ends, and what a dialler makes of answers that are none. */
import assert from "node:assert/strict";
import { Failure } from "../../src/core/errors.ts";
import { RequestReader } from "../../src/core/http1/head.ts";
import type { RequestHead } from "../../src/core/http1/types.ts";
import { Secret } from "../../src/core/secret.ts";
import { wsFrame } from "../../src/core/ws.ts";
import { Conn } from "../../src/net/conn.ts";
import { type Socket, socketPair } from "../../src/net/socket.ts";
import { acceptUpgrade, switching, upgrade, upgradeRequest, webSocketKey } from "../../src/wire/handshake.ts";
import type { WebSocketWire } from "../../src/wire/websocket.ts";
import { Ear } from "../contract/wires.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const UPGRADE = { host: "hub.test:8443", path: "/v1/tunnel", token: new Secret("s3cret"), masked: false };
const ascii = (text: string) => new TextEncoder().encode(text);

function request(text: string): RequestHead {
  const reader = new RequestReader(), bytes = ascii(text);
  reader.read(bytes, 0, bytes.length);
  return reader.head!;
}

/** A request for a tunnel, with some lines replaced. */
function asking(lines: Readonly<Record<string, string>> = {}): RequestHead {
  let text = upgradeRequest(UPGRADE, KEY);
  for (const [line, instead] of Object.entries(lines)) {
    assert.ok(text.includes(line), line);
    text = text.replace(line, instead);
  }
  return request(text);
}

/** A hub that answers with `answer`, which is given the key; then it says nothing. */
class Hub {
  readonly request: Promise<string>;
  readonly #socket: Socket;

  constructor(socket: Socket, answer: (key: string) => string | Uint8Array | null) {
    this.#socket = socket;
    this.request = this.#serve(answer);
  }

  async #serve(answer: (key: string) => string | Uint8Array | null): Promise<string> {
    let text = "";
    const buffer = new Uint8Array(1000);
    while (!text.endsWith("\r\n\r\n")) {
      const n = await this.#socket.read(buffer);
      if (n === null) return text;
      text += new TextDecoder().decode(buffer.subarray(0, n));
    }
    const said = answer(/^Sec-WebSocket-Key: (.*)\r$/m.exec(text)![1]);
    if (said === null) this.#socket.close();
    else await this.write(typeof said === "string" ? ascii(said) : said);
    return text;
  }

  async write(bytes: Uint8Array): Promise<void> {
    // Its dialler may hang up on it.
    for (let at = 0; at < bytes.length;) {
      at += await this.#socket.write(bytes.subarray(at)).catch(() => bytes.length);
    }
  }
}

/** Dials a hub that answers so. `conn` shows whether the connection was given up. */
function dialled(
  answer: (key: string) => string | Uint8Array | null,
  signal = new AbortController().signal,
  capacity = 5,
) {
  const [ours, theirs] = socketPair(capacity);
  const conn = new Conn(ours, { maxRead: 256 * 1024 });
  const hub = new Hub(theirs, answer);
  return { conn, hub, wire: upgrade(conn, UPGRADE, signal) };
}

const accepted = (key: string) => switching(key, "connectd.1");

Deno.test("the answer to the RFC's sample key is the RFC's", () => {
  assert.match(acceptUpgrade(asking())!, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
});

Deno.test("the dialler asks with its token, and gets a wire", async () => {
  const { hub, wire } = dialled(accepted);
  await wire;
  const text = await hub.request;
  assert.match(
    text,
    /^GET \/v1\/tunnel HTTP\/1\.1\r\nHost: hub\.test:8443\r\nAuthorization: Bearer s3cret\r\n/,
  );
  assert.notEqual(acceptUpgrade(request(text)), null);
});

Deno.test("two diallers never use one key", async () => {
  const texts = await Promise.all([1, 2].map(async () => {
    const { hub, wire } = dialled(accepted);
    await wire;
    return await hub.request;
  }));
  assert.notEqual(texts[0], texts[1]);
});

Deno.test("bytes that come with the 101 or soon after are read by the wire, however they are cut", async () => {
  const early = wsFrame(ascii("early"), { opcode: 2, fin: true, key: null });
  for (const capacity of [1, 7, 100_000]) {
    const { hub, wire } = dialled(
      (key) => "HTTP/1.1 100 Continue\r\n\r\n" + accepted(key),
      undefined,
      capacity,
    );
    const ear = new Ear();
    await hub.request;
    const sent = hub.write(Uint8Array.from([...early, ...early]));
    const open: WebSocketWire = await wire;
    open.start(ear);
    await ear.until(() => ear.messages.length === 2);
    await sent;
    assert.deepEqual(ear.messages.map((bytes) => new TextDecoder().decode(bytes)), ["early", "early"]);
    open.destroy();
  }
});

Deno.test("bytes in one read with the 101 belong to the wire", async () => {
  const { wire } = dialled(
    (key) =>
      Uint8Array.from([
        ...ascii(accepted(key)),
        ...wsFrame(ascii("early"), { opcode: 2, fin: true, key: null }),
      ]),
    undefined,
    100_000,
  );
  const ear = new Ear();
  const open = await wire;
  open.start(ear);
  await ear.until(() => ear.messages.length === 1);
  open.destroy();
});

const REFUSED: [
  what: string,
  answer: (key: string) => string | Uint8Array | null,
  message: RegExp,
  permanent: boolean,
][] = [
  ["401", () => "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", /does not take this token/, true],
  ["403", () => "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", /does not admit/, true],
  ["426", () => "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n", /another version/, true],
  ["404", () => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", /answered 404 Not Found/, false],
  ["503", () => "HTTP/1.1 503 \r\nContent-Length: 0\r\n\r\n", /answered 503$/, false],
  ["200", () => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", /answered 200 OK/, false],
  [
    "302",
    () => "HTTP/1.1 302 Found\r\nLocation: https://evil.test/\r\nContent-Length: 0\r\n\r\n",
    /answered 302/,
    false,
  ],
  ["the answer to another key", () => accepted(KEY), /no upgrade to a tunnel/, false],
  ["no subprotocol", (key) => switching(key, null), /no upgrade to a tunnel/, false],
  ["another subprotocol", (key) => switching(key, "chat"), /no upgrade to a tunnel/, false],
  [
    "an extension that nobody asked for",
    (key) => accepted(key).replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
    /no upgrade to a tunnel/,
    false,
  ],
  [
    "another upgrade",
    (key) => accepted(key).replace("Upgrade: websocket", "Upgrade: h2c"),
    /not HTTP|no upgrade/,
    false,
  ],
  [
    "no Connection field",
    (key) => accepted(key).replace("Connection: Upgrade\r\n", ""),
    /not HTTP|no upgrade/,
    false,
  ],
  ["SSH", () => "SSH-2.0-OpenSSH_9.6\r\n\r\n", /not HTTP/, false],
  ["a head without an end", () => "HTTP/1.1 101 x\r\n" + "A: b\r\n".repeat(20_000), /not HTTP/, false],
  ["nothing", () => null, /closed the connection before it answered|broke/, false],
];

Deno.test("an answer that opens no tunnel is refused with the reason, and the connection given up", async () => {
  for (const [what, answer, message, permanent] of REFUSED) {
    const { conn, wire } = dialled(answer, undefined, 4096);
    const error = await wire.then(() => assert.fail(what), (error) => error);
    assert.ok(error instanceof Failure, what);
    assert.match(error.message, message, what);
    assert.equal(error.permanent, permanent, what);
    assert.equal(error.hint !== null, permanent || !/answered|closed|broke/.test(error.message), what);
    assert.equal(conn.destroyed, true, what);
    assert.ok(!JSON.stringify([error.message, error.hint]).includes("s3cret"), what);
  }
});

Deno.test("thousands of interim answers neither recurse nor hide the one that counts", async () => {
  const { wire } = dialled(
    (key) => "HTTP/1.1 100 \r\n\r\n".repeat(50_000) + accepted(key),
    undefined,
    1_000_000,
  );
  (await wire).destroy();
});

Deno.test("a hub that is slow is given up, at whatever point it got to", async () => {
  for (const part of [0, 5, 60]) {
    const limit = new AbortController();
    const { conn, hub, wire } = dialled((key) => accepted(key).slice(0, part), limit.signal);
    await hub.request;
    limit.abort();
    await assert.rejects(wire, /did not answer in time/);
    assert.equal(conn.destroyed, true);
  }
  const given = new AbortController();
  given.abort();
  const { conn, wire } = dialled(accepted, given.signal);
  await assert.rejects(wire, /did not answer in time/);
  assert.equal(conn.destroyed, true);
});

Deno.test("a signal that aborts after the upgrade takes nothing away", async () => {
  const limit = new AbortController();
  const { conn, wire } = dialled(accepted, limit.signal);
  const open = await wire;
  limit.abort();
  assert.equal(conn.destroyed, false);
  open.destroy();
});

Deno.test("a hub takes what RFC 6455 calls an opening handshake for this protocol, and nothing else", () => {
  const protocol = "Sec-WebSocket-Protocol: connectd.1", key = `Sec-WebSocket-Key: ${KEY}`;
  const good: Record<string, string>[] = [
    {},
    { [protocol]: "sec-websocket-protocol: chat , connectd.1" },
    { [protocol]: "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: connectd.1" },
    { "Connection: Upgrade": "Connection: keep-alive, UPGRADE" },
    { "Upgrade: websocket": "Upgrade: WebSocket" },
    { [key]: `${key}\r\nSec-WebSocket-Extensions: permessage-deflate` },
  ];
  for (const lines of good) {
    const answer = acceptUpgrade(asking(lines));
    assert.match(answer!, /^HTTP\/1\.1 101 [^]*\r\nSec-WebSocket-Protocol: connectd\.1\r\n\r\n$/);
    assert.doesNotMatch(answer!, /extensions/i);
  }
  const bad: Record<string, string>[] = [
    { [protocol]: "Sec-WebSocket-Protocol: connectd.2" },
    { [`${protocol}\r\n`]: "" },
    { "GET /": "POST /" },
    { "Connection: Upgrade": "Connection: keep-alive" },
    { "Upgrade: websocket": "Upgrade: h2c" },
    { "Sec-WebSocket-Version: 13": "Sec-WebSocket-Version: 8" },
    { [`${key}\r\n`]: "" },
    { [key]: "Sec-WebSocket-Key: c2hvcnQ=" },
    { [key]: `${key}\r\n${key}` },
    { [key]: "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==" },
    { [key]: `${key}\r\nContent-Length: 5` },
  ];
  for (const lines of bad) assert.equal(acceptUpgrade(asking(lines)), null, JSON.stringify(lines));
});

Deno.test("a WebSocket of no protocol is answered with none", () => {
  assert.equal(webSocketKey(asking()), KEY);
  assert.doesNotMatch(switching(KEY, null), /Protocol:/);
});
