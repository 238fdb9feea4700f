/** The built-in target: answers with what it was asked, so that a link can be tried before there is a service. */
import type { Clock } from "../clock.ts";
import { ResponseReader } from "../core/http1/head.ts";
import type { ResponseHead } from "../core/http1/types.ts";
import { latin1, toBytes } from "../core/latin1.ts";
import { DEFAULT_LIMITS } from "../core/limits.ts";
import { parseDuration, parseSize } from "../core/units.ts";
import type { Exchange } from "../net/exchange.ts";
import { Listener } from "../net/listener.ts";
import { type Socket, socketPair } from "../net/socket.ts";
import { renderRefusal } from "../pages/visitor.ts";
import { webSocketKey } from "../wire/handshake.ts";
import { Pieces } from "../wire/pieces.ts";
import { EchoSocket } from "./echo_socket.ts";

/** What a body may have that is to stand in the answer: all of it is in memory. */
const MAX_BODY = 16 * 1024 * 1024;
/** Nobody waits longer for an answer that was delayed on purpose. */
const MAX_DELAY_MS = 3_600_000;
/** `?bytes=` is written ahead of the kernel by this much. */
const AHEAD = 256 * 1024;

/** An ordinary target without a port: the pool connects to it as to any other. */
export class Echo {
  readonly #clock: Clock;
  readonly #listener: Listener;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#listener = new Listener({
      limits: { ...DEFAULT_LIMITS, perAddress: Infinity, connections: Infinity, target: DEFAULT_LIMITS.head },
      clock,
      trusted: () => true,
      handler: (exchange) => this.#serve(exchange),
      urgent: () => false,
      refuse: renderRefusal,
      secure: false,
    });
  }

  /** A new connection to it. */
  connect(): Promise<Socket> {
    const [here, there] = socketPair();
    this.#listener.serve(there, "127.0.0.1");
    return Promise.resolve(here);
  }

  close(): void {
    this.#listener.close();
  }

  #serve(exchange: Exchange): void {
    const wish = readWish(exchange.head.target);
    if (typeof wish === "string") return answer(exchange, 400, { error: wish });
    const key = webSocketKey(exchange.head);
    const run = key === null
      ? () => new Collect(exchange, (body) => reply(exchange, wish, body))
      : () => new EchoSocket(exchange, key);
    if (wish.delayMs === 0) return void run();
    const timer = this.#clock.timer(() => {
      timer.drop();
      run();
    });
    exchange.onLeave = () => timer.drop();
    timer.set(wish.delayMs);
  }
}

/** What the query asks for. */
interface Wish {
  readonly status: number;
  readonly delayMs: number;
  /** Octets to answer with; null: what was asked, as JSON. */
  readonly bytes: number | null;
}

/** Reads `?status=503&delay=2s&bytes=1MiB`; a sentence where that can not be. Other parameters are the visitor's. */
function readWish(target: string): Wish | string {
  const query = new URLSearchParams(target.slice(target.indexOf("?") + 1 || target.length));
  const status = query.get("status") ?? "200";
  if (!/^[2-5]\d\d$/.test(status)) return "status is a number from 200 to 599";
  try {
    const delayMs = parseDuration(query.get("delay") ?? "0s");
    if (delayMs === null || delayMs > MAX_DELAY_MS) return "delay is at most 1h";
    const bytes = query.get("bytes");
    return { status: Number(status), delayMs, bytes: bytes === null ? null : parseSize(bytes) };
  } catch (error) {
    return (error as Error).message;
  }
}

/** Waits for the whole body. */
class Collect {
  readonly #exchange: Exchange;
  readonly #then: (body: Uint8Array) => void;
  readonly #body = new Pieces(MAX_BODY, "a body");
  #length = 0;

  constructor(exchange: Exchange, then: (body: Uint8Array) => void) {
    this.#exchange = exchange;
    this.#then = then;
    if (exchange.head.expect) exchange.interim("HTTP/1.1 100 Continue\r\n\r\n");
    exchange.receive(this);
  }

  data(bytes: Uint8Array): number {
    this.#length += bytes.length;
    if (this.#length <= MAX_BODY) this.#body.add(bytes, 0, bytes.length);
    return bytes.length;
  }

  end(): void {
    if (this.#length > MAX_BODY) {
      return answer(this.#exchange, 413, { error: "echo takes bodies up to 16 MiB" });
    }
    this.#then(this.#body.bytes);
  }
}

function reply(exchange: Exchange, { status, bytes }: Wish, body: Uint8Array): void {
  if (bytes !== null) return new Filler(exchange, status, bytes).write();
  const { method, target, fields } = exchange.head;
  answer(exchange, status, { method, target, headers: fields, ...textOf(body) });
}

/** Bodies are text where they are UTF-8. */
function textOf(body: Uint8Array): { body: string; bodyEncoding: "utf8" | "base64" } {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    return { body: text, bodyEncoding: "utf8" };
  } catch {
    return { body: btoa(latin1(body)), bodyEncoding: "base64" };
  }
}

function answer(exchange: Exchange, status: number, value: object): void {
  const body = new TextEncoder().encode(JSON.stringify(value) + "\n");
  const head = headOf(
    exchange,
    `HTTP/1.1 ${status} Echo\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`,
  );
  exchange.respond(head);
  if (head.framing.kind !== "none") exchange.write(body);
  exchange.finish();
}

/** The head that `lines` (status line and fields) make, read as any target's would be. */
function headOf({ head: { method } }: Exchange, lines: string): ResponseHead {
  const reader = new ResponseReader();
  const bytes = toBytes(lines + "\r\n\r\n");
  reader.expect({ method, upgrade: null });
  reader.read(bytes, 0, bytes.length);
  return reader.head!;
}

/** So many octets, never more of them in memory than the kernel is about to take. */
class Filler {
  static readonly #octets = new Uint8Array(64 * 1024).fill(0x2e);
  readonly #exchange: Exchange;
  #left: number;
  #gone = false;

  constructor(exchange: Exchange, status: number, bytes: number) {
    const head = headOf(
      exchange,
      `HTTP/1.1 ${status} Echo\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bytes}`,
    );
    this.#exchange = exchange;
    this.#left = head.framing.kind === "none" ? 0 : bytes;
    exchange.onLeave = () => this.#gone = true;
    exchange.onFlushed = () => this.write();
    exchange.respond(head);
  }

  write(): void {
    if (this.#gone) return;
    while (this.#left > 0 && this.#exchange.queued < AHEAD) {
      const octets = Filler.#octets.subarray(0, Math.min(this.#left, Filler.#octets.length));
      this.#left -= octets.length;
      this.#exchange.write(octets);
    }
    if (this.#left > 0) return;
    this.#gone = true;
    this.#exchange.finish();
  }
}
