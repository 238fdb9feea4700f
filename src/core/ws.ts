/** WebSocket frames (RFC 6455 §5), both directions, from bytes in any pieces and to bytes. */
import { writeU32 } from "./frame.ts";

export const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

/** Why a connection is closed (RFC 6455 §7.4.1). */
export const CloseCode = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  PROTOCOL: 1002,
  UNSUPPORTED: 1003,
  /** Never sent: a Close without a code. */
  NONE: 1005,
  INVALID: 1007,
  POLICY: 1008,
  TOO_BIG: 1009,
} as const;

/** The most octets before a payload: 2, a length of 8, a key of 4. */
export const WS_HEADER_MAX = 14;
const CONTROL_MAX = 125;
const FIN = 0x80, MASK = 0x80;

/** The peer broke the protocol: the connection is closed with `code`. */
export class WsError extends Error {
  override readonly name = "WsError";
  constructor(readonly code: number, message: string) {
    super(message);
  }
}

/** Whoever takes messages. All bytes are valid only during the call. */
export interface WsSink {
  /** Octets of a message, unmasked, as many as have come; `opcode` TEXT or BINARY is the whole message's. */
  payload(opcode: number, bytes: Uint8Array, from: number, to: number): void;
  /** The message is complete. */
  message(opcode: number): void;
  ping(payload: Uint8Array): void;
  pong(payload: Uint8Array): void;
  /** The peer closes; NONE where it gave no code. Nothing is read after it. */
  closing(code: number, reason: string): void;
}

const NOTHING = new Uint8Array(0);

/** What is read next. */
const enum Step {
  HEADER,
  PAYLOAD,
  CLOSED,
}

/** Reads one direction of a connection. Payload is handed on as it comes; only control frames are kept, ≤ 125 octets. */
export class WsReader {
  readonly #masked: boolean;
  readonly #limit: number;
  #step = Step.HEADER;
  /** A header, as far as it came. So small that it costs an idle connection no memory outside the heap. */
  readonly #kept = new Uint8Array(WS_HEADER_MAX);
  #have = 0;
  /** The payload of a control frame, as far as it came. */
  #control: Uint8Array = NOTHING;
  #opcode = 0;
  #fin = false;
  #left = 0;
  #key = 0;
  /** The message that is being read, 0: none; and how much of it came. */
  #message = 0;
  #length = 0;
  /** Checks a text message over its pieces. */
  #utf8: TextDecoder | null = null;

  /** `masked`: the peer is the client. `limit`: octets in a message. */
  constructor(masked: boolean, limit: number) {
    this.#masked = masked;
    this.#limit = limit;
  }

  /** Takes bytes[from, to) and unmasks them in place. Throws WsError. */
  read(bytes: Uint8Array, from: number, to: number, sink: WsSink): void {
    let at = from;
    while (at < to) {
      if (this.#step === Step.CLOSED) return;
      if (this.#step === Step.HEADER) {
        at = this.#header(bytes, at, to);
        if (this.#step === Step.HEADER) return;
        if (this.#left === 0) this.#ended(sink);
        continue;
      }
      const end = at + Math.min(this.#left, to - at);
      if (this.#key !== 0) this.#key = applyMask(bytes, at, end, this.#key);
      this.#left -= end - at;
      if (this.#opcode >= Opcode.CLOSE) this.#keep(bytes, at, end);
      else {
        if (this.#message === Opcode.TEXT) this.#checkText(bytes.subarray(at, end), false);
        sink.payload(this.#message, bytes, at, end);
      }
      at = end;
      if (this.#left === 0) this.#ended(sink);
    }
  }

  /** Octets of a control frame. Nearly all come whole and are not copied: whoever is flooded with them pays for each. */
  #keep(bytes: Uint8Array, from: number, to: number): void {
    const control = this.#control, had = control.length;
    if (had === 0 && this.#left === 0) this.#control = bytes.subarray(from, to);
    else {
      this.#control = new Uint8Array(had + to - from);
      this.#control.set(control);
      this.#control.set(bytes.subarray(from, to), had);
    }
  }

  /** Takes octets of a header; when it is whole, payload is next. */
  #header(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to) {
      this.#kept[this.#have++] = bytes[at++];
      if (this.#have < 2) continue;
      const kept = this.#kept;
      if (this.#have === 2) this.#check(kept[0], kept[1]);
      const short = kept[1] & 0x7f;
      const size = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (this.#masked ? 4 : 0);
      if (this.#have < size) continue;
      this.#left = short < 126 ? short : this.#longLength(short === 126 ? 2 : 8);
      this.#key = this.#masked
        ? kept[size - 4] << 24 | kept[size - 3] << 16 | kept[size - 2] << 8 | kept[size - 1]
        : 0;
      this.#have = 0;
      this.#step = Step.PAYLOAD;
      if (this.#opcode < Opcode.CLOSE) {
        this.#length += this.#left;
        if (this.#length > this.#limit) throw new WsError(CloseCode.TOO_BIG, "a message is too long");
      }
      return at;
    }
    return at;
  }

  #check(first: number, second: number): void {
    const opcode = first & 0x0f;
    this.#opcode = opcode;
    this.#fin = (first & FIN) !== 0;
    if ((first & 0x70) !== 0) throw protocol("a reserved bit is set");
    if (((second & MASK) !== 0) !== this.#masked) {
      throw protocol(this.#masked ? "a client's frame is not masked" : "a server's frame is masked");
    }
    if (opcode >= Opcode.CLOSE) {
      if (opcode > Opcode.PONG) throw protocol("an unknown opcode");
      if (!this.#fin) throw protocol("a control frame in pieces");
      if ((second & 0x7f) > CONTROL_MAX) throw protocol("a control frame is too long");
    } else if (opcode > Opcode.BINARY) throw protocol("an unknown opcode");
    else if (opcode === Opcode.CONTINUATION) {
      if (this.#message === 0) throw protocol("a continuation of nothing");
    } else if (this.#message !== 0) throw protocol("a message within a message");
    else {
      this.#message = opcode;
      this.#length = 0;
    }
  }

  #longLength(octets: 2 | 8): number {
    let length = 0;
    for (let i = 2; i < 2 + octets; i++) length = length * 256 + this.#kept[i];
    if (length < (octets === 2 ? 126 : 65536)) throw protocol("a length is not in its shortest form");
    if (length > Number.MAX_SAFE_INTEGER) throw new WsError(CloseCode.TOO_BIG, "a frame is too long");
    return length;
  }

  /** A frame is complete. */
  #ended(sink: WsSink): void {
    this.#step = Step.HEADER;
    if (this.#opcode < Opcode.CLOSE) {
      if (!this.#fin) return;
      const message = this.#message;
      this.#message = 0;
      if (message === Opcode.TEXT) this.#checkText(NOTHING, true);
      return sink.message(message);
    }
    const payload = this.#control;
    this.#control = NOTHING;
    if (this.#opcode === Opcode.PING) sink.ping(payload);
    else if (this.#opcode === Opcode.PONG) sink.pong(payload);
    else {
      this.#step = Step.CLOSED;
      const { code, reason } = readClose(payload);
      sink.closing(code, reason);
    }
  }

  #checkText(bytes: Uint8Array, last: boolean): void {
    this.#utf8 ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    decode(this.#utf8, bytes, last);
  }
}

function protocol(message: string): WsError {
  return new WsError(CloseCode.PROTOCOL, message);
}

function decode(decoder: TextDecoder, bytes: Uint8Array, last: boolean): string {
  try {
    return decoder.decode(bytes, { stream: !last });
  } catch {
    throw new WsError(CloseCode.INVALID, "a text is not UTF-8");
  }
}

function readClose(payload: Uint8Array): { code: number; reason: string } {
  if (payload.length === 0) return { code: CloseCode.NONE, reason: "" };
  if (payload.length === 1) throw protocol("half a close code");
  const code = payload[0] << 8 | payload[1];
  // 1004, 1005, 1006 and 1015 are never sent; 1012 to 1014 were registered later.
  const known = (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
    (code >= 3000 && code < 5000);
  if (!known) throw protocol("an invalid close code");
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return { code, reason: decode(decoder, payload.subarray(2), true) };
}

/**
 * Masks or unmasks bytes[from, to) in place (RFC 6455 §5.3). `key`: its four octets as a number, the next one to use
 * first. Returns the key for the bytes that follow.
 */
export function applyMask(bytes: Uint8Array, from: number, to: number, key: number): number {
  let at = from;
  const { buffer, byteOffset } = bytes;
  if (to - from >= 256) {
    for (; ((byteOffset + at) & 3) !== 0; at++) {
      bytes[at] ^= key >>> 24;
      key = key << 8 | key >>> 24;
    }
    const words = new Int32Array(buffer, byteOffset + at, (to - at) >>> 2);
    // Words are read in the machine's order, the least octet first; a key's first octet is its highest.
    const word = (key & 0xff) << 24 | (key & 0xff00) << 8 | (key >>> 8 & 0xff00) | key >>> 24;
    for (let i = 0; i < words.length; i++) words[i] ^= word;
    at += words.length * 4;
  }
  for (; at < to; at++) {
    bytes[at] ^= key >>> 24;
    key = key << 8 | key >>> 24;
  }
  return key;
}

/**
 * Writes the header of a frame so that it ends right before `end`, where `length` octets of payload begin, and masks
 * them if there is a `key`. Needs up to WS_HEADER_MAX octets; returns where the frame begins.
 */
export function writeWsHeader(
  bytes: Uint8Array,
  end: number,
  length: number,
  options: { opcode: number; fin: boolean; key: number | null },
): number {
  const { opcode, fin, key } = options;
  let at = end;
  if (key !== null) {
    at -= 4;
    writeU32(bytes, at, key);
    if (key !== 0) applyMask(bytes, end, end + length, key);
  }
  const mask = key === null ? 0 : MASK;
  if (length < 126) bytes[--at] = mask | length;
  else if (length < 65536) {
    bytes[--at] = length;
    bytes[--at] = length >>> 8;
    bytes[--at] = mask | 126;
  } else {
    at -= 4;
    writeU32(bytes, at, length);
    at -= 4;
    writeU32(bytes, at, Math.floor(length / 2 ** 32));
    bytes[--at] = mask | 127;
  }
  bytes[--at] = (fin ? FIN : 0) | opcode;
  return at;
}

/** A whole frame with a copy of `payload`. */
export function wsFrame(
  payload: Uint8Array,
  options: { opcode: number; fin: boolean; key: number | null },
): Uint8Array {
  const bytes = new Uint8Array(WS_HEADER_MAX + payload.length);
  bytes.set(payload, WS_HEADER_MAX);
  return bytes.subarray(writeWsHeader(bytes, WS_HEADER_MAX, payload.length, options));
}

/** The payload of a Close; a reason that is too long is cut at a character. */
export function closePayload(code: number, reason: string): Uint8Array {
  const bytes = new Uint8Array(CONTROL_MAX);
  bytes[0] = code >>> 8;
  bytes[1] = code;
  const { written } = new TextEncoder().encodeInto(reason, bytes.subarray(2));
  return bytes.subarray(0, 2 + written);
}
