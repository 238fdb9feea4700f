/**
 * What an OPEN frame says: kind u8, flags u8, then link, address, request id and host,
 * each a length u8 and that many octets. Frozen like the frame types.
 */
import { latin1 } from "./latin1.ts";
import { FrameError } from "./frame.ts";

/** Who a stream is for, and from. The texts are visible ASCII, at most 255 octets each. */
export interface OpenFields {
  readonly kind: "http" | "tcp";
  /** The visitor's connection was encrypted. */
  readonly https: boolean;
  /** The link's public id. */
  readonly link: string;
  /** The client's address. */
  readonly address: string;
  readonly requestId: string;
  /** The authority that the visitor sent. */
  readonly host: string;
}

const HTTP = 1, TCP = 2;
const HTTPS = 1;
/** A flag: the opener knows that its stream begins with little credit. */
export const NARROW = 2;
/** A flag: the other side begins with little credit. */
export const NARROW_BACK = 4;

/** The octets of `fields` as the payload of a frame. Throws RangeError where a text can not be sent. */
export function openLength({ link, address, requestId, host }: OpenFields): number {
  return 2 + textLength(link) + textLength(address) + textLength(requestId) + textLength(host);
}

/** Writes `fields`, which `openLength` has measured, and `flags` (NARROW, NARROW_BACK) to bytes[at…]; returns what follows. */
export function writeOpen(bytes: Uint8Array, at: number, fields: OpenFields, flags = 0): number {
  bytes[at] = fields.kind === "http" ? HTTP : TCP;
  bytes[at + 1] = fields.https ? flags | HTTPS : flags;
  at = writeText(bytes, at + 2, fields.link);
  at = writeText(bytes, at, fields.address);
  at = writeText(bytes, at, fields.requestId);
  return writeText(bytes, at, fields.host);
}

/**
 * Reads the payload bytes[from, to). Throws FrameError: its texts go into heads and logs, so octets that could end a
 * line there end the session here.
 */
export function readOpen(bytes: Uint8Array, from: number, to: number): OpenFields {
  const kind = bytes[from], flags = bytes[from + 1];
  if ((kind !== HTTP && kind !== TCP) || flags > ALL_FLAGS) {
    throw new FrameError(`an OPEN of kind ${kind}, flags ${flags}`);
  }
  const link = from + 2;
  const address = skipText(bytes, link, to);
  const requestId = skipText(bytes, address, to);
  const host = skipText(bytes, requestId, to);
  if (skipText(bytes, host, to) !== to) throw new FrameError("an OPEN with octets after its texts");
  // One decoding is dearer than four slices.
  const texts = latin1(bytes, from, to);
  return {
    kind: kind === HTTP ? "http" : "tcp",
    https: (flags & HTTPS) !== 0,
    link: texts.slice(3, address - from),
    address: texts.slice(address + 1 - from, requestId - from),
    requestId: texts.slice(requestId + 1 - from, host - from),
    host: texts.slice(host + 1 - from),
  };
}

const ALL_FLAGS = HTTPS | NARROW | NARROW_BACK;

function textLength(text: string): number {
  if (text.length > 255) throw new RangeError("a text of OPEN has more than 255 characters");
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x21 || code > 0x7e) {
      throw new RangeError("a text of OPEN has other characters than visible ASCII");
    }
  }
  return 1 + text.length;
}

function writeText(bytes: Uint8Array, at: number, text: string): number {
  bytes[at++] = text.length;
  for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
  return at;
}

/** Returns where the text whose length stands at `at` ends. */
function skipText(bytes: Uint8Array, at: number, to: number): number {
  const end = at + 1 + bytes[at];
  // At `to` there is no length to read: what lies there belongs to another frame.
  if (at >= to || end > to) throw new FrameError("an OPEN whose texts are cut short");
  for (let i = at + 1; i < end; i++) {
    if (bytes[i] < 0x21 || bytes[i] > 0x7e) {
      throw new FrameError("an OPEN with other octets than visible ASCII");
    }
  }
  return end;
}
