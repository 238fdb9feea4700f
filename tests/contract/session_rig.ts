/** Two sessions joined by any wire, what their streams heard, and a peer that says whatever it likes. */
import { TestClock } from "../../src/clock.ts";
import { FRAME_HEADER, FrameReader, type FrameSink, writeHeader } from "../../src/core/frame.ts";
import type { OpenFields } from "../../src/core/open.ts";
import type { Control } from "../../src/wire/hello.ts";
import { memoryPair } from "../../src/wire/memory.ts";
import { type CloseReason, Session, type SessionHandler } from "../../src/wire/session.ts";
import type { Stream, StreamSink } from "../../src/wire/stream.ts";
import type { Wire, WireReceiver } from "../../src/wire/wire.ts";
import { Random } from "../pure/random.ts";
import { Ear, type Pair, sendBytes, type WireMaker, WIRES } from "./wires.ts";

export const ascii = (text: string) => new TextEncoder().encode(text);

export const HTTP: OpenFields = {
  kind: "http",
  https: true,
  link: "abc",
  address: "192.0.2.1",
  requestId: "r-1",
  host: "abc.example:8080",
};
export const TCP: OpenFields = { ...HTTP, kind: "tcp" };

/** Hands on what comes in pieces of its own making. */
class CutWire implements Wire {
  constructor(private readonly wire: Wire, private readonly length: () => number) {}
  get busy() {
    return this.wire.busy;
  }
  get queued() {
    return this.wire.queued;
  }
  get onDrain() {
    return this.wire.onDrain;
  }
  set onDrain(value) {
    this.wire.onDrain = value;
  }
  send(buffer: Uint8Array<ArrayBuffer>, from: number, to: number): void {
    this.wire.send(buffer, from, to);
  }
  start(receiver: WireReceiver): void {
    this.wire.start({
      bytes: (bytes, from, to) => {
        for (let at = from; at < to;) {
          // A buffer of its own, spoilt afterwards: nothing may be kept by reference.
          const piece = bytes.slice(at, Math.min(to, at + this.length()));
          receiver.bytes(piece, 0, piece.length);
          at += piece.length;
          piece.fill(0x21);
        }
      },
      boundary: () => receiver.boundary(),
      closed: (reason) => receiver.closed(reason),
    });
  }
  close(reason: CloseReason): void {
    this.wire.close(reason);
  }
  destroy(): void {
    this.wire.destroy();
  }
}

function cut(name: string, length: () => number): WireMaker {
  const [a, b] = [0, 1];
  return {
    name,
    make: () => {
      const pair = memoryPair();
      return Promise.resolve({
        ends: [new CutWire(pair[a], length), new CutWire(pair[b], length)],
        cut: null,
      });
    },
  };
}

const random = new Random(17);

/** Every wire, and wires that cut what passes: octet by octet, and anywhere. */
export const CARRIERS: readonly WireMaker[] = [
  ...WIRES,
  cut("cut at every octet", () => 1),
  cut("cut at random", () => random.of([1, 2, 3, 7, 8, 9, 100, 5000])),
];

/** Reads one stream and writes down what it hears; may write `bulk` to it as fast as it is taken. */
export class Reader implements StreamSink {
  stream!: Stream;
  readonly heads: string[] = [];
  readonly codes: string[] = [];
  /** Trailers; null: no end yet. */
  ended: string | null = null;
  octets = 0;
  text = "";
  /** Holds what comes instead of giving credit back. */
  stalled = false;
  held = 0;
  /** What is still to be sent, and how much was taken. */
  left = 0;
  taken = 0;
  /** Whoever wants to know at once. */
  onHead: (head: string) => void = () => {};

  head(bytes: Uint8Array, last: boolean): void {
    const head = new TextDecoder("latin1").decode(bytes);
    this.heads.push(last ? head + "|" : head);
    this.onHead(head);
  }
  data(bytes: Uint8Array): void {
    this.octets += bytes.length;
    if (this.octets < 10_000) this.text += new TextDecoder("latin1").decode(bytes);
    this.held += bytes.length;
    if (!this.stalled) this.release();
  }
  end(trailers: string): void {
    this.ended = trailers;
  }
  reset(code: string): void {
    this.codes.push(code);
  }
  writable(): void {
    this.pump();
  }

  /** Deals with all that was held. */
  release(): void {
    const { held } = this;
    this.held = 0;
    this.stream.consumed(held);
  }

  /** Sends `octets`, then the end. */
  give(octets: number): void {
    this.left = octets;
    this.pump();
  }

  pump(): void {
    while (this.left > 0) {
      const n = this.stream.send(BULK, 0, Math.min(BULK.length, this.left));
      this.left -= n;
      this.taken += n;
      if (n === 0) return;
      if (this.left === 0) this.stream.end();
    }
  }
}

const BULK = new Uint8Array(100_000).fill(0x62);

/** One end: keeps what its session tells it. */
export class Party implements SessionHandler {
  session!: Session;
  /** Readers of the streams that the other side opened. */
  readonly readers: Reader[] = [];
  readonly said: Control[] = [];
  readonly closings: CloseReason[] = [];
  drained = 0;
  /** Asked about every stream that the other side opens. */
  onOpen: (reader: Reader) => void = () => {};
  onControl: (message: Control) => void = () => {};

  open(stream: Stream): StreamSink {
    const reader = new Reader();
    reader.stream = stream;
    this.readers.push(reader);
    this.onOpen(reader);
    return reader;
  }
  control(message: Control): void {
    this.said.push(message);
    this.onControl(message);
  }
  draining(): void {
    this.drained++;
  }
  closed(reason: CloseReason): void {
    this.closings.push(reason);
  }

  /** Opens a stream here; whoever reads its other direction. */
  ask(fields = HTTP): Reader {
    const reader = new Reader();
    reader.stream = this.session.open(fields, reader);
    return reader;
  }
}

/** A dialler and an acceptor. */
export class Sessions {
  readonly clock = new TestClock();
  readonly dialler = new Party();
  readonly acceptor = new Party();

  constructor(pair: Pair, streams = 1000) {
    const { clock, dialler, acceptor } = this, [a, b] = pair.ends;
    dialler.session = new Session(a, "dialler", dialler, clock, { streams });
    acceptor.session = new Session(b, "acceptor", acceptor, clock, { streams });
  }

  /** The reader of the newest stream that the acceptor opened. */
  get last(): Reader {
    return this.dialler.readers[this.dialler.readers.length - 1];
  }

  close(): void {
    this.dialler.session.close("done", "the test ends");
    this.acceptor.session.close("done", "the test ends");
  }
}

/** A promise of every carrier: `run` gets two sessions that are up. */
export function promise(title: string, run: (sessions: Sessions) => Promise<void>, streams?: number): void {
  for (const { name, make } of CARRIERS) {
    Deno.test(`${name}: ${title}`, async () => {
      const pair = await make();
      const sessions = new Sessions(pair, streams);
      await run(sessions);
      sessions.close();
      pair.cut?.();
    });
  }
}

/** An acceptor whose peer is not to be trusted: it sends bytes, and hears frames. */
export class Cheat implements FrameSink {
  readonly party = new Party();
  /** `type stream payload` of what came. */
  readonly heard: string[] = [];
  readonly ear = new Ear();

  constructor(readonly pair: Pair, readonly clock = new TestClock(), streams = 1000) {
    const frames = new FrameReader();
    const [ours, theirs] = pair.ends;
    ours.start({
      bytes: (bytes, from, to) => frames.read(bytes, from, to, this),
      boundary() {},
      closed: (reason) => this.ear.closed(reason),
    });
    this.party.session = new Session(theirs, "acceptor", this.party, this.clock, { streams });
  }

  frame(type: number, stream: number, bytes: Uint8Array, from: number, to: number): void {
    this.heard.push(`${type} ${stream} ${new TextDecoder("latin1").decode(bytes.subarray(from, to))}`);
  }
  data(stream: number, bytes: Uint8Array, from: number, to: number): void {
    this.frame(3, stream, bytes, from, to);
  }
  expect(): void {}

  /** Sends them as one message. */
  say(...frames: Uint8Array[]): void {
    sendBytes(this.pair.ends[0], join(frames));
  }

  close(): void {
    this.party.session.close("done", "the test ends");
    this.pair.ends[0].destroy();
    this.pair.cut?.();
  }
}

/** A frame with `payload`: octets, or text of Latin-1. */
export function frame(type: number, stream: number, payload: Uint8Array | string = ""): Uint8Array {
  const body = typeof payload === "string" ? Uint8Array.from(payload, (c) => c.charCodeAt(0)) : payload;
  const bytes = new Uint8Array(FRAME_HEADER + body.length);
  bytes.set(body, writeHeader(bytes, 0, type, stream, body.length));
  return bytes;
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Gives the loop its turns until `is` holds. Throws where it does not within 20 s. */
export async function until(is: () => boolean): Promise<void> {
  const limit = performance.now() + 20_000;
  while (!is()) {
    if (performance.now() > limit) throw new Error(`it never happened: ${is}`);
    await turns(1);
  }
}

/** `n` turns of the loop: what is under way within the process arrives. */
export async function turns(n: number): Promise<void> {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setTimeout(resolve));
}
