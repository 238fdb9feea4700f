/** The tunnel by a plain writer and reader, of no code that it is to test: it can break every rule that there is. */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";

/** The frames' numbers, as the README has them. */
export const OPEN = 1, HEAD = 2, DATA = 3, END = 4, RESET = 5, CREDIT = 6, PING = 7, PONG = 8, DRAIN = 9;
export const CONTROL = 10;
/** Flags of HEAD and CONTROL. */
export const MORE = 1, LAST = 2;

/** Text stands for its Latin-1 octets. */
export type Octets = string | Uint8Array | readonly number[];

export function octets(...parts: readonly Octets[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => typeof part === "string" ? Buffer.from(part, "latin1") : Uint8Array.from(part)),
  );
}

export function u32(value: number): number[] {
  return [value >>> 24 & 255, value >>> 16 & 255, value >>> 8 & 255, value & 255];
}

/** One frame of the tunnel; `length`: what its header says, which need not be true. */
export function frame(type: number, stream: number, payload: Octets = "", length = payload.length) {
  return octets([length >>> 16 & 255, length >>> 8 & 255, length & 255, type], u32(stream), payload);
}

/** One frame of a WebSocket, as its header says and in whatever disorder. */
export function ws(
  payload: Octets,
  o: { opcode?: number; fin?: boolean; rsv?: number; masked?: boolean; length?: number[] } = {},
): Uint8Array {
  const body = octets(payload), n = body.length;
  const { opcode = 2, fin = true, rsv = 0, masked = false } = o;
  const length = o.length ??
    (n < 126 ? [n] : n < 65536 ? [126, n >>> 8, n & 255] : [127, 0, 0, 0, 0, ...u32(n)]);
  const first = (fin ? 0x80 : 0) | rsv << 4 | opcode;
  // A key of zeros masks nothing.
  const [short, ...rest] = length;
  return octets([first, short | (masked ? 0x80 : 0), ...rest], masked ? [0, 0, 0, 0] : [], body);
}

export interface OpenWish {
  readonly link?: string;
  readonly address?: string;
  readonly id?: string;
  readonly host?: string;
  readonly kind?: number;
  readonly flags?: number;
}

export function open(stream: number, o: OpenWish = {}): Uint8Array {
  const { link = "h-open", address = "192.0.2.7", id = "req-1", host = "open.hub.test" } = o;
  const texts = [link, address, id, host].map((text) => octets([text.length], text));
  return frame(OPEN, stream, octets([o.kind ?? 1, o.flags ?? 0], ...texts));
}

export function head(stream: number, text: string, flags = 0): Uint8Array {
  return frame(HEAD, stream, octets([flags], text));
}

/** A request's head as a visitor sends it. */
export function request(line = "GET /", fields: readonly string[] = []): string {
  return [`${line} HTTP/1.1`, "Host: open.hub.test", ...fields, "\r\n"].join("\r\n");
}

/** A control message, or text in its place, in as many frames as it needs. */
export function control(message: unknown): Uint8Array {
  const json = Buffer.from(typeof message === "string" ? message : JSON.stringify(message));
  const frames: Uint8Array[] = [];
  for (let from = 0; from === 0 || from < json.length; from += 65_535) {
    const to = Math.min(json.length, from + 65_535);
    frames.push(frame(CONTROL, 0, octets([to < json.length ? MORE : 0], json.subarray(from, to))));
  }
  return octets(...frames);
}

export function acceptKey(key: string): string {
  return createHash("sha1").update(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
}

/** The text of a 101 that answers `request`. */
export function switching(request: string, o: { accept?: string; extra?: string } = {}): string {
  const key = /^sec-websocket-key: (.*)$/im.exec(request)?.[1].trim() ?? "";
  return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    `Sec-WebSocket-Accept: ${o.accept ?? acceptKey(key)}\r\nSec-WebSocket-Protocol: connectd.1\r\n` +
    `${o.extra ?? ""}\r\n`;
}

/** The text up to the empty line, or what came before the other side left. Reads not one octet further. */
export async function readHead(conn: Deno.Conn): Promise<string> {
  const one = new Uint8Array(1);
  let text = "";
  while (!text.endsWith("\r\n\r\n")) {
    if (await conn.read(one).catch(() => null) === null) break;
    text += String.fromCharCode(one[0]);
  }
  return text;
}

/** What came on one stream. */
export class Got {
  readonly heads: string[] = [];
  body = "";
  trailers: string | null = null;
  reset: string | null = null;
  ended = false;

  get over(): boolean {
    return this.ended || this.reset !== null;
  }
  /** Of the last head; 0: none came. */
  get status(): number {
    return Number(this.heads.at(-1)?.split(" ")[1] ?? 0);
  }
}

/** One end of a tunnel whose upgrade is done. It answers PING, and nothing else, by itself. */
export class Tunnel {
  readonly streams = new Map<number, Got>();
  // deno-lint-ignore no-explicit-any
  readonly messages: any[] = [];
  /** Payloads of PONG frames. */
  readonly pongs: string[] = [];
  /** CREDIT that came, by stream. */
  readonly credit = new Map<number, number>();
  /** Streams that the other side opened, in order. */
  readonly opened: number[] = [];
  /** What the other side's Close said. */
  closed: { code: number; reason: string } | null = null;
  /** The other side has ended the connection. */
  over = false;
  /** The next stream of this side. */
  next: number;
  readonly #conn: Deno.Conn;
  readonly #masked: boolean;
  #bytes: Uint8Array = new Uint8Array(0);
  #json = "";
  #wake: (() => void)[] = [];
  #frozen: Promise<void> | null = null;
  #thaw = () => {};

  /** `role`: which side this is; a client masks. */
  constructor(conn: Deno.Conn, role: "client" | "server") {
    this.#conn = conn;
    this.#masked = role === "client";
    this.next = role === "client" ? 2 : 1;
    void this.#read();
  }

  /** Dials a hub as a daemon does. Throws the answer where it is no 101. */
  static async dial(port: number, token: string): Promise<Tunnel> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(octets(
      "GET /v1/tunnel HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        `Authorization: Bearer ${token}\r\nSec-WebSocket-Version: 13\r\n` +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: connectd.1\r\n\r\n",
    ));
    const answer = await readHead(conn);
    if (answer.startsWith("HTTP/1.1 101 ")) return new Tunnel(conn, "client");
    conn.close();
    throw new Error(answer);
  }

  /** Writes octets as they are; false: the other side takes none any more. */
  async raw(bytes: Uint8Array): Promise<boolean> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
      return true;
    } catch {
      return false;
    }
  }

  /** Sends frames as one message. */
  async say(...frames: readonly Uint8Array[]): Promise<boolean> {
    return await this.raw(ws(octets(...frames), { masked: this.#masked }));
  }

  /** Reads nothing from now on, until `thaw`. */
  freeze(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#frozen = promise;
    this.#thaw = resolve;
  }

  thaw(): void {
    this.#frozen = null;
    this.#thaw();
  }

  /** What came on a stream, from its first frame on. */
  at(stream: number): Got {
    let got = this.streams.get(stream);
    if (got === undefined) this.streams.set(stream, got = new Got());
    return got;
  }

  /** Resolves when `look` says so; throws what was seen last after `ms`. */
  async until(look: () => boolean, what: string, ms = 10_000): Promise<void> {
    const deadline = Date.now() + ms;
    while (!look()) {
      const left = deadline - Date.now();
      if (left <= 0 || (this.over && !look())) {
        const last = JSON.stringify([this.closed, this.messages.at(-1), [...this.streams].at(-1)]);
        throw new Error(`${what}: ${this.over ? "it ended" : "waited in vain"}; ${last.slice(0, 600)}`);
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, left);
      this.#wake.push(resolve);
      await promise;
      clearTimeout(timer);
    }
  }

  /** The answer on a stream, once it is over. */
  async answer(stream: number): Promise<Got> {
    const got = this.at(stream);
    await this.until(() => got.over, `an answer on stream ${stream}`);
    return got;
  }

  /** The first message of type `type`. */
  // deno-lint-ignore no-explicit-any
  async message(type: string): Promise<any> {
    const find = () => this.messages.find((message) => message.type === type);
    await this.until(() => find() !== undefined, `a message of type ${type}`);
    return find();
  }

  /** Opens the next stream with a head that ends it, and returns what comes back when it is over. */
  async ask(o: OpenWish = {}, text = request(), flags = LAST, ...more: readonly Uint8Array[]): Promise<Got> {
    const stream = this.next;
    this.next += 2;
    await this.say(open(stream, o), head(stream, text, flags), ...more);
    return await this.answer(stream);
  }

  /** Throws unless the other side still answers. */
  async alive(): Promise<void> {
    const mark = `alive${String(this.pongs.length).padStart(3, "0")}`.slice(-8);
    await this.say(frame(PING, 0, mark));
    await this.until(() => this.pongs.includes(mark), "a PONG");
  }

  /** Resolves with the other side's Close when it has ended the connection. */
  async end(ms = 10_000): Promise<{ code: number; reason: string } | null> {
    await this.until(() => this.over, "the end of the connection", ms);
    return this.closed;
  }

  leave(): void {
    this.thaw();
    try {
      this.#conn.close();
    } catch {
      // It is closed.
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(256 * 1024);
    for (;;) {
      if (this.#frozen !== null) await this.#frozen;
      const n = await this.#conn.read(buffer).catch(() => null);
      if (n === null) break;
      this.#bytes = octets(this.#bytes, buffer.subarray(0, n));
      this.#messages();
      for (const wake of this.#wake.splice(0)) wake();
    }
    this.over = true;
    this.leave();
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** Takes whole WebSocket frames, and whole tunnel frames within them. */
  #messages(): void {
    let bytes = this.#bytes;
    while (bytes.length >= 2) {
      const masked = (bytes[1] & 0x80) !== 0, short = bytes[1] & 0x7f;
      const at = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0), from = at + (masked ? 4 : 0);
      if (bytes.length < from) break;
      const length = short < 126 ? short : parseInt(Buffer.from(bytes.subarray(2, at)).toString("hex"), 16);
      if (bytes.length < from + length) break;
      const key = bytes.subarray(at, from);
      const payload = bytes.slice(from, from + length);
      if (key.some((octet) => octet !== 0)) payload.forEach((octet, i) => payload[i] = octet ^ key[i & 3]);
      const opcode = bytes[0] & 15;
      if (opcode === 8) {
        const reason = new TextDecoder().decode(payload.subarray(2));
        this.closed = { code: payload.length < 2 ? 1005 : payload[0] << 8 | payload[1], reason };
      } else if (opcode === 2) this.#frames(payload);
      bytes = bytes.subarray(from + length);
    }
    this.#bytes = bytes.slice();
  }

  #frames(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + 8 <= bytes.length;) {
      const word = view.getUint32(at), stream = view.getUint32(at + 4);
      const payload = bytes.subarray(at + 8, at + 8 + (word >>> 8));
      this.#frame(word & 255, stream, payload, Buffer.from(payload).toString("latin1"));
      at += 8 + (word >>> 8);
    }
  }

  #frame(type: number, stream: number, payload: Uint8Array, text: string): void {
    const got = stream === 0 ? null : this.at(stream);
    if (type === PING) void this.say(frame(PONG, 0, payload));
    else if (type === PONG) this.pongs.push(text);
    else if (type === OPEN) this.opened.push(stream);
    else if (type === HEAD) {
      got!.heads.push(text.slice(1));
      if (payload[0] === LAST) got!.ended = true;
    } else if (type === DATA) got!.body += text;
    else if (type === RESET) got!.reset = text;
    else if (type === END) {
      got!.ended = true;
      got!.trailers = text;
    } else if (type === CREDIT) {
      const sum = (this.credit.get(stream) ?? 0) + (new DataView(payload.slice().buffer)).getUint32(0);
      this.credit.set(stream, sum);
    } else if (type === CONTROL) {
      this.#json += Buffer.from(payload.subarray(1)).toString("utf8");
      if (payload[0] === MORE) return;
      this.messages.push(JSON.parse(this.#json));
      this.#json = "";
    }
  }
}
