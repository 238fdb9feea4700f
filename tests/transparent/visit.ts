/** A visitor on a plain socket, and what came of each of its requests on both sides. */
import { latin1, toBytes } from "../../src/core/latin1.ts";
import {
  type Answer,
  endsConnection,
  isBodiless,
  Octets,
  readAnswer,
  readRequest,
  valueOf,
} from "./messages.ts";
import type { Tap } from "./tap.ts";

/** What a visitor sends, and when. */
export interface Exchange {
  /** A promise of the link's: it ends a sentence. */
  readonly name: string;
  /**
   * Raw, a character an octet; `{host}` stands for the authority that is visited, `{lock}` for the Lock-Token that
   * was answered last. Several are pipelined.
   */
  readonly requests: readonly string[];
  /** Sent once what came for this exchange contains `after`. */
  readonly then?: readonly { readonly after: string; readonly send: string }[];
  /** The answer comes before the request is complete, and nobody reads the rest: what the target had of it then varies. */
  readonly early?: boolean;
}

/** Where it goes. */
export interface Door {
  readonly port: number;
  readonly hostname: string;
  /** What its Host says. */
  readonly authority: string;
  /** What a proxy in front of the visitor would say first. */
  readonly preface?: string;
}

/** What came of an exchange; `trouble`: it did not come to its end. */
export interface Seen {
  readonly sent: readonly string[];
  readonly told: readonly string[];
  /** Connections on which the server was told something. */
  readonly connections: number;
  readonly answers: readonly Answer[];
  /** The visitor's connection ended behind the answers, and cleanly. */
  readonly ended: boolean;
  readonly trouble: string | null;
}

/** An exchange that moves takes a moment; one that does not is given up. */
const PATIENCE_MS = 10_000;

/** Has a visitor go through all of them, one after the other, `most` on one connection while that lasts. */
export async function visit(
  door: Door,
  tap: Tap,
  exchanges: readonly Exchange[],
  most: number,
): Promise<{ seen: Seen[]; dials: number }> {
  const seen: Seen[] = [];
  let visitor: Visitor | null = null, dials = 0, carried = 0, lock = "";
  tap.take();
  for (const exchange of exchanges) {
    if (visitor === null) {
      visitor = new Visitor(await Deno.connect({ hostname: door.hostname, port: door.port }), door);
      dials++;
      carried = 0;
    }
    const now: Seen = await visitor.go(exchange, lock, tap);
    for (const { message } of now.answers) lock = valueOf(message, "lock-token") ?? lock;
    seen.push(now);
    if (++carried < most && !now.ended && now.trouble === null && !exchange.early) continue;
    visitor.close();
    visitor = null;
  }
  visitor?.close();
  return { seen, dials };
}

class Visitor {
  readonly #conn: Deno.TcpConn;
  readonly #door: Door;
  readonly #octets: Octets;
  #sending = Promise.resolve();
  /** Of this exchange: what was sent, what came while something waits for a part of it, and what waits. */
  #sent = "";
  #came = "";
  #waiting: { readonly after: string; readonly send: string }[] = [];

  constructor(conn: Deno.TcpConn, door: Door) {
    conn.setNoDelay(true);
    this.#conn = conn;
    this.#door = door;
    this.#octets = new Octets(() => this.#read());
    if (door.preface !== undefined) this.#send(door.preface);
  }

  async go({ requests, then, early }: Exchange, lock: string, tap: Tap): Promise<Seen> {
    const here = (text: string) => text.replaceAll("{host}", this.#door.authority).replaceAll("{lock}", lock);
    this.#sent = this.#came = "";
    this.#waiting = (then ?? []).map(({ after, send }) => ({ after, send: here(send) }));
    const answers: Answer[] = [];
    let ended = false, trouble: string | null = null;
    const timer = setTimeout(() => {
      trouble = `nothing more came within ${PATIENCE_MS} ms`;
      this.close();
    }, PATIENCE_MS);
    try {
      this.#send(requests.map(here).join(""));
      for (const request of requests) {
        const answer = await readAnswer(this.#octets, request.slice(0, request.indexOf(" ")));
        answers.push(answer);
        ended = isLast(answer, request);
      }
      if (ended && !early && !await this.#octets.atEnd()) throw new Error("octets behind the last answer");
    } catch (error) {
      trouble ??= String(error);
    } finally {
      clearTimeout(timer);
    }
    const heard = tap.take(early), told: string[] = [], sent: string[] = [];
    try {
      sent.push(...await readAll(toBytes(this.#sent), early));
      for (const bytes of heard) told.push(...await readAll(bytes, early));
    } catch (error) {
      trouble ??= `no whole request was sent: ${error}`;
    }
    return { sent, told, connections: heard.length, answers, ended, trouble };
  }

  close(): void {
    try {
      this.#conn.close();
    } catch {
      // Closed before.
    }
  }

  async #read(): Promise<Uint8Array | null> {
    const buffer = new Uint8Array(64 * 1024), n = await this.#conn.read(buffer);
    if (n === null) return null;
    const bytes = buffer.subarray(0, n);
    if (this.#waiting.length > 0) this.#came += latin1(bytes);
    while (this.#waiting.length > 0 && this.#came.includes(this.#waiting[0].after)) {
      this.#send(this.#waiting.shift()!.send);
    }
    return bytes;
  }

  /** Does not wait: answers may have to be read for the other side to take it. */
  #send(text: string): void {
    if (text !== this.#door.preface) this.#sent += text;
    const before = this.#sending, bytes = toBytes(text);
    this.#sending = (async () => {
      await before;
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    })().catch(() => {
      // Whoever reads no more has answered, or the missing answer tells.
    });
  }
}

/** The connection ends behind it: one side says so, or nothing else ends its body. */
function isLast({ message }: Answer, request: string): boolean {
  if (endsConnection(message) || endsConnection(request)) return true;
  const framed = valueOf(message, "content-length") !== null ||
    valueOf(message, "transfer-encoding") !== null;
  return !framed && !isBodiless(message, request.slice(0, request.indexOf(" ")));
}

/** The requests in `bytes`; of an early answer's the head. */
async function readAll(bytes: Uint8Array, early = false): Promise<string[]> {
  const octets = Octets.of(bytes), requests: string[] = [];
  if (early) return [await octets.until("\r\n\r\n")];
  while (!await octets.atEnd()) requests.push(await readRequest(octets));
  return requests;
}
