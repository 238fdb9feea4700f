import assert from "node:assert/strict";
import {
  applyMask,
  CloseCode,
  closePayload,
  Opcode,
  writeWsHeader,
  WS_HEADER_MAX,
  WsError,
  wsFrame,
  WsReader,
  type WsSink,
} from "../../src/core/ws.ts";
import { Random } from "./random.ts";

const hex = (text: string) =>
  Uint8Array.from(text.match(/[0-9a-f]{2}/g) ?? [], (octet) => parseInt(octet, 16));
const ascii = (text: string) => new TextEncoder().encode(text);
const asText = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

class Listener implements WsSink {
  readonly heard: string[] = [];
  #message = "";

  payload(_opcode: number, bytes: Uint8Array, from: number, to: number): void {
    this.#message += asText(bytes.subarray(from, to));
  }
  message(opcode: number): void {
    this.heard.push(`${opcode} ${this.#message}`);
    this.#message = "";
  }
  ping(payload: Uint8Array): void {
    this.heard.push(`ping ${asText(payload)}`);
  }
  pong(payload: Uint8Array): void {
    this.heard.push(`pong ${asText(payload)}`);
  }
  closing(code: number, reason: string): void {
    this.heard.push(`close ${code} ${reason}`);
  }
}

function heardOf(bytes: Uint8Array, masked: boolean, cuts: readonly number[] = []): string[] {
  const reader = new WsReader(masked, 2 ** 20), listener = new Listener();
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    const piece = bytes.slice(from, to);
    reader.read(piece, 0, piece.length, listener);
    piece.fill(0x21);
    from = to;
  }
  return listener.heard;
}

Deno.test("the examples of RFC 6455 §5.7 are read", () => {
  const examples: [string, boolean, string[]][] = [
    ["81 05 48656c6c6f", false, ["1 Hello"]],
    ["81 85 37fa213d 7f9f4d5158", true, ["1 Hello"]],
    ["01 03 48656c 80 02 6c6f", false, ["1 Hello"]],
    ["89 05 48656c6c6f", false, ["ping Hello"]],
    ["8a 85 37fa213d 7f9f4d5158", true, ["pong Hello"]],
    ["82 7e 0100" + "61".repeat(256), false, ["2 " + "a".repeat(256)]],
    ["82 7f 0000000000010000" + "61".repeat(65536), false, ["2 " + "a".repeat(65536)]],
  ];
  for (const [bytes, masked, heard] of examples) assert.deepEqual(heardOf(hex(bytes), masked), heard);
});

Deno.test("frames are written as the examples stand in the RFC", () => {
  const toHex = (bytes: Uint8Array) => bytes.toHex();
  const hello = ascii("Hello");
  assert.equal(toHex(wsFrame(hello, { opcode: Opcode.TEXT, fin: true, key: null })), "810548656c6c6f");
  assert.equal(
    toHex(wsFrame(hello, { opcode: Opcode.TEXT, fin: true, key: 0x37fa213d })),
    "818537fa213d7f9f4d5158",
  );
  assert.equal(toHex(wsFrame(ascii("Hel"), { opcode: Opcode.TEXT, fin: false, key: null })), "010348656c");
  const long = (n: number) => wsFrame(new Uint8Array(n), { opcode: Opcode.BINARY, fin: true, key: null });
  assert.equal(toHex(long(125).subarray(0, 2)), "827d");
  assert.equal(toHex(long(126).subarray(0, 4)), "827e007e");
  assert.equal(toHex(long(65_535).subarray(0, 4)), "827effff");
  assert.equal(toHex(long(65_536).subarray(0, 10)), "827f0000000000010000");
  assert.equal(toHex(closePayload(1000, "bye")), "03e8627965");
});

Deno.test("a frame is written in front of a payload that lies in its buffer already", () => {
  for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
    for (const key of [null, 0, 0xfffefdfc]) {
      const buffer = new Uint8Array(WS_HEADER_MAX + length + 3).fill(0x61);
      const start = writeWsHeader(buffer, WS_HEADER_MAX, length, { opcode: Opcode.BINARY, fin: true, key });
      assert.ok(start >= 0);
      const frame = buffer.subarray(start, WS_HEADER_MAX + length);
      assert.deepEqual(heardOf(frame, key !== null), [`2 ${"a".repeat(length)}`]);
      assert.equal(asText(buffer.subarray(WS_HEADER_MAX + length)), "aaa");
    }
  }
});

Deno.test("messages are the same wherever their bytes were cut, with control frames in between", () => {
  for (const masked of [false, true]) {
    const key = masked ? 0x80ff017e : null;
    const frames = [
      wsFrame(ascii("one "), { opcode: Opcode.TEXT, fin: false, key }),
      wsFrame(ascii("are you there"), { opcode: Opcode.PING, fin: true, key }),
      wsFrame(ascii("message ä"), { opcode: Opcode.CONTINUATION, fin: true, key }),
      wsFrame(ascii(""), { opcode: Opcode.BINARY, fin: true, key }),
      wsFrame(ascii(""), { opcode: Opcode.PONG, fin: true, key }),
      wsFrame(ascii("b".repeat(130)), { opcode: Opcode.BINARY, fin: true, key }),
      wsFrame(closePayload(1001, "bye"), { opcode: Opcode.CLOSE, fin: true, key }),
      ascii("whatever follows"),
    ];
    const bytes = Uint8Array.from(frames.flatMap((frame) => [...frame]));
    const whole = heardOf(bytes, masked);
    assert.deepEqual(whole, [
      "ping are you there",
      `1 one message ${asText(ascii("ä"))}`,
      "2 ",
      "pong ",
      `2 ${"b".repeat(130)}`,
      "close 1001 bye",
    ]);
    for (let i = 0; i <= bytes.length; i++) {
      assert.deepEqual(heardOf(bytes, masked, [i]), whole, `cut at ${i}`);
    }
    assert.deepEqual(heardOf(bytes, masked, [...bytes.keys()]), whole);
  }
});

Deno.test("payload is handed on as it comes, whatever the message's length", () => {
  const pieces: number[] = [];
  const listener = new Listener();
  listener.payload = (_opcode, _bytes, from, to) => void pieces.push(to - from);
  const reader = new WsReader(false, Number.MAX_SAFE_INTEGER);
  const bytes = hex("82 7f 0000010000000000" + "61".repeat(20));
  reader.read(bytes, 0, 15, listener);
  reader.read(bytes, 15, 30, listener);
  assert.deepEqual(pieces, [5, 15]);
});

Deno.test("what RFC 6455 forbids is refused with the code it names", () => {
  const bad: [string, string, boolean, number][] = [
    ["a reserved bit", "c1 00", false, CloseCode.PROTOCOL],
    ["opcode 3", "83 00", false, CloseCode.PROTOCOL],
    ["opcode 11", "8b 00", false, CloseCode.PROTOCOL],
    ["a client without a mask", "81 00", true, CloseCode.PROTOCOL],
    ["a server with a mask", "81 80 00000000", false, CloseCode.PROTOCOL],
    ["a ping in pieces", "09 00", false, CloseCode.PROTOCOL],
    ["a long ping", "89 7e 007e", false, CloseCode.PROTOCOL],
    ["a continuation of nothing", "80 00", false, CloseCode.PROTOCOL],
    ["a message within a message", "01 00 81 00", false, CloseCode.PROTOCOL],
    ["16 bits where 7 do", "82 7e 007d", false, CloseCode.PROTOCOL],
    ["64 bits where 16 do", "82 7f 000000000000ffff", false, CloseCode.PROTOCOL],
    ["half a close code", "88 01 03", false, CloseCode.PROTOCOL],
    ["close code 999", "88 02 03e7", false, CloseCode.PROTOCOL],
    ["close code 1005", "88 02 03ed", false, CloseCode.PROTOCOL],
    ["close code 1006", "88 02 03ee", false, CloseCode.PROTOCOL],
    ["close code 2999", "88 02 0bb7", false, CloseCode.PROTOCOL],
    ["close code 5000", "88 02 1388", false, CloseCode.PROTOCOL],
    ["text that is no UTF-8", "81 02 c328", false, CloseCode.INVALID],
    ["text that ends within a character", "81 01 c3", false, CloseCode.INVALID],
    ["a reason that is no UTF-8", "88 04 03e8 c328", false, CloseCode.INVALID],
    ["a message beyond the limit", "82 7f 0000000000100001", false, CloseCode.TOO_BIG],
    ["a message beyond the limit, in pieces", "02 01 61 80 7f 0000000000100000", false, CloseCode.TOO_BIG],
    ["a length of 2⁶⁴ - 1", "82 7f ffffffffffffffff", false, CloseCode.TOO_BIG],
  ];
  for (const [why, bytes, masked, code] of bad) {
    for (const cuts of [[], [1], [...hex(bytes).keys()]]) {
      assert.throws(
        () => heardOf(hex(bytes), masked, cuts),
        (error: Error) => error instanceof WsError && error.code === code,
        why,
      );
    }
  }
});

Deno.test("a text may be cut within a character, by frames and by reads", () => {
  const bytes = hex("01 01 e2 00 01 82 80 01 ac");
  const listener = new Listener();
  const reader = new WsReader(false, 100);
  for (let i = 0; i < bytes.length; i++) reader.read(bytes, i, i + 1, listener);
  assert.deepEqual(listener.heard, [`1 ${asText(ascii("€"))}`]);
});

Deno.test("a Close without a code is read, and a reason that is too long is cut at a character", () => {
  assert.deepEqual(heardOf(hex("88 00"), false), ["close 1005 "]);
  const payload = closePayload(1000, "é".repeat(100));
  assert.equal(payload.length, 2 + 122);
  const close = wsFrame(payload, { opcode: Opcode.CLOSE, fin: true, key: null });
  assert.deepEqual(heardOf(close, false), [`close 1000 ${"é".repeat(61)}`]);
});

Deno.test("masking is the plain rule of RFC 6455 §5.3, at any place and length, in any pieces", () => {
  const random = new Random(3);
  for (let round = 0; round < 300; round++) {
    const bytes = new Uint8Array(random.below(1500)).map(() => random.below(256));
    const key = (random.below(2 ** 31) * 2 + random.below(2)) >>> 0;
    const offset = random.below(9);
    const wanted = bytes.map((octet, i) => octet ^ (key >>> (24 - 8 * (i % 4)) & 0xff));
    const buffer = new Uint8Array(offset + bytes.length + 5).fill(7);
    buffer.set(bytes, offset);
    const cut = offset + random.below(bytes.length + 1);
    const next = applyMask(buffer, offset, cut, key);
    applyMask(buffer, cut, offset + bytes.length, next);
    assert.deepEqual(buffer.subarray(offset, offset + bytes.length), wanted);
    assert.ok(buffer.subarray(0, offset).every((octet) => octet === 7));
    assert.ok(buffer.subarray(offset + bytes.length).every((octet) => octet === 7));
  }
});
