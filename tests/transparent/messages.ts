/** HTTP/1.1 messages out of octets, kept raw: a reader of no code that it is to test, and one spelling to compare them in. */
import { Buffer } from "node:buffer";

/** Octets as they come, asked for as they are needed. */
export class Octets {
  #held = Buffer.alloc(0);
  #ended = false;

  /** `pull` gives the next ones, null at the end. */
  constructor(readonly pull: () => Promise<Uint8Array | null>) {}

  static of(bytes: Uint8Array): Octets {
    let left: Uint8Array | null = bytes;
    return new Octets(() => {
      const now = left;
      left = null;
      return Promise.resolve(now);
    });
  }

  /** True where nothing more comes. */
  async atEnd(): Promise<boolean> {
    while (this.#held.length === 0 && await this.#more());
    return this.#held.length === 0;
  }

  /** Up to and including `mark`. */
  async until(mark: string): Promise<string> {
    let at: number;
    while ((at = this.#held.indexOf(mark, 0, "latin1")) < 0) {
      await this.#need(`before ${JSON.stringify(mark)}`);
    }
    return this.#take(at + mark.length).toString("latin1");
  }

  async exactly(count: number): Promise<string> {
    const parts: string[] = [];
    for (let left = count; left > 0;) {
      if (this.#held.length === 0) await this.#need(`${left} octets before the end of a body`);
      const part = this.#take(Math.min(left, this.#held.length));
      left -= part.length;
      parts.push(part.toString("latin1"));
    }
    return parts.join("");
  }

  /** All that comes up to the end. */
  async rest(): Promise<string> {
    while (await this.#more());
    return this.#take(this.#held.length).toString("latin1");
  }

  #take(count: number): Buffer {
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  async #need(where: string): Promise<void> {
    if (!await this.#more()) {
      throw new Error(`cut ${where}, behind ${JSON.stringify(this.#held.toString("latin1").slice(-200))}`);
    }
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const bytes = await this.pull();
    if (bytes === null) this.#ended = true;
    else this.#held = this.#held.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#held, bytes]);
    return bytes !== null;
  }
}

/** Reads a request. */
export async function readRequest(octets: Octets): Promise<string> {
  const head = await octets.until("\r\n\r\n");
  return head + await readBody(octets, head, false);
}

/** What a visitor was answered. */
export interface Answer {
  /** Heads of 1xx that came before. */
  readonly interim: readonly string[];
  /** The final head and its body. */
  readonly message: string;
}

/** Reads the answer to a request of that method. */
export async function readAnswer(octets: Octets, method: string): Promise<Answer> {
  const interim: string[] = [];
  for (;;) {
    const head = await octets.until("\r\n\r\n"), status = statusOf(head);
    if (status >= 200) {
      return {
        interim,
        message: head + (isBodiless(head, method) ? "" : await readBody(octets, head, true)),
      };
    }
    interim.push(head);
  }
}

export function statusOf(head: string): number {
  return Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length));
}

/** True of an answer that ends with its head (RFC 9112 §6.3). */
export function isBodiless(head: string, method: string): boolean {
  return method === "HEAD" || [204, 304].includes(statusOf(head));
}

/** True of a message that is the last of its connection by its own word or age. */
export function endsConnection(message: string): boolean {
  return members(message, "connection").includes("close") || /^[^\r]*HTTP\/1\.0\b/.test(message);
}

/** The value of the first field of that name, without the white space around it. */
export function valueOf(message: string, name: string): string | null {
  return valuesOf(message, name)[0] ?? null;
}

/** The members of the lists that fields of that name are, in lower case. */
export function members(message: string, name: string): string[] {
  return valuesOf(message, name).join().toLowerCase().split(",").map((member) => member.trim());
}

function valuesOf(message: string, name: string): string[] {
  const lines = message.slice(0, message.indexOf("\r\n\r\n")).split("\r\n").slice(1);
  const values = lines.filter((line) => line.slice(0, line.indexOf(":")).toLowerCase() === name);
  return values.map((line) => line.slice(name.length + 1).trim());
}

/** The borders of chunks are one connection's own (RFC 9112 §7.1): a body is spelled as one chunk, its trailers kept. `answer`: it may end with the connection. */
export async function readBody(octets: Octets, head: string, answer: boolean): Promise<string> {
  if (valueOf(head, "transfer-encoding") === "chunked") return await readChunks(octets);
  const length = valueOf(head, "content-length");
  if (length !== null) return await octets.exactly(Number(length));
  return answer ? await octets.rest() : "";
}

async function readChunks(octets: Octets): Promise<string> {
  let body = "";
  for (;;) {
    const size = parseInt(await octets.until("\r\n"), 16);
    if (size === 0) break;
    body += await octets.exactly(size);
    if (await octets.until("\r\n") !== "\r\n") throw new Error("a chunk that is longer than its size");
  }
  let trailers = "", line: string;
  while ((line = await octets.until("\r\n")) !== "\r\n") trailers += line;
  return oneChunk(body, trailers);
}

/** A body as a single chunk. */
export function oneChunk(body: string, trailers = ""): string {
  const chunk = body === "" ? "" : `${body.length.toString(16)}\r\n${body}\r\n`;
  return `${chunk}0\r\n${trailers}\r\n`;
}
