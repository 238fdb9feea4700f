/** What carries a peer's octets to a session under fuzz: nothing, or the frames of a WebSocket. */
import assert from "node:assert/strict";
import { FrameReader, type FrameSink, Type } from "../../src/core/frame.ts";
import { latin1 } from "../../src/core/latin1.ts";
import { Opcode, wsFrame, WsReader } from "../../src/core/ws.ts";
import type { Conn, ConnHandler } from "../../src/net/conn.ts";
import { giveBuffer } from "../../src/wire/buffers.ts";
import { WebSocketWire } from "../../src/wire/websocket.ts";
import type { CloseReason, Wire, WireReceiver } from "../../src/wire/wire.ts";
import { inPieces, joined } from "../pure/octets.ts";

/** Reads the frames that the session sends: they must be frames, and messages hold whole ones. */
class Sent implements FrameSink {
  readonly pongs: string[] = [];
  messages = 0;
  over = false;
  readonly #frames = new FrameReader();

  message(bytes: Uint8Array): void {
    assert.ok(!this.over, "it sends after its end");
    this.#frames.read(bytes, 0, bytes.length, this);
    assert.ok(this.#frames.atBoundary, "it sends half a frame");
    this.messages++;
  }
  frame(type: number, _stream: number, bytes: Uint8Array, from: number, to: number): void {
    if (type === Type.PONG) this.pongs.push(latin1(bytes, from, to));
  }
  data(): void {}
  expect(): void {}
}

/** The peer's end: gives octets to the session, and hears what it sends. */
export interface Carrier {
  readonly wire: Wire;
  readonly sent: Sent;
  /** Why the session closed the wire. */
  readonly closed: CloseReason | null;
  /** One message, whose octets come cut at `places`. */
  give(message: Uint8Array, places: (length: number) => number[]): void;
}

/** Bytes go straight to the session. */
export class Straight implements Carrier, Wire {
  readonly wire = this;
  readonly sent = new Sent();
  readonly busy = false;
  readonly queued = 0;
  onDrain: (() => void) | null = null;
  closed: CloseReason | null = null;
  #receiver: WireReceiver | null = null;

  send(buffer: Uint8Array<ArrayBuffer>, from: number, to: number): void {
    this.sent.message(buffer.slice(from, to));
    giveBuffer(buffer);
  }
  start(receiver: WireReceiver): void {
    this.#receiver = receiver;
  }
  close(reason: CloseReason): void {
    this.closed = reason;
    this.sent.over = true;
    this.#receiver = null;
  }
  destroy(): void {}
  give(message: Uint8Array, places: (length: number) => number[]): void {
    inPieces(message, places(message.length), (piece, from, to) => this.#receiver?.bytes(piece, from, to));
    this.#receiver?.boundary();
  }
}

/** A WebSocketWire on a connection that is none. `spoil` changes the octets of its frames, too. */
export class Framed implements Carrier {
  readonly sent = new Sent();
  readonly wire: WebSocketWire;
  closed: CloseReason | null = null;
  #open = true;

  constructor(private readonly spoil: (bytes: Uint8Array) => Uint8Array) {
    const ended = () => this.#open = false;
    const reader = new WsReader(false, Number.MAX_SAFE_INTEGER);
    let message: Uint8Array[] = [];
    const hear = {
      payload: (_: number, bytes: Uint8Array, from: number, to: number) =>
        void message.push(bytes.slice(from, to)),
      message: () => {
        this.sent.message(joined(message));
        message = [];
      },
      ping() {},
      pong() {},
      closing: (_: number, reason: string) => {
        const [, code, text] = /^([a-z_]*) ?([^]*)$/.exec(reason)!;
        this.closed = { code, message: text, permanent: false };
        this.sent.over = true;
      },
    };
    const conn = {
      queued: 0,
      handler: null as ConnHandler | null,
      write: (bytes: Uint8Array) => {
        const copy = bytes.slice();
        reader.read(copy, 0, copy.length, hear);
      },
      resume() {},
      linger: ended,
      close: ended,
      destroy: ended,
    };
    this.wire = new WebSocketWire(conn as unknown as Conn, "server");
    this.#conn = conn;
  }
  readonly #conn: { handler: ConnHandler | null };

  give(message: Uint8Array, places: (length: number) => number[]): void {
    const key = message.length * 0x01010101 >>> 0;
    const half = message.length >> 1;
    const frames = message.length % 3 > 0 ? [wsFrame(message, { opcode: Opcode.BINARY, fin: true, key })] : [
      wsFrame(message.subarray(0, half), { opcode: Opcode.BINARY, fin: false, key }),
      wsFrame(message.subarray(0, 3), { opcode: Opcode.PING, fin: true, key }),
      wsFrame(message.subarray(half), { opcode: Opcode.CONTINUATION, fin: true, key }),
    ];
    const bytes = this.spoil(joined(frames));
    inPieces(bytes, places(bytes.length), (piece, from, to) => {
      if (!this.#open) return;
      assert.equal(this.#conn.handler!.data(piece.subarray(from, to)), to - from, "it leaves octets");
    });
  }
}
