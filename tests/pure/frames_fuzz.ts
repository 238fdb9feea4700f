/** What must hold of any octets that come through a tunnel, before a session makes anything of them. */
import assert from "node:assert/strict";
import {
  FRAME_HEADER,
  FrameError,
  FrameReader,
  type FrameSink,
  MAX_PAYLOAD,
  writeHeader,
} from "../../src/core/frame.ts";
import { latin1 } from "../../src/core/latin1.ts";
import { openLength, readOpen, writeOpen } from "../../src/core/open.ts";
import { cuts, inPieces, joined, noise, spoiled } from "./octets.ts";
import type { Random } from "./random.ts";

const OPEN = 1, DATA = 3;

/** The frozen table once more: type, least and most octets, and whether its stream is 0, another, or either. */
const TABLE: readonly (readonly [type: number, least: number, most: number, stream: "0" | "n" | "any"])[] = [
  [OPEN, 6, 1026, "n"],
  [2, 1, 65_536, "n"],
  [DATA, 0, 65_536, "n"],
  [4, 0, 65_536, "n"],
  [5, 1, 64, "n"],
  [6, 4, 4, "any"],
  [7, 8, 8, "0"],
  [8, 8, 8, "0"],
  [9, 0, 0, "0"],
  [10, 2, 65_536, "0"],
];

/** What there is in `bytes`, read slowly, with all of them at hand. */
interface Reference {
  /** `type stream payload`; DATA of one stream that follows upon itself is one. */
  readonly heard: readonly string[];
  /** Where the first header stands that breaks the rules. */
  readonly broken: number | null;
  /** Nothing is left of a frame that has not ended. */
  readonly whole: boolean;
}

function reference(bytes: Uint8Array): Reference {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const log = new Log();
  let at = 0;
  while (bytes.length - at >= FRAME_HEADER) {
    const word = view.getUint32(at), stream = view.getUint32(at + 4);
    const length = Math.floor(word / 256), type = word % 256;
    const rule = TABLE.find(([known]) => known === type);
    const fits = rule !== undefined && length >= rule[1] && length <= rule[2] &&
      (rule[3] === "any" || (rule[3] === "0") === (stream === 0));
    if (!fits) return { heard: log.heard, broken: at, whole: false };
    const body = at + FRAME_HEADER, end = body + length;
    if (type === DATA) log.data(stream, bytes, body, Math.min(end, bytes.length));
    if (end > bytes.length) return { heard: log.heard, broken: null, whole: false };
    if (type !== DATA) log.frame(type, stream, bytes, body, end);
    at = end;
  }
  return { heard: log.heard, broken: null, whole: at === bytes.length };
}

class Log implements FrameSink {
  readonly heard: string[] = [];
  /** The stream of the DATA that was heard last. */
  #data = -1;
  /** What was announced and has not come. */
  #expected: string | null = null;

  frame(type: number, stream: number, bytes: Uint8Array, from: number, to: number): void {
    const told = `${type} ${stream}`;
    assert.ok(this.#expected === null || this.#expected === told, "another frame than was announced");
    this.#expected = null;
    this.heard.push(`${told} ${latin1(bytes, from, to)}`);
    this.#data = -1;
  }

  data(stream: number, bytes: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    assert.equal(this.#expected, null, "DATA within a frame");
    const octets = latin1(bytes, from, to);
    if (this.#data === stream) this.heard[this.heard.length - 1] += octets;
    else this.heard.push(`${DATA} ${stream} ${octets}`);
    this.#data = stream;
  }

  expect(type: number, stream: number): void {
    assert.equal(this.#expected, null, "announced twice");
    this.#expected = `${type} ${stream}`;
  }
}

/** Any octets, cut anywhere, are the frames that a slow reading finds. True: they all were frames. */
export function framesCase(random: Random): boolean {
  const bytes = octets(random);
  const places = cuts(random, bytes.length);
  try {
    return isReadRight(bytes, places);
  } catch (error) {
    throw new Error(`${bytes.toHex()} cut at ${places}`, { cause: error });
  }
}

function isReadRight(bytes: Uint8Array, places: readonly number[]): boolean {
  const { heard, broken, whole } = reference(bytes);
  const reader = new FrameReader(), log = new Log();
  let refused: FrameError | null = null;
  try {
    inPieces(bytes, places, (piece, from, to) => reader.read(piece, from, to, log));
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    refused = error;
  }
  assert.equal(refused !== null, broken !== null, refused?.message ?? "not refused");
  assert.deepEqual(log.heard, heard);
  if (broken === null) assert.equal(reader.atBoundary, whole);
  if (whole) assert.ok(isPrinted(bytes), "printed, it is another");
  return whole;
}

/** Whether what is whole and right is written as it was read, the fields of OPEN too. */
function isPrinted(bytes: Uint8Array): boolean {
  const again = new Uint8Array(bytes.length);
  let at = 0;
  const copy = (type: number, stream: number, from: Uint8Array) => {
    at = writeHeader(again, at, type, stream, from.length);
    again.set(from, at);
    at += from.length;
  };
  for (let i = 0; i < bytes.length;) {
    const length = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2], type = bytes[i + 3];
    const stream = (bytes[i + 4] << 24 | bytes[i + 5] << 16 | bytes[i + 6] << 8 | bytes[i + 7]) >>> 0;
    const payload = bytes.subarray(i + FRAME_HEADER, i + FRAME_HEADER + length);
    copy(type, stream, type === OPEN ? reopened(payload) : payload);
    i += FRAME_HEADER + length;
  }
  return at === bytes.length && again.every((octet, i) => octet === bytes[i]);
}

/** The payload of an OPEN, read and written; as it is where it is refused. */
function reopened(payload: Uint8Array): Uint8Array {
  // Octets of another frame follow it.
  const among = joined([payload, Uint8Array.of(0x41, 0x41)]);
  try {
    const fields = readOpen(among, 0, payload.length);
    const again = new Uint8Array(openLength(fields));
    writeOpen(again, 0, fields, payload[1] & 6);
    return again;
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return payload;
  }
}

function octets(random: Random): Uint8Array {
  if (random.below(32) === 0) return noise(random, random.below(60));
  const frames = Array.from({ length: random.below(8) }, () => frame(random));
  const bytes = joined(frames);
  return random.below(2) === 0 ? bytes : spoiled(random, bytes);
}

/** A frame, mostly a right one. */
export function frame(random: Random): Uint8Array {
  const [type, least, most, stream] = random.of(TABLE);
  const id = stream === "0" || (stream === "any" && random.below(2) === 0)
    ? 0
    : random.of([1, 2, 2, 3, 4, 0x7fffffff, 0x80000000, 0xffffffff]);
  if (type === OPEN && random.below(4) > 0) return whole(type, id, openPayload(random));
  const wished = random.below(200) === 0
    ? random.of([least, most, most + 1, MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1])
    : least + random.below(Math.min(30, most - least + 1));
  const length = random.below(40) === 0 ? Math.max(0, wished + random.of([-1, 1])) : wished;
  const odd = random.below(60);
  return whole(
    odd === 0 ? random.below(256) : type,
    odd === 1 ? id ^ 2 : odd === 2 ? 0 : id,
    noise(random, length),
  );
}

function openPayload(random: Random): Uint8Array {
  const text = () =>
    "abc.example:8080".slice(0, random.below(17)) + "x".repeat(random.of([0, 0, 0, 0, 0, 0, 239]));
  const fields = {
    kind: random.of(["http", "http", "tcp"] as const),
    https: random.below(2) === 0,
    link: text(),
    address: text(),
    requestId: text(),
    host: text(),
  };
  const bytes = new Uint8Array(openLength(fields));
  writeOpen(bytes, 0, fields, random.of([0, 0, 2, 4, 6]));
  return bytes;
}

function whole(type: number, stream: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER + payload.length);
  bytes.set(payload, writeHeader(bytes, 0, type, stream, payload.length));
  return bytes;
}
