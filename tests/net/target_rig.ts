/** A target on a real socket that a test answers by hand, a pool to it, and what the pool tells. */
import { type Clock, systemClock } from "../../src/clock.ts";
import type { Code } from "../../src/core/errors.ts";
import type { Framing, ResponseHead } from "../../src/core/http1/types.ts";
import { latin1, toBytes } from "../../src/core/latin1.ts";
import { TargetPool, type TargetRequest, type TargetSink } from "../../src/net/pool.ts";
import type { Socket } from "../../src/net/socket.ts";

/** The target's end of a connection. */
export class Peer {
  #rest = "";
  constructor(readonly conn: Deno.Conn) {}

  /** Reads up to and with `mark`; null where the other side ends first. */
  async readTo(mark: string): Promise<string | null> {
    while (!this.#rest.includes(mark)) if (!await this.#more()) return null;
    return this.#take(this.#rest.indexOf(mark) + mark.length);
  }
  readHead(): Promise<string | null> {
    return this.readTo("\r\n\r\n");
  }
  async read(octets: number): Promise<string | null> {
    while (this.#rest.length < octets) if (!await this.#more()) return null;
    return this.#take(octets);
  }
  /** Everything until the other side ends or breaks. */
  async readAll(): Promise<string> {
    while (await this.#more());
    return this.#take(this.#rest.length);
  }
  async write(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? toBytes(text) : text;
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }
  #take(octets: number): string {
    const text = this.#rest.slice(0, octets);
    this.#rest = this.#rest.slice(octets);
    return text;
  }
  async #more(): Promise<boolean> {
    const bytes = new Uint8Array(64 * 1024);
    const n = await this.conn.read(bytes).catch(() => null);
    if (n !== null) this.#rest += latin1(bytes, 0, n);
    return n !== null;
  }
}

/** The nth connection, from 0. It is closed when this settles. */
export type Script = (peer: Peer, n: number) => Promise<void>;

export interface RigOptions {
  readonly clock?: Clock;
  readonly listener?: Deno.Listener;
  /** What the pool takes the target for: `https` makes it believe that TLS is between. */
  readonly kind?: "http" | "https";
}

/** A target, and a pool whose connections to it a test can tamper with. */
export class TargetRig {
  readonly pool: TargetPool;
  /** The pool's ends. */
  readonly sockets: TamperedSocket[] = [];
  /** How many connections the target accepted. */
  connections = 0;
  /** What scripts threw. */
  readonly errors: unknown[] = [];
  readonly #listener: Deno.Listener;
  readonly #serving = new Set<Promise<void>>();
  readonly #conns = new Set<Deno.Conn>();
  #closed = false;

  constructor(script: Script, { clock = systemClock, listener, kind = "http" }: RigOptions = {}) {
    this.#listener = listener ?? Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = this.#listener.addr as Deno.NetAddr;
    this.pool = new TargetPool({ kind, host: "127.0.0.1", port }, {
      tls: null,
      clock,
      connect: async () => {
        const socket = new TamperedSocket(await Deno.connect({ hostname: "127.0.0.1", port }));
        this.sockets.push(socket);
        return socket;
      },
    });
    void this.#accept(script);
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async #accept(script: Script): Promise<void> {
    try {
      for await (const conn of this.#listener) {
        this.#conns.add(conn);
        const serving = script(new Peer(conn), this.connections++)
          .catch((error) => void this.errors.push(error))
          .finally(() => {
            this.#serving.delete(serving);
            if (this.#conns.delete(conn)) conn.close();
          });
        this.#serving.add(serving);
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }

  ask(head: string, facts: Partial<Facts> = {}): Heard {
    return Heard.ask(this.pool, head, facts);
  }

  /** A request without a body, answered or failed. */
  async get(line = "GET /"): Promise<Heard> {
    const heard = this.ask(line);
    await heard.over;
    return heard;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.pool.close();
    for (const socket of this.sockets) socket.close();
    for (const conn of this.#conns) conn.close();
    this.#conns.clear();
    this.#listener.close();
    await Promise.all(this.#serving);
    if (this.errors.length > 0) throw this.errors[0];
  }
}

interface Facts {
  upgrade: string | null;
  framing: Framing;
  timeoutMs: number;
  holdMs: number;
}

/** What a pool tells of one request. */
export class Heard implements TargetSink {
  request!: TargetRequest;
  readonly interims: number[] = [];
  final: ResponseHead | null = null;
  text = "";
  octets = 0;
  trailers: string | null = null;
  code: Code | null = null;
  cause: string | null = null;
  flushedOctets = 0;
  /** So many octets of the answer are taken, in sum. */
  takes = Infinity;
  /** Set while the request is being made. */
  #asking = true;
  readonly #over = Promise.withResolvers<void>();
  #changes: (() => void)[] = [];

  /** `line`: `GET /`, or a whole head. */
  static ask(pool: TargetPool, line: string, facts: Partial<Facts> = {}): Heard {
    const heard = new Heard();
    const head = line.endsWith("\r\n\r\n") ? line : `${line} HTTP/1.1\r\nHost: target\r\n\r\n`;
    heard.request = pool.request(
      head,
      {
        method: line.split(" ")[0],
        upgrade: null,
        framing: { kind: "none" },
        timeoutMs: 60_000,
        holdMs: 0,
        ...facts,
      },
      heard,
    );
    heard.#asking = false;
    return heard;
  }

  connected(): void {}
  interim(head: ResponseHead): void {
    this.interims.push(head.status);
    this.#changed();
  }
  head(head: ResponseHead): void {
    this.final = head;
    this.#changed();
  }
  data(bytes: Uint8Array): number {
    const n = Math.min(bytes.length, this.takes - this.octets);
    this.octets += n;
    // A text of megabytes is of no use to any test.
    if (this.octets <= 1_000_000) this.text += latin1(bytes, 0, n);
    this.#changed();
    return n;
  }
  end(trailers: string): void {
    this.trailers = trailers;
    this.#changed();
    this.#over.resolve();
  }
  failed(code: Code, cause: string | null): void {
    this.code = code;
    this.cause = cause;
    this.#changed();
    this.#over.resolve();
  }
  flushed(n: number): void {
    this.flushedOctets += n;
    this.#changed();
  }
  #changed(): void {
    if (this.#asking) throw new Error("told before request() returned");
    for (const tell of this.#changes.splice(0)) tell();
  }

  get status(): number {
    return this.final?.status ?? 0;
  }
  /** The answer is whole, or failed. */
  get over(): Promise<void> {
    return this.#over.promise;
  }
  /** Settles when `is` holds. */
  async until(is: () => boolean): Promise<void> {
    while (!is()) await new Promise<void>((resolve) => this.#changes.push(resolve));
  }
  send(text: string): void {
    this.request.send(toBytes(text));
  }
}

/** A real connection whose next read or write a test decides on, so that moments which last microseconds can be met. */
export class TamperedSocket implements Socket {
  /** In the place of the next write. */
  nextWrite: ((p: Uint8Array) => Promise<number>) | null = null;
  closed = false;
  #reading: { p: Uint8Array; resolve(n: number | null): void; reject(error: Error): void } | null = null;

  constructor(readonly real: Socket) {}

  read(p: Uint8Array): Promise<number | null> {
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    this.#reading = { p, resolve, reject };
    this.real.read(p).then(resolve, reject);
    return promise;
  }
  write(p: Uint8Array): Promise<number> {
    const { nextWrite } = this;
    this.nextWrite = null;
    return nextWrite === null ? this.real.write(p) : nextWrite(p);
  }
  closeWrite(): Promise<void> {
    return this.real.closeWrite();
  }
  close(): void {
    this.closed = true;
    try {
      this.real.close();
    } catch {
      // It was closed before.
    }
  }
  /** The read that is under way comes to end-of-file, or breaks. */
  cut(error: Error | null = null): void {
    if (error === null) this.#reading!.resolve(null);
    else this.#reading!.reject(error);
  }
  /** The read that is under way comes to `text`. */
  say(text: string): void {
    this.#reading!.p.set(toBytes(text));
    this.#reading!.resolve(text.length);
  }
}

/** Answers every request of a connection, whose bodies have a length or none, with 200 and `body`. */
export function answering(body: string, fields = "", seen: string[] = []): Script {
  return async (peer) => {
    for (let head; (head = await peer.readHead()) !== null;) {
      const length = /^Content-Length: (\d+)/im.exec(head);
      seen.push(head.split(" HTTP/")[0] + (length === null ? "" : " " + await peer.read(Number(length[1]))));
      const payload = head.startsWith("HEAD ") ? "" : body;
      await peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields}\r\n${payload}`);
    }
  };
}

/** Lets everything that is due without the passing of time happen. */
export const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
