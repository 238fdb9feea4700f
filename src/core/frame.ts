/**
 * The frames of a tunnel: length u24, type u8, stream u32, all big-endian, then at most 64 KiB of payload. The numbers
 * are frozen: hubs and daemons of neighbouring versions speak them with each other.
 */

/** Octets before a frame's payload. */
export const FRAME_HEADER = 8;
/** The most octets of payload in one frame. */
export const MAX_PAYLOAD = 64 * 1024;

/** What a frame is. */
export const Type = {
  /** A stream begins: who it is for and from (core/open.ts). */
  OPEN: 1,
  /** An HTTP head: flags u8, then octets of the head. */
  HEAD: 2,
  /** Octets of a body or of a connection. */
  DATA: 3,
  /** Nothing more comes this way: the trailers' field lines. */
  END: 4,
  /** The stream is cut, both ways: a code as text. */
  RESET: 5,
  /** So many octets more may be sent, u32; on stream 0: what a new stream begins with. */
  CREDIT: 6,
  /** Eight octets that come back in a PONG. */
  PING: 7,
  PONG: 8,
  /** Open no more streams here. */
  DRAIN: 9,
  /** A part of a JSON message: flags u8, then octets of it. */
  CONTROL: 10,
} as const;

/** More of this head, or of this message, follows in the next frame. */
export const MORE = 1;
/** The message ends with this head: no DATA and no END follow. */
export const LAST = 2;

/** The least and the most payload of each type, and whether it goes on stream 0: "never", "always" or "either". */
const RULES: readonly (readonly [least: number, most: number, zero: "never" | "always" | "either"])[] = [
  [1, 0, "never"],
  [6, 2 + 4 * 256, "never"],
  [1, MAX_PAYLOAD, "never"],
  [0, MAX_PAYLOAD, "never"],
  [0, MAX_PAYLOAD, "never"],
  [1, 64, "never"],
  [4, 4, "either"],
  [8, 8, "always"],
  [8, 8, "always"],
  [0, 0, "always"],
  [2, MAX_PAYLOAD, "always"],
];

/** A peer broke the rules of the tunnel: its session ends. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** Whoever takes frames. All bytes are valid only during the call. */
export interface FrameSink {
  /** A frame of another type than DATA, whole: its payload is bytes[from, to). */
  frame(type: number, stream: number, bytes: Uint8Array, from: number, to: number): void;
  /** Octets of a DATA frame, as many as have come. Not called for an empty frame. */
  data(stream: number, bytes: Uint8Array, from: number, to: number): void;
  /** Bytes of such a frame are about to be kept until it is whole: throws FrameError where it is not wanted. */
  expect(type: number, stream: number): void;
}

/** Reads frames from bytes that come in any pieces. Holds nothing between frames. */
export class FrameReader {
  /** How many octets of the header have come, and the header so far, as two halves. */
  #have = 0;
  #lengthAndType = 0;
  #stream = 0;
  /** Payload octets of the frame that is being read which have not come yet. */
  #left = 0;
  /** Payload of a frame that is handed on whole, and came in pieces. */
  #kept: Uint8Array | null = null;

  /** True between two frames. */
  get atBoundary(): boolean {
    return this.#have === 0;
  }

  /** Takes bytes[from, to). Throws FrameError at a header that breaks the rules, before any of its payload is kept. */
  read(bytes: Uint8Array, from: number, to: number, sink: FrameSink): void {
    let at = this.#have === 0 ? from : this.#resume(bytes, from, to, sink);
    while (to - at >= FRAME_HEADER) {
      const length = bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2];
      const type = bytes[at + 3];
      const stream = (bytes[at + 4] << 24 | bytes[at + 5] << 16 | bytes[at + 6] << 8 | bytes[at + 7]) >>> 0;
      check(type, length, stream);
      const body = at + FRAME_HEADER;
      const end = body + length;
      if (end > to) {
        this.#have = FRAME_HEADER;
        this.#lengthAndType = length << 8 | type;
        this.#stream = stream;
        this.#left = length;
        return this.#begin(bytes, body, to, sink);
      }
      if (type !== Type.DATA) sink.frame(type, stream, bytes, body, end);
      else if (length > 0) sink.data(stream, bytes, body, end);
      at = end;
    }
    if (at < to) this.#header(bytes, at, to);
  }

  /** Goes on with a frame that began in earlier bytes; returns where the next one begins. */
  #resume(bytes: Uint8Array, from: number, to: number, sink: FrameSink): number {
    let at = from;
    if (this.#have < FRAME_HEADER) {
      at = this.#header(bytes, from, to);
      if (this.#have < FRAME_HEADER) return to;
      this.#left = this.#lengthAndType >>> 8;
      check(this.#lengthAndType & 0xff, this.#left, this.#stream >>> 0);
      if (this.#left > to - at) {
        this.#begin(bytes, at, to, sink);
        return to;
      }
    }
    const type = this.#lengthAndType & 0xff, stream = this.#stream >>> 0;
    const n = Math.min(this.#left, to - at);
    this.#left -= n;
    if (type === Type.DATA) {
      if (this.#left === 0) this.#have = 0;
      if (n > 0) sink.data(stream, bytes, at, at + n);
      return at + n;
    }
    const kept = this.#kept;
    if (kept !== null) {
      kept.set(bytes.subarray(at, at + n), kept.length - this.#left - n);
    }
    if (this.#left > 0) return to;
    this.#have = 0;
    this.#kept = null;
    if (kept !== null) sink.frame(type, stream, kept, 0, kept.length);
    else sink.frame(type, stream, bytes, at, at + n);
    return at + n;
  }

  /** Takes octets of a header, as many as are there. */
  #header(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && this.#have < FRAME_HEADER) {
      if (this.#have < 4) this.#lengthAndType = this.#lengthAndType << 8 | bytes[at++];
      else this.#stream = this.#stream << 8 | bytes[at++];
      this.#have++;
    }
    return at;
  }

  /** The payload's beginning bytes[from, to), of a frame that does not end in them. */
  #begin(bytes: Uint8Array, from: number, to: number, sink: FrameSink): void {
    const type = this.#lengthAndType & 0xff;
    const length = this.#left;
    this.#left -= to - from;
    if (type === Type.DATA) {
      if (to > from) sink.data(this.#stream >>> 0, bytes, from, to);
      return;
    }
    sink.expect(type, this.#stream >>> 0);
    this.#kept = new Uint8Array(length);
    this.#kept.set(bytes.subarray(from, to));
  }
}

/** Writes a header at `at`; returns where the payload begins. */
export function writeHeader(
  bytes: Uint8Array,
  at: number,
  type: number,
  stream: number,
  length: number,
): number {
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  return writeU32(bytes, at + 4, stream);
}

/** Writes `value`, big-endian; returns what follows. */
export function writeU32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}

/** The big-endian u32 at `at`. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3]) >>> 0;
}

function check(type: number, length: number, stream: number): void {
  const rule = RULES[type];
  if (rule === undefined || type === 0) throw new FrameError(`there is no frame of type ${type}`);
  if (length < rule[0] || length > rule[1]) {
    throw new FrameError(`a frame of type ${type} has ${length} octets`);
  }
  if (stream === 0 ? rule[2] === "never" : rule[2] === "always") {
    throw new FrameError(`a frame of type ${type} on stream ${stream}`);
  }
}
