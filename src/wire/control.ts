/** Control messages: JSON over one CONTROL frame or several. */
import { FrameError, MAX_PAYLOAD, MORE, Type } from "../core/frame.ts";
import type { Outbox } from "./outbox.ts";
import { Pieces } from "./pieces.ts";

/** The most octets of one message. */
export const MAX_CONTROL = 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Adds `message` to the outbox. Throws RangeError where it is larger than MAX_CONTROL: split it before (hello.ts). */
export function writeControl(outbox: Outbox, message: object): void {
  const json = encoder.encode(JSON.stringify(message));
  if (json.length > MAX_CONTROL) throw new RangeError(`a control message of ${json.length} octets`);
  for (let from = 0; from < json.length;) {
    const to = Math.min(json.length, from + MAX_PAYLOAD - 1);
    const at = outbox.frame(Type.CONTROL, 0, 1 + to - from);
    outbox.buffer[at] = to < json.length ? MORE : 0;
    outbox.buffer.set(json.subarray(from, to), at + 1);
    from = to;
  }
}

/** Puts messages together. Holds nothing between two of them. */
export class ControlReader {
  /** Of a message in several frames, what came. */
  #pieces: Pieces | null = null;

  /** Takes the payload of a CONTROL frame. Returns the JSON value that it completes, else undefined. Throws FrameError. */
  read(bytes: Uint8Array, from: number, to: number): unknown {
    const flags = bytes[from];
    if (flags > MORE) throw new FrameError("a CONTROL frame with unknown flags");
    if (flags !== MORE && this.#pieces === null) return parse(bytes.subarray(from + 1, to));
    this.#pieces ??= new Pieces(MAX_CONTROL, "a control message");
    this.#pieces.add(bytes, from + 1, to);
    if (flags === MORE) return undefined;
    const json = this.#pieces.bytes;
    this.#pieces = null;
    return parse(json);
  }
}

function parse(json: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(json));
  } catch (cause) {
    throw new FrameError("a control message is no JSON", { cause });
  }
}
