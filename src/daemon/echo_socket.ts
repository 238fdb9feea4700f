/** A WebSocket that says what it hears (RFC 6455). */
import { ResponseReader } from "../core/http1/head.ts";
import { toBytes } from "../core/latin1.ts";
import { CloseCode, closePayload, Opcode, WsError, wsFrame, WsReader, type WsSink } from "../core/ws.ts";
import type { Exchange } from "../net/exchange.ts";
import { switching } from "../wire/handshake.ts";
import { Pieces } from "../wire/pieces.ts";

/** A message is in memory until it is complete. */
const MAX_MESSAGE = 1024 * 1024;

/** A visitor who sends and reads nothing is not listened to while so much waits. */
const AHEAD = 1024 * 1024;

export class EchoSocket implements WsSink {
  readonly #exchange: Exchange;
  readonly #reader = new WsReader(true, MAX_MESSAGE);
  /** Of the message that is being read, what came. */
  #message: Pieces | null = null;
  #over = false;

  /** Answers the handshake with `key`; from then on every message comes back, whole. */
  constructor(exchange: Exchange, key: string) {
    this.#exchange = exchange;
    const reader = new ResponseReader();
    const bytes = toBytes(switching(key, null));
    reader.expect({ method: "GET", upgrade: "websocket" });
    reader.read(bytes, 0, bytes.length);
    exchange.onLeave = () => this.#over = true;
    exchange.onFlushed = () => exchange.resume();
    exchange.upgrade(reader.head!);
    exchange.receive(this);
  }

  data(bytes: Uint8Array): number {
    if (!this.#over && this.#exchange.queued > AHEAD) return 0;
    try {
      if (!this.#over) this.#reader.read(bytes, 0, bytes.length, this);
    } catch (error) {
      if (!(error instanceof WsError)) throw error;
      this.#close(error.code, error.message);
    }
    return bytes.length;
  }

  end(): void {
    if (!this.#over) this.#exchange.finish();
    this.#over = true;
  }

  payload(_opcode: number, bytes: Uint8Array, from: number, to: number): void {
    this.#message ??= new Pieces(MAX_MESSAGE, "a message");
    this.#message.add(bytes, from, to);
  }

  message(opcode: number): void {
    this.#send(opcode, this.#message?.bytes ?? new Uint8Array(0));
    this.#message = null;
  }

  ping(payload: Uint8Array): void {
    this.#send(Opcode.PONG, payload);
  }

  pong(): void {}

  closing(code: number, reason: string): void {
    this.#close(code, reason);
  }

  #send(opcode: number, payload: Uint8Array): void {
    this.#exchange.write(wsFrame(payload, { opcode, fin: true, key: null }));
  }

  #close(code: number, reason: string): void {
    if (this.#over) return;
    const payload = code === CloseCode.NONE ? new Uint8Array(0) : closePayload(code, reason);
    this.#send(Opcode.CLOSE, payload);
    this.#over = true;
    this.#exchange.finish();
  }
}
