/** Control messages: JSON over one CONTROL frame or several. */
import { FrameError, MAX_PAYLOAD, MORE, Type } from "../core/frame.ts";
import type { Outbox } from "./outbox.ts";

/** The most octets of one message. */
export const MAX_CONTROL = 1024 * 1024;

const encoder = new TextEncoder();

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
  #parts: Uint8Array[] = [];
  #length = 0;

  /** Takes the payload of a CONTROL frame. Returns the JSON value that it completes, else undefined. Throws FrameError. */
  read(bytes: Uint8Array, from: number, to: number): unknown {
    if (bytes[from] > MORE) throw new FrameError("a CONTROL frame with unknown flags");
    this.#length += to - from - 1;
    if (this.#length > MAX_CONTROL) throw new FrameError("a control message of more than 1 MiB");
    this.#parts.push(bytes.slice(from + 1, to));
    if (bytes[from] === MORE) return undefined;
    const decoder = new TextDecoder("utf-8", { fatal: true });
    try {
      const text = this.#parts.map((part) => decoder.decode(part, { stream: true })).join("") +
        decoder.decode();
      return JSON.parse(text);
    } catch (cause) {
      throw new FrameError("a control message is no JSON", { cause });
    } finally {
      this.#parts = [];
      this.#length = 0;
    }
  }
}
