/** What must hold of any octets that a WebSocket's peer sends, held to the receiver of npm `ws`. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as ws from "ws";
import { latin1 } from "../../src/core/latin1.ts";
import { closePayload, Opcode, WsError, wsFrame, WsReader, type WsSink } from "../../src/core/ws.ts";
import { cuts, inPieces, joined, noise, spoiled } from "../pure/octets.ts";
import type { Random } from "../pure/random.ts";

/** Octets in a message. */
const LIMIT = 70_000;

/** What its types leave out. `_write` is the reading itself, without the queue of a stream around it. */
interface Receiver {
  on(event: string, hear: (...args: never[]) => void): void;
  _write(chunk: Uint8Array, encoding: "buffer", done: (error?: Refusal) => void): void;
}
type Refusal = Error & { code: string; [status: symbol]: number };

const { Receiver } = ws as unknown as {
  Receiver: new (options: { isServer: boolean; maxPayload: number }) => Receiver;
};

/** What was heard, and with which close code the rest was refused. */
interface Heard {
  readonly heard: string[];
  refused: number | null;
  /** In words. */
  why: string;
}

class Log implements WsSink {
  readonly heard: string[] = [];
  #message = "";

  payload(_opcode: number, bytes: Uint8Array, from: number, to: number): void {
    this.#message += latin1(bytes, from, to);
  }
  message(opcode: number): void {
    this.heard.push(`${opcode} ${this.#message}`);
    this.#message = "";
  }
  ping(payload: Uint8Array): void {
    this.heard.push(`ping ${latin1(payload, 0, payload.length)}`);
  }
  pong(payload: Uint8Array): void {
    this.heard.push(`pong ${latin1(payload, 0, payload.length)}`);
  }
  closing(code: number, reason: string): void {
    this.heard.push(`close ${code} ${reason}`);
  }
}

function ours(bytes: Uint8Array, masked: boolean, places: readonly number[]): Heard {
  const reader = new WsReader(masked, LIMIT), log = new Log();
  try {
    inPieces(bytes, places, (piece, from, to) => reader.read(piece, from, to, log));
  } catch (error) {
    if (!(error instanceof WsError)) throw error;
    return { heard: log.heard, refused: error.code, why: error.message };
  }
  return { heard: log.heard, refused: null, why: "" };
}

function theirs(bytes: Uint8Array, masked: boolean): Heard {
  const receiver = new Receiver({ isServer: masked, maxPayload: LIMIT });
  const heard: string[] = [];
  const text = (octets: Uint8Array) => latin1(octets, 0, octets.length);
  receiver.on(
    "message",
    (data: Uint8Array, binary: boolean) => heard.push(`${binary ? 2 : 1} ${text(data)}`),
  );
  receiver.on("ping", (data: Uint8Array) => heard.push(`ping ${text(data)}`));
  receiver.on("pong", (data: Uint8Array) => heard.push(`pong ${text(data)}`));
  receiver.on("conclude", (code: number, reason: Buffer) => heard.push(`close ${code} ${reason}`));
  let refused: Refusal | null = null;
  // It unmasks in place.
  receiver._write(Buffer.from(bytes), "buffer", (error) => refused = error ?? null);
  if (refused === null) return { heard, refused: null, why: "" };
  const status = Object.getOwnPropertySymbols(refused).find(({ description }) =>
    description === "status-code"
  )!;
  return { heard, refused: (refused as Refusal)[status], why: (refused as Refusal).code };
}

/** Any octets, cut anywhere, are the messages that `ws` reads, or refused. True: nothing was refused. */
export function websocketCase(random: Random): boolean {
  const masked = random.below(2) === 0;
  const bytes = octets(random, masked);
  const places = cuts(random, bytes.length);
  const we = ours(bytes, masked, places), they = theirs(bytes, masked);
  try {
    assert.deepEqual(ours(bytes, masked, [bytes.length]), we);
    compare(bytes, masked, we, they);
  } catch (error) {
    const what = `${masked ? "masked " : ""}${bytes.toHex()} cut at ${places}`;
    throw new Error(`${what}: ${we.why}, ${they.why}`, { cause: error });
  }
  return we.refused === null;
}

function compare(bytes: Uint8Array, masked: boolean, we: Heard, they: Heard): void {
  if (we.refused === null && they.refused !== null) {
    // Lengths are refused there before the key came, here after it, and half a close code when that came.
    const more = joined([bytes, new Uint8Array(5)]);
    const then = ours(more, masked, [more.length]);
    assert.match(then.why, /^(half a close code|a (frame|message) is too long)$/);
    assert.deepEqual([then.heard, then.refused], [they.heard, they.refused]);
    return;
  }
  // We refuse a length that is longer than it need be, and a text as soon as it is none.
  const early = we.why === "a length is not in its shortest form" || we.refused === 1007;
  if (!early) assert.equal(we.refused, they.refused);
  assert.deepEqual(we.heard, early ? they.heard.slice(0, we.heard.length) : they.heard);
}

const TEXT = new TextEncoder().encode("ab\u00e9\u20ac\u{1f600}\ufeff\u0000z");

function octets(random: Random, masked: boolean): Uint8Array {
  if (random.below(32) === 0) return noise(random, random.below(40));
  const frames: Uint8Array[] = [];
  /** The message that is under way, and its octets that were not sent. */
  let rest: Uint8Array | null = null;
  for (let n = random.below(7); n > 0; n--) {
    const side = random.below(60) === 0 ? !masked : masked;
    const key = side ? random.of([0, 1, 0xff00ff00, 0x37fa213d, random.below(2 ** 32)]) : null;
    const put = (opcode: number, payload: Uint8Array, fin = true) => {
      frames.push(
        random.below(40) === 0 ? longer(payload, opcode, key) : wsFrame(payload, { opcode, fin, key }),
      );
    };
    if (random.below(4) === 0) {
      put(
        random.of([Opcode.PING, Opcode.PONG]),
        noise(random, random.of([0, 1, 5, 125, 124, 126])),
        random.below(30) > 0,
      );
    } else if (random.below(8) === 0) put(Opcode.CLOSE, closing(random));
    else if (random.below(40) === 0) {
      put(random.below(16), noise(random, random.below(9)), random.below(2) === 0);
    } else {
      const opcode: number = rest !== null ? Opcode.CONTINUATION : random.of([Opcode.TEXT, Opcode.BINARY]);
      const payload: Uint8Array = rest ??
        (opcode === Opcode.TEXT ? text(random) : noise(random, length(random)));
      const part: number = random.below(2) === 0 ? payload.length : random.below(payload.length + 1);
      const fin = part === payload.length && random.below(3) > 0;
      put(opcode, payload.slice(0, part), fin);
      rest = fin ? null : payload.slice(part);
    }
  }
  const bytes = joined(frames);
  return random.below(3) > 0 ? bytes : spoiled(random, bytes);
}

function length(random: Random): number {
  if (random.below(100) === 0) return random.of([65_535, 65_536, LIMIT, LIMIT + 1]);
  return random.of([0, 1, 3, 20, 125, 126, 127, 256, 259, 300, random.below(40)]);
}

/** UTF-8, now and then not. */
function text(random: Random): Uint8Array {
  const parts = Array.from({ length: random.below(4) }, () => {
    const from = random.below(8) === 0 ? random.below(TEXT.length) : 0;
    return random.below(20) === 0 ? noise(random, 3) : TEXT.subarray(from);
  });
  return joined(parts);
}

function closing(random: Random): Uint8Array {
  const code = random.of([
    1000,
    1001,
    1002,
    1003,
    1004,
    1005,
    1006,
    1007,
    1011,
    1014,
    1015,
    2999,
    3000,
    4999,
    5000,
    999,
  ]);
  const payload = closePayload(code, random.of(["", "bye", "caf\u00e9", "x".repeat(200)]));
  return random.below(6) === 0 ? payload.slice(0, random.below(payload.length + 1)) : payload;
}

/** A frame whose length is written longer than it need be. */
function longer(payload: Uint8Array, opcode: number, key: number | null): Uint8Array {
  const { length } = payload;
  const mask = key === null ? [] : [0, 0, 0, 0];
  return joined([
    Uint8Array.of(0x80 | opcode, (key === null ? 0 : 0x80) | 126, length >>> 8, length, ...mask),
    payload,
  ]);
}
