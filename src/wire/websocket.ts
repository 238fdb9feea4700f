/** A wire on a socket: RFC 6455, binary messages that hold whole frames. */
import {
  CloseCode,
  closePayload,
  Opcode,
  writeWsHeader,
  WsError,
  wsFrame,
  WsReader,
  type WsSink,
} from "../core/ws.ts";
import type { Conn, ConnHandler } from "../net/conn.ts";
import { giveBuffer } from "./buffers.ts";
import { type CloseReason, closeReason, type Wire, type WireReceiver } from "./wire.ts";

/** What the reason says to programs that know nothing of connectd; the text beside it has the code and the sentence. */
const CLOSE_CODES: Readonly<Record<string, number>> = {
  protocol_error: CloseCode.PROTOCOL,
  draining: CloseCode.GOING_AWAY,
  revoked_token: CloseCode.POLICY,
  bad_version: CloseCode.POLICY,
};

/** A code and a sentence, as `close` writes them. */
const REASON = /^([a-z_]{1,32})(?: ([^]*))?$/;

/** While so much waits to be sent a PING is not answered: the peer takes nothing anyway, and may send them for ever. */
const PONG_BELOW = 64 * 1024;

/** Below this a message is copied to what else goes out: that costs less than a write of its own. */
const GIVE_FROM = 16 * 1024;

/** Takes over a connection whose upgrade is done. Whoever made the connection starts it. */
export class WebSocketWire implements Wire, ConnHandler, WsSink {
  onDrain: (() => void) | null = null;
  readonly #conn: Conn;
  readonly #reader: WsReader;
  /** The next key; null on the server's side, which does not mask. */
  readonly #key: () => number | null;
  #receiver: WireReceiver | null = null;
  /** A Close was sent, or the connection is lost. */
  #over = false;
  /** Why it was lost before anybody read. */
  #reason: CloseReason | null = null;

  /**
   * `masked` matters to a client alone: a mask keeps caches that do not know WebSockets from taking payload for HTTP
   * (RFC 6455 §10.3). Nobody reads along on TLS and on loopback: there it masks with zeros, which costs nothing.
   */
  constructor(conn: Conn, role: "client" | "server", masked = false) {
    this.#conn = conn;
    this.#key = role === "server" ? () => null : masked ? randomKey : () => 0;
    // Messages are handed on as they come: their length costs nothing, so there is no limit but the format's.
    this.#reader = new WsReader(role === "server", Number.MAX_SAFE_INTEGER);
    conn.handler = this;
  }

  /** One write is under way at a time: what comes meanwhile goes out with the next. */
  get busy(): boolean {
    return this.#conn.queued > 0;
  }

  get queued(): number {
    return this.#conn.queued;
  }

  send(buffer: Uint8Array<ArrayBuffer>, from: number, to: number): void {
    if (this.#over) return giveBuffer(buffer);
    const options = { opcode: Opcode.BINARY, fin: true, key: this.#key() };
    const start = writeWsHeader(buffer, from, to - from, options);
    if (to - start >= GIVE_FROM) return this.#conn.give(buffer, start, to, () => giveBuffer(buffer));
    this.#conn.write(buffer.subarray(start, to));
    giveBuffer(buffer);
  }

  start(receiver: WireReceiver): void {
    if (this.#reason !== null) return receiver.closed(this.#reason);
    this.#receiver = receiver;
    this.#conn.resume();
  }

  close({ code, message }: CloseReason): void {
    if (this.#over) return;
    // Nothing that is written would arrive.
    if (code === "dead") return this.destroy();
    this.#receiver = null;
    this.#sendClose(CLOSE_CODES[code] ?? CloseCode.NORMAL, message === "" ? code : `${code} ${message}`);
    this.#conn.linger();
  }

  destroy(): void {
    this.#over = true;
    this.#receiver = null;
    this.#conn.destroy();
  }

  // From the connection.

  data(bytes: Uint8Array): number {
    if (this.#over) return bytes.length;
    if (this.#receiver === null) return 0;
    try {
      this.#reader.read(bytes, 0, bytes.length, this);
    } catch (error) {
      if (!(error instanceof WsError)) throw error;
      this.#sendClose(error.code, `protocol_error ${error.message}`);
      this.#conn.linger();
      this.#lost("protocol_error", error.message);
    }
    return bytes.length;
  }

  end(): void {
    this.#over = true;
    this.#conn.close();
    this.#lost("lost", "the connection ended");
  }

  failed(error: Error): void {
    this.#over = true;
    this.#lost("lost", error.message);
  }

  flushed(): void {
    if (!this.#over && !this.busy) this.onDrain?.();
  }

  // From the messages.

  payload(opcode: number, bytes: Uint8Array, from: number, to: number): void {
    if (opcode !== Opcode.BINARY) {
      throw new WsError(CloseCode.UNSUPPORTED, "a tunnel takes binary messages only");
    }
    this.#receiver?.bytes(bytes, from, to);
  }

  message(): void {
    this.#receiver?.boundary();
  }

  ping(payload: Uint8Array): void {
    if (this.#over || this.#conn.queued > PONG_BELOW) return;
    this.#conn.write(wsFrame(payload, { opcode: Opcode.PONG, fin: true, key: this.#key() }));
  }

  /** None was asked for. */
  pong(): void {}

  /** WsSink: the other end closes. */
  closing(code: number, reason: string): void {
    this.#sendClose(code === CloseCode.NONE ? CloseCode.NORMAL : code, "");
    this.#conn.close();
    const [, word = "closed", sentence = ""] = REASON.exec(reason) ?? [];
    this.#lost(word, sentence);
  }

  #sendClose(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    const payload = closePayload(code, reason);
    this.#conn.write(wsFrame(payload, { opcode: Opcode.CLOSE, fin: true, key: this.#key() }));
  }

  #lost(code: string, message: string): void {
    const receiver = this.#receiver, reason = closeReason(code, message);
    this.#receiver = null;
    if (receiver === null) this.#reason = reason;
    else receiver.closed(reason);
  }
}

function randomKey(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
