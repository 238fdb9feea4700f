/** HTTP/1.1 on a plain socket, as simple as it gets and of no code that it is to test: for visitors and targets by hand. */
import { Buffer } from "node:buffer";
import { latin1, toBytes } from "../../src/core/latin1.ts";

/** The other side went in the middle of something. */
export class Cut extends Error {
  override readonly name = "Cut";
}

/** Something that connectd promises did not hold. */
export class Broken extends Error {
  override readonly name = "Broken";
}

/** A first line and fields; names are in lower case, and one that came twice has both values. */
export interface Head {
  readonly first: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** How a body ends: after so many octets, by chunks, with the connection. */
export type Ending = number | "chunked" | "close";

/** Takes a piece of a body, valid during the call only. */
export type Take = (bytes: Uint8Array) => void | Promise<void>;

/** Octets that a head may have here: connectd admits 64 KiB and adds some. */
const HEAD = 128 * 1024;

/** One end of a connection. */
export class Talk implements Disposable {
  readonly #conn: Deno.TcpConn;
  /** Of one read: octets [#from, #to) were not used. */
  readonly #in = new Uint8Array(64 * 1024);
  #from = 0;
  #to = 0;
  #closed = false;

  constructor(conn: Deno.TcpConn) {
    conn.setNoDelay(true);
    this.#conn = conn;
  }

  static async to(port: number): Promise<Talk> {
    return new Talk(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  async write(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? toBytes(data) : data;
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Says that nothing more will be written. */
  async endWriting(): Promise<void> {
    await this.#conn.closeWrite();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A head, or null where the other side ends before it begins one. Throws Cut in the middle. */
  async head(): Promise<Head | null> {
    let text = "";
    for (;;) {
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        this.#from -= text.length - end - 4;
        return readHead(text.slice(0, end));
      }
      if (text.length > HEAD) throw new Broken("a head without an end");
      if (!await this.#more()) {
        if (text === "") return null;
        throw new Cut("in a head");
      }
      text += latin1(this.#in, this.#from, this.#to);
      this.#from = this.#to;
    }
  }

  /** A body, piece by piece; returns its trailers. Throws Cut where it is not whole. */
  async body(ending: Ending, take: Take): Promise<string> {
    if (ending === "close") {
      while (await this.#more()) await this.#hand(Infinity, take);
      return "";
    }
    if (ending !== "chunked") {
      await this.octets(ending, take);
      return "";
    }
    for (;;) {
      const size = await this.#line();
      if (!/^[0-9a-f]+$/i.test(size)) throw new Broken(`a chunk of size ${JSON.stringify(size)}`);
      if (/^0+$/.test(size)) break;
      await this.octets(parseInt(size, 16), take);
      if (await this.#line() !== "") throw new Broken("a chunk that is longer than its size");
    }
    let trailers = "";
    for (let line = await this.#line(); line !== ""; line = await this.#line()) trailers += `${line}\r\n`;
    return trailers;
  }

  /** So many octets. */
  async octets(count: number, take: Take): Promise<void> {
    for (let left = count; left > 0;) {
      if (!await this.#more()) throw new Cut(`${left} octets before the end`);
      left -= await this.#hand(left, take);
    }
  }

  async #hand(most: number, take: Take): Promise<number> {
    const to = Math.min(this.#to, this.#from + most), n = to - this.#from;
    await take(this.#in.subarray(this.#from, to));
    this.#from = to;
    return n;
  }

  async #line(): Promise<string> {
    let line = "";
    while (!line.endsWith("\r\n")) {
      if (line.length > 1024) throw new Broken("a line without an end");
      if (!await this.#more()) throw new Cut("in a line");
      line += String.fromCharCode(this.#in[this.#from++]);
    }
    return line.slice(0, -2);
  }

  /** There is something to use; false: the other side has ended. */
  async #more(): Promise<boolean> {
    if (this.#from < this.#to) return true;
    const n = await this.#conn.read(this.#in);
    this.#from = 0;
    this.#to = n ?? 0;
    return n !== null;
  }
}

function readHead(text: string): Head {
  const [first, ...lines] = text.split("\r\n");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase(), value = line.slice(colon + 1).trim();
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { first, fields };
}

/** How the body behind `head` ends; `otherwise` where it does not say. */
export function endingOf({ fields }: Head, otherwise: Ending): Ending {
  if (fields.get("transfer-encoding") === "chunked") return "chunked";
  const length = fields.get("content-length");
  return length === undefined ? otherwise : Number(length);
}

/** One chunk as it stands on the wire. */
export function chunk(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([toBytes(`${bytes.length.toString(16)}\r\n`), bytes, toBytes("\r\n")]);
}

/** A prime, so that octets that moved by any power of two are others. */
const CYCLE = 65_521;
const octets = new Uint8Array(2 * CYCLE);
for (let i = 0, x = 1; i < CYCLE; i++) {
  x = Math.imul(x, 48_271) + 11 | 0;
  octets[i] = octets[i + CYCLE] = x >>> 16;
}

/** The octets [from, from + count) of body number `id`; `count` is at most 65,521. */
export function piece(id: number, from: number, count: number): Uint8Array {
  const at = (id * 977 + from) % CYCLE;
  return octets.subarray(at, at + count);
}

/** Throws where `bytes` are not those of body number `id` from `from` on. */
export function check(id: number, from: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += CYCLE) {
    const part = bytes.subarray(at, at + CYCLE);
    if (Buffer.compare(part, piece(id, from + at, part.length)) !== 0) {
      throw new Broken(`body ${id} has other octets at ${from + at}`);
    }
  }
}
