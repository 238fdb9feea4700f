/** What the peer of a session says: mostly what one of ours would, in any order, and then spoiled. */
import { FRAME_HEADER, Type, writeHeader } from "../../src/core/frame.ts";
import { openLength, writeOpen } from "../../src/core/open.ts";
import { frame as anyFrame } from "../pure/frames_fuzz.ts";
import { joined, noise, spoiled } from "../pure/octets.ts";
import type { Random } from "../pure/random.ts";
import { control } from "./control_fuzz.ts";
import { HTTP, TCP } from "./session_rig.ts";

/** What a peer sends, and what is done here meanwhile. */
export interface Story {
  readonly role: "dialler" | "acceptor";
  readonly messages: Uint8Array[];
  /** Streams that are opened on this side, one with each message. */
  readonly own: number;
  /** Shifts the manners of readers. */
  readonly manner: number;
  /** Ask at the end whether it is still there. */
  readonly ping: boolean;
}

/** One of them. */
export function aStory(random: Random): Story {
  const role = random.of(["dialler", "acceptor"] as const);
  const peer = new Peer(random, role === "acceptor" ? 2 : 1);
  const messages = Array.from({ length: 1 + random.below(5) }, () => {
    const frames = Array.from({ length: 1 + random.below(6) }, () => peer.says());
    const message = joined(frames);
    return random.below(5) === 0 ? spoiled(random, message) : message;
  });
  return { role, messages, own: random.below(3), manner: random.below(4) * 2, ping: random.below(2) === 0 };
}

/** Knows how streams go, mostly keeps to it, and speaks of those that it opened. */
class Peer {
  /** What may come next on a stream: a head first where it is HTTP. */
  readonly #streams = new Map<number, "head" | "more" | "body">();
  #gone: number[] = [];
  #next: number;

  constructor(private readonly random: Random, first: number) {
    this.#next = first;
  }

  says(): Uint8Array {
    const { random } = this;
    if (random.below(50) === 0) return anyFrame(random);
    switch (random.below(12)) {
      case 0:
        return frame(random.of([Type.PING, Type.PONG]), 0, noise(random, 8));
      case 1: {
        const json = new TextEncoder().encode(control(random));
        const at = random.below(3) === 0 ? random.below(json.length + 1) : 0;
        const last = frame(Type.CONTROL, 0, joined([Uint8Array.of(0), json.subarray(at)]));
        return at === 0
          ? last
          : joined([frame(Type.CONTROL, 0, joined([Uint8Array.of(1), json.subarray(0, at)])), last]);
      }
      case 2:
        return random.below(4) === 0
          ? frame(Type.DRAIN, 0)
          : frame(Type.CREDIT, 0, u32(random.of([16_384, 262_144])));
      case 3:
      case 4:
        return this.#opens();
    }
    const ids = [...this.#streams.keys()];
    if (ids.length === 0) return this.#opens();
    const id = random.below(30) === 0 ? random.of([...this.#gone, ...ids, 1, 2, this.#next]) : random.of(ids);
    return this.#onStream(id, this.#streams.get(id) ?? "body");
  }

  #opens(): Uint8Array {
    const { random } = this;
    const id = this.#next, fields = random.of([HTTP, HTTP, TCP]);
    this.#next = id + 2 * (1 + (random.below(10) === 0 ? random.below(5) : 0));
    this.#streams.set(id, fields === TCP ? "body" : "head");
    const payload = new Uint8Array(openLength(fields));
    writeOpen(payload, 0, fields, random.of([0, 0, 0, 2, 4, 6]));
    return frame(Type.OPEN, id, payload);
  }

  #onStream(id: number, next: "head" | "more" | "body"): Uint8Array {
    const { random } = this;
    const ends = () => {
      this.#streams.delete(id);
      this.#gone.push(id);
    };
    if (random.below(12) === 0) {
      ends();
      return frame(Type.RESET, id, text(random.of(["bye", "visitor_left", "Bye!"])));
    }
    if (random.below(8) === 0) {
      return frame(Type.CREDIT, id, u32(random.of([1, 1000, 262_144, 2 ** 31 - 1 - 262_144])));
    }
    if (next !== "body" || random.below(20) === 0) {
      const flags = random.of([0, 0, 0, 1, 2]);
      if (flags === 2) ends();
      else this.#streams.set(id, flags === 1 ? "more" : "body");
      return frame(Type.HEAD, id, joined([Uint8Array.of(flags), noise(random, random.below(30))]));
    }
    if (random.below(4) === 0) {
      ends();
      return frame(Type.END, id, random.below(2) === 0 ? undefined : text("X-T: 1\r\n"));
    }
    return frame(
      Type.DATA,
      id,
      noise(random, random.below(60) === 0 ? random.of([16_384, 65_536]) : random.below(60)),
    );
  }
}

/** One frame. */
export function frame(type: number, stream: number, payload = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER + payload.length);
  bytes.set(payload, writeHeader(bytes, 0, type, stream, payload.length));
  return bytes;
}

/** The octets of Latin-1 text. */
export function text(value: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(value, (char) => char.charCodeAt(0));
}

function u32(value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
