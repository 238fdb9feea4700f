/** What a wire on a socket owes RFC 6455, towards peers that are no sessions of ours. */
import assert from "node:assert/strict";
import { CloseCode, closePayload, Opcode, wsFrame, WsReader, type WsSink } from "../../src/core/ws.ts";
import { Conn } from "../../src/net/conn.ts";
import { type Socket, socketPair } from "../../src/net/socket.ts";
import { WebSocketWire } from "../../src/wire/websocket.ts";
import { turns, until } from "../contract/session_rig.ts";
import { Ear, sendBytes } from "../contract/wires.ts";
import { Random } from "../pure/random.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

/** The other end of a wire: sends octets as they are, and writes down the messages that come. */
class Peer implements WsSink {
  readonly heard: string[] = [];
  ended = false;
  #message = "";
  readonly #reader: WsReader;
  readonly #socket: Socket;
  readonly #key: number | null;

  constructor(socket: Socket, role: "client" | "server") {
    this.#socket = socket;
    this.#reader = new WsReader(role === "server", 2 ** 24);
    this.#key = role === "client" ? 0x01020304 : null;
  }

  async read(): Promise<void> {
    const buffer = new Uint8Array(5000);
    for (;;) {
      const n = await this.#socket.read(buffer);
      if (n === null) break;
      this.#reader.read(buffer, 0, n, this);
    }
    this.ended = true;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#socket.write(bytes.subarray(at)).catch(() => bytes.length);
    }
  }

  say(opcode: number, payload: Uint8Array, fin = true): Promise<void> {
    return this.write(wsFrame(payload, { opcode, fin, key: this.#key }));
  }

  close(): void {
    this.#socket.close();
  }

  payload(_opcode: number, bytes: Uint8Array, from: number, to: number): void {
    this.#message += new TextDecoder("latin1").decode(bytes.subarray(from, to));
  }
  message(opcode: number): void {
    this.heard.push(`${opcode} ${this.#message}`);
    this.#message = "";
  }
  ping(): void {}
  pong(payload: Uint8Array): void {
    this.heard.push(`pong ${new TextDecoder().decode(payload)}`);
  }
  closing(code: number, reason: string): void {
    this.heard.push(`close ${code} ${reason}`);
  }
}

function joined(role: "client" | "server" = "server", capacity = 65_536) {
  const [ours, theirs] = socketPair(capacity);
  const conn = new Conn(ours);
  const wire = new WebSocketWire(conn, role, true);
  const peer = new Peer(theirs, role === "server" ? "client" : "server");
  const ear = new Ear();
  wire.start(ear);
  conn.start();
  return { conn, wire, peer, ear };
}

Deno.test("a message in pieces is one message, with a ping in between that is answered", async () => {
  const { peer, ear, wire } = joined();
  const reading = peer.read();
  await peer.say(Opcode.BINARY, ascii("one "), false);
  await peer.say(Opcode.PING, ascii("are you there"));
  await peer.say(Opcode.CONTINUATION, ascii(""), false);
  await peer.say(Opcode.CONTINUATION, ascii("message"));
  await until(() => ear.messages.length === 1 && peer.heard.length === 1);
  assert.equal(new TextDecoder().decode(ear.messages[0]), "one message");
  assert.deepEqual(peer.heard, ["pong are you there"]);
  wire.destroy();
  await reading;
});

Deno.test("what breaks RFC 6455, or is text, is answered with the code for it, and the wire is closed", async () => {
  const cases: [what: string, bytes: Uint8Array, code: number][] = [
    ["a text", wsFrame(ascii("hi"), { opcode: Opcode.TEXT, fin: true, key: 1 }), CloseCode.UNSUPPORTED],
    ["no mask", wsFrame(ascii("hi"), { opcode: Opcode.BINARY, fin: true, key: null }), CloseCode.PROTOCOL],
    ["an unknown opcode", Uint8Array.of(0x83, 0x80, 0, 0, 0, 0), CloseCode.PROTOCOL],
    ["HTTP", ascii("GET / HTTP/1.1\r\n\r\n"), CloseCode.PROTOCOL],
  ];
  for (const [what, bytes, code] of cases) {
    const { conn, peer, ear } = joined();
    const reading = peer.read();
    await peer.write(bytes);
    await until(() => ear.closings.length > 0 && peer.heard.length > 0);
    assert.equal(ear.closings[0].code, "protocol_error", what);
    assert.match(peer.heard[0], new RegExp(`^close ${code} protocol_error `), what);
    // What it still sends is discarded, and it is closed when it has ended.
    await peer.write(new Uint8Array(10_000));
    peer.close();
    await until(() => conn.destroyed);
    await reading.catch(() => {});
    assert.deepEqual([ear.messages.length, ear.closings.length], [0, 1], what);
  }
});

Deno.test("closes that a stranger makes have a word of their own, those of our kind the word that was said", async () => {
  const cases: [code: number | null, reason: string, word: string, sentence: string, permanent: boolean][] = [
    [null, "", "closed", "", false],
    [1001, "", "closed", "", false],
    [1001, "Proxy Restarting", "closed", "", false],
    [1008, "revoked_token its token was revoked", "revoked_token", "its token was revoked", true],
    [1000, "draining", "draining", "", false],
    [4000, "__proto__", "__proto__", "", false],
  ];
  for (const [code, reason, word, message, permanent] of cases) {
    const { conn, peer, ear } = joined();
    const reading = peer.read();
    await peer.say(Opcode.CLOSE, code === null ? new Uint8Array(0) : closePayload(code, reason));
    await reading;
    assert.deepEqual(ear.closings, [{ code: word, message, permanent }]);
    assert.deepEqual(peer.heard, [`close ${code ?? CloseCode.NORMAL} `]);
    assert.equal(conn.destroyed, true);
  }
});

Deno.test("a stranger is told why in a code that it knows, and our kind in words", async () => {
  const cases: [code: string, number: number][] = [
    ["draining", CloseCode.GOING_AWAY],
    ["protocol_error", CloseCode.PROTOCOL],
    ["revoked_token", CloseCode.POLICY],
    ["bad_version", CloseCode.POLICY],
    ["replaced", CloseCode.NORMAL],
  ];
  for (const [code, number] of cases) {
    const { wire, peer } = joined();
    const reading = peer.read();
    sendBytes(wire, ascii("last words"));
    wire.close({ code, message: "a sentence", permanent: false });
    await reading;
    assert.deepEqual(peer.heard, ["2 last words", `close ${number} ${code} a sentence`]);
    wire.destroy();
  }
});

Deno.test("pings of a peer that takes nothing are not answered for ever", async () => {
  const { conn, peer, wire } = joined("server", 100);
  const pings = Uint8Array.from(
    Array.from(
      { length: 1000 },
      () => [...wsFrame(new Uint8Array(125), { opcode: Opcode.PING, fin: true, key: 1 })],
    ).flat(),
  );
  for (let i = 0; i < 5; i++) await peer.write(pings);
  await turns(1);
  assert.ok(conn.queued < 65 * 1024, String(conn.queued));
  wire.destroy();
});

Deno.test("a client masks with a new key for every message where somebody may read along", async () => {
  const [ours, theirs] = socketPair();
  const wire = new WebSocketWire(new Conn(ours), "client", true);
  const keys = new Set<string>();
  const buffer = new Uint8Array(100);
  for (let i = 0; i < 5; i++) {
    sendBytes(wire, ascii("same"));
    const n = await theirs.read(buffer);
    assert.equal(n, 10);
    keys.add(buffer.slice(2, 6).toHex());
  }
  assert.equal(keys.size, 5);
  wire.destroy();
});

Deno.test("random octets, and messages with octets changed, end a wire with a reason or leave it be", async () => {
  const random = new Random(29);
  for (let round = 0; round < 300; round++) {
    const { peer, ear, wire, conn } = joined("server", random.of([1, 9, 1000]));
    const reading = peer.read().catch(() => {});
    const whole = wsFrame(new Uint8Array(random.below(300)), {
      opcode: random.of([0, 1, 2, 8, 9]),
      fin: true,
      key: 77,
    });
    const bytes = random.below(3) === 0 ? new Uint8Array(40).map(() => random.below(256)) : whole;
    for (let n = random.below(3); n >= 0; n--) {
      bytes[random.below(Math.min(8, bytes.length))] ^= 1 << random.below(8);
    }
    await peer.write(bytes);
    peer.close();
    await until(() => ear.closings.length > 0);
    assert.equal(ear.closings.length, 1);
    wire.destroy();
    assert.equal(conn.destroyed, true);
    await reading;
  }
});
