import assert from "node:assert/strict";
import {
  FRAME_HEADER,
  FrameError,
  FrameReader,
  type FrameSink,
  MAX_PAYLOAD,
  Type,
  writeHeader,
} from "../../src/core/frame.ts";
import { NARROW, NARROW_BACK, openLength, readOpen, writeOpen } from "../../src/core/open.ts";
import { Random } from "./random.ts";

/** A frame with `payload`, or with so many octets of it. */
function frame(type: number, stream: number, payload: Uint8Array | number): Uint8Array {
  const body = typeof payload === "number" ? new Uint8Array(payload) : payload;
  const bytes = new Uint8Array(FRAME_HEADER + body.length);
  writeHeader(bytes, 0, type, stream, body.length);
  bytes.set(body, FRAME_HEADER);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

/** Writes down what it is told; pieces of DATA of one stream are joined, however they came. */
class Listener implements FrameSink {
  readonly heard: string[] = [];
  #data = false;

  frame(type: number, stream: number, bytes: Uint8Array, from: number, to: number): void {
    this.heard.push(`${type} ${stream} ${text(bytes.subarray(from, to))}`);
    this.#data = false;
  }

  data(stream: number, bytes: Uint8Array, from: number, to: number): void {
    const piece = text(bytes.subarray(from, to));
    if (this.#data && this.heard.at(-1)!.startsWith(`3 ${stream} `)) {
      this.heard[this.heard.length - 1] += piece;
    } else this.heard.push(`3 ${stream} ${piece}`);
    this.#data = true;
  }

  expect(): void {}
}

function heardOf(bytes: Uint8Array, cuts: readonly number[]): string[] {
  const reader = new FrameReader(), listener = new Listener();
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    // Each piece lies in a buffer of its own, which is spoilt afterwards: nothing may be kept by reference.
    const piece = bytes.slice(from, to);
    reader.read(piece, 0, piece.length, listener);
    piece.fill(0x21);
    from = to;
  }
  assert.equal(reader.atBoundary, true);
  return listener.heard;
}

const ascii = (value: string) => new TextEncoder().encode(value);

const MIXED = joined([
  frame(Type.OPEN, 2, ascii("\x01\x00\x01l\x01a\x01r\x01h")),
  frame(Type.HEAD, 2, ascii("\x00GET / HTTP/1.1\r\n\r\n")),
  frame(Type.DATA, 2, ascii("body")),
  frame(Type.DATA, 4_294_967_295, ascii("other")),
  frame(Type.DATA, 4_294_967_294, ascii("another")),
  frame(Type.CREDIT, 2, ascii("\x00\x01\x02\x03")),
  frame(Type.CREDIT, 0, ascii("\x00\x01\x02\x03")),
  frame(Type.END, 2, 0),
  frame(Type.END, 4, ascii("X-T: 1\r\n")),
  frame(Type.DATA, 6, 0),
  frame(Type.RESET, 6, ascii("visitor_left")),
  frame(Type.PING, 0, ascii("12345678")),
  frame(Type.PONG, 0, ascii("12345678")),
  frame(Type.DRAIN, 0, 0),
  frame(Type.CONTROL, 0, ascii("\x00{}")),
]);

Deno.test("frames are the same wherever their bytes were cut", () => {
  const whole = heardOf(MIXED, []);
  assert.equal(whole.length, 14);
  assert.equal(whole[3], "3 4294967295 other");
  for (let i = 0; i <= MIXED.length; i++) {
    for (let j = i; j <= MIXED.length; j++) {
      assert.deepEqual(heardOf(MIXED, [i, j]), whole, `cut at ${i}, ${j}`);
    }
  }
  assert.deepEqual(heardOf(MIXED, [...MIXED.keys()]), whole);
});

Deno.test("large frames between small ones survive random cuts", () => {
  const random = new Random(7);
  const types = [Type.HEAD, Type.DATA, Type.DATA, Type.END, Type.CONTROL];
  for (let round = 0; round < 50; round++) {
    const bytes = joined(Array.from({ length: 8 }, () => {
      const type = random.of(types);
      const body = new Uint8Array(random.of([2, 3, 300, 65_535, MAX_PAYLOAD])).map(() => random.below(256));
      return frame(type, type === Type.CONTROL ? 0 : 1 + random.below(3), body);
    }));
    const cuts = Array.from({ length: random.below(12) }, () => random.below(bytes.length)).sort((a, b) =>
      a - b
    );
    assert.deepEqual(heardOf(bytes, cuts), heardOf(bytes, []));
  }
});

Deno.test("DATA is handed on as it comes, other frames only whole", () => {
  const reader = new FrameReader(), listener = new Listener();
  const data = frame(Type.DATA, 2, ascii("abcdef")), head = frame(Type.HEAD, 2, ascii("\x00head"));
  reader.read(data, 0, 11, listener);
  assert.deepEqual(listener.heard, ["3 2 abc"]);
  reader.read(data, 11, data.length, listener);
  reader.read(head, 0, 12, listener);
  assert.deepEqual(listener.heard, ["3 2 abcdef"]);
  assert.equal(reader.atBoundary, false);
});

Deno.test("a frame that breaks the rules is refused at its header, in one piece or byte by byte", () => {
  const bad: [string, number, number, number][] = [
    ["no type", 0, 2, 0],
    ["a type that is not known", 11, 2, 0],
    ["a type that is not known", 255, 2, 0],
    ["longer than 64 KiB", Type.DATA, 2, MAX_PAYLOAD + 1],
    ["as long as it gets", Type.DATA, 2, 0xffffff],
    ["longer than 64 KiB", Type.CONTROL, 0, MAX_PAYLOAD + 1],
    ["OPEN on stream 0", Type.OPEN, 0, 20],
    ["DATA on stream 0", Type.DATA, 0, 20],
    ["END on stream 0", Type.END, 0, 0],
    ["RESET on stream 0", Type.RESET, 0, 5],
    ["HEAD on stream 0", Type.HEAD, 0, 5],
    ["PING on a stream", Type.PING, 2, 8],
    ["PONG on a stream", Type.PONG, 2, 8],
    ["DRAIN on a stream", Type.DRAIN, 2, 0],
    ["CONTROL on a stream", Type.CONTROL, 2, 5],
    ["HEAD without flags", Type.HEAD, 2, 0],
    ["OPEN without fields", Type.OPEN, 2, 5],
    ["OPEN beyond its fields", Type.OPEN, 2, 1027],
    ["RESET without a code", Type.RESET, 2, 0],
    ["RESET with a tale", Type.RESET, 2, 65],
    ["CREDIT of three octets", Type.CREDIT, 2, 3],
    ["CREDIT of five octets", Type.CREDIT, 2, 5],
    ["PING of seven octets", Type.PING, 0, 7],
    ["PONG of nine octets", Type.PONG, 0, 9],
    ["DRAIN with a payload", Type.DRAIN, 0, 1],
    ["CONTROL without JSON", Type.CONTROL, 0, 1],
  ];
  for (const [why, type, stream, length] of bad) {
    const header = new Uint8Array(FRAME_HEADER);
    writeHeader(header, 0, type, stream, length);
    const listener = new Listener();
    assert.throws(() => new FrameReader().read(header, 0, FRAME_HEADER, listener), FrameError, why);
    const reader = new FrameReader();
    for (let i = 0; i < 7; i++) reader.read(header, i, i + 1, listener);
    assert.throws(() => reader.read(header, 7, 8, listener), FrameError, why);
    assert.deepEqual(listener.heard, []);
  }
});

Deno.test("whoever does not want a frame says so before its payload is kept", () => {
  const asked: string[] = [];
  const sink: FrameSink = {
    frame: () => assert.fail("handed on"),
    data: () => assert.fail("handed on"),
    expect: (type, stream) => {
      asked.push(`${type} ${stream}`);
      throw new FrameError("not wanted");
    },
  };
  const bytes = frame(Type.HEAD, 77, 1000);
  assert.throws(() => new FrameReader().read(bytes, 0, 500, sink), FrameError);
  assert.deepEqual(asked, ["2 77"]);
});

Deno.test("the numbers of frames and the fields of OPEN are frozen", () => {
  assert.deepEqual(Type, {
    OPEN: 1,
    HEAD: 2,
    DATA: 3,
    END: 4,
    RESET: 5,
    CREDIT: 6,
    PING: 7,
    PONG: 8,
    DRAIN: 9,
    CONTROL: 10,
  });
  assert.deepEqual([...frame(Type.DATA, 0x01020304, ascii("hi"))], [0, 0, 2, 3, 1, 2, 3, 4, 0x68, 0x69]);
  const fields = { link: "abc", address: "::1", requestId: "r", host: "abc.example:8080" };
  const open = (kind: "http" | "tcp", https: boolean, flags = 0) => {
    const bytes = new Uint8Array(openLength({ kind, https, ...fields }));
    assert.equal(writeOpen(bytes, 0, { kind, https, ...fields }, flags), bytes.length);
    return text(bytes);
  };
  assert.equal(open("http", false), "\x01\x00\x03abc\x03::1\x01r\x10abc.example:8080");
  assert.equal(open("http", true).slice(0, 2), "\x01\x01");
  assert.equal(open("tcp", false).slice(0, 2), "\x02\x00");
  assert.equal(open("http", true, NARROW | NARROW_BACK).slice(0, 2), "\x01\x07");
});

Deno.test("the fields of OPEN come back as they were sent", () => {
  for (const kind of ["http", "tcp"] as const) {
    for (const length of [0, 1, 255]) {
      const host = "h".repeat(length);
      const fields = { kind, https: length === 1, link: "id", address: "2001:db8::1", requestId: "", host };
      const bytes = new Uint8Array(10 + openLength(fields)).fill(0x41);
      const end = writeOpen(bytes, 5, fields);
      assert.deepEqual(readOpen(bytes, 5, end), fields);
    }
  }
});

Deno.test("an OPEN whose octets could break a head or a log is refused, and so is one that is cut or too long", () => {
  const good = "\x01\x00\x01l\x01a\x01r\x01h";
  const bytes = ascii(good);
  assert.equal(readOpen(bytes, 0, bytes.length).host, "h");
  const bad = [
    "\x03\x00\x01l\x01a\x01r\x01h",
    "\x00\x00\x01l\x01a\x01r\x01h",
    "\x01\x08\x01l\x01a\x01r\x01h",
    "\x01\x00\x01l\x01\n\x01r\x01h",
    "\x01\x00\x01l\x01 \x01r\x01h",
    "\x01\x00\x01l\x01a\x01\x7f\x01h",
    "\x01\x00\x01l\x01a\x01r\x01h!",
    "\x01\x00\x01l\x01a\x01r\x02h",
    "\x01\x00\x01l\x01a\x01r",
    "\x01\x00\x02l\x01a",
  ];
  for (const octets of bad) {
    // Whatever lies behind the payload is another frame's.
    const padded = ascii(octets + "xxxxxxxx");
    assert.throws(() => readOpen(padded, 0, octets.length), FrameError, JSON.stringify(octets));
  }
});

Deno.test("a field that can not be sent is refused before anything is written", () => {
  const fields = { kind: "http" as const, https: false, link: "l", address: "a", requestId: "r", host: "h" };
  for (const host of ["h".repeat(256), "a b", "é", "a\r\n"]) {
    assert.throws(() => openLength({ ...fields, host }), RangeError);
  }
});
