/** A listener on a real socket, and visitors who write octets of their own choosing. */
import { type Clock, systemClock, TestClock } from "../../src/clock.ts";
import { BodyReader } from "../../src/core/http1/body.ts";
import { ResponseReader } from "../../src/core/http1/head.ts";
import type { RequestHead, ResponseHead } from "../../src/core/http1/types.ts";
import { latin1, toBytes } from "../../src/core/latin1.ts";
import { DEFAULT_LIMITS, type ServerLimits } from "../../src/core/limits.ts";
import { fetchAdapter } from "../../src/net/adapter.ts";
import type { BodySink, Exchange } from "../../src/net/exchange.ts";
import { Listener } from "../../src/net/listener.ts";
import type { ServerIdentity } from "../../src/net/server_identity.ts";
import { type Socket, socketPair } from "../../src/net/socket.ts";
import { renderRefusal } from "../../src/pages/visitor.ts";

export interface RigOptions {
  readonly handler: (exchange: Exchange) => void;
  readonly limits?: Partial<ServerLimits>;
  readonly clock?: Clock;
  readonly trusted?: (ip: string) => boolean;
  readonly urgent?: (head: RequestHead) => boolean;
  readonly secure?: boolean;
  readonly identity?: () => ServerIdentity;
  readonly unproxied?: (peer: string, why: string) => void;
}

export class VisitorRig implements AsyncDisposable {
  readonly listener: Listener;
  readonly #visitors: TestVisitor[] = [];
  #port = 0;

  constructor(options: RigOptions) {
    this.listener = new Listener({
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      clock: options.clock ?? systemClock,
      trusted: options.trusted ?? (() => false),
      handler: options.handler,
      urgent: options.urgent ?? (() => false),
      refuse: renderRefusal,
      secure: options.secure ?? false,
      identity: options.identity,
      unproxied: options.unproxied,
    });
  }

  /** A visitor over TCP. */
  async connect(): Promise<TestVisitor> {
    return this.#keep(
      new TestVisitor(await Deno.connect({ hostname: "127.0.0.1", port: await this.port() })),
    );
  }

  /** Where it listens. */
  async port(): Promise<number> {
    if (this.#port === 0) {
      const addr = await this.listener.listen({ hostname: "127.0.0.1", port: 0 });
      this.#port = (addr as Deno.NetAddr).port;
    }
    return this.#port;
  }

  /** A visitor who comes from `address`; each direction holds `capacity` octets. */
  from(address: string, capacity?: number): TestVisitor {
    const [here, there] = socketPair(capacity);
    this.listener.serve(there, address);
    return this.#keep(new TestVisitor(here));
  }

  #keep(visitor: TestVisitor): TestVisitor {
    this.#visitors.push(visitor);
    return visitor;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const visitor of this.#visitors) visitor.leave();
    this.listener.close();
    await until(() => this.listener.connections === 0);
  }
}

/** A listener all of whose requests go to `app`. */
export function appRig(
  app: (request: Request) => Response | Promise<Response>,
  options: Partial<RigOptions> = {},
): VisitorRig {
  return new VisitorRig({ handler: (exchange) => fetchAdapter(exchange, app), ...options });
}

export interface Answer {
  readonly head: ResponseHead;
  readonly status: number;
  readonly body: string;
  readonly trailers: string;
  /** Statuses that came before it. */
  readonly interim: number[];
}

export class TestVisitor {
  /** What came and was not looked at. */
  #text = "";
  #ended = false;

  constructor(readonly socket: Socket) {}

  async send(text: string): Promise<void> {
    let bytes = toBytes(text);
    while (bytes.length > 0) bytes = bytes.subarray(await this.socket.write(bytes));
  }

  /** Reads up to and including `mark`. */
  async until(mark: string): Promise<string> {
    while (!this.#text.includes(mark)) await this.#more();
    return this.take(this.#text.indexOf(mark) + mark.length);
  }

  /** Reads so many octets. */
  async octets(n: number): Promise<string> {
    while (this.#text.length < n) await this.#more();
    return this.take(n);
  }

  /** Reads to the end of the connection. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#read();
    return this.take(this.#text.length);
  }

  /** Reads one answer, which a GET asked for unless said. Throws where the connection ends before it does. */
  async answer(method = "GET", upgrade: string | null = null): Promise<Answer> {
    const reader = new ResponseReader(), interim: number[] = [];
    reader.expect({ method, upgrade });
    for (;;) {
      const bytes = toBytes(this.#text);
      this.take(reader.read(bytes, 0, bytes.length));
      if (reader.head === null) await this.#more();
      else if (reader.head.status >= 200 || reader.head.status === 101) break;
      else {
        interim.push(reader.head.status);
        reader.next();
      }
    }
    const { head } = reader;
    const body = new BodyReader(head.framing);
    let text = "";
    while (!body.done) {
      const bytes = toBytes(this.#text);
      const next = body.read(bytes, 0, bytes.length, bytes.length);
      text += latin1(bytes, body.from, body.to);
      this.take(next);
      if (body.done || next > 0) continue;
      if (head.framing.kind === "close" && this.#ended) break;
      if (head.framing.kind === "close") await this.#read();
      else await this.#more();
    }
    return { head, status: head.status, body: text, trailers: body.trailers, interim };
  }

  /** Sends a request and reads its answer. */
  async ask(text: string): Promise<Answer> {
    await this.send(text);
    return await this.answer(text.slice(0, text.indexOf(" ")));
  }

  /** Ends this direction. */
  end(): Promise<void> {
    return this.socket.closeWrite();
  }

  leave(): void {
    try {
      this.socket.close();
    } catch {
      // It left before.
    }
  }

  private take(n: number): string {
    const text = this.#text.slice(0, n);
    this.#text = this.#text.slice(n);
    return text;
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new Error(`the connection ended after ${JSON.stringify(this.#text)}`);
    await this.#read();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    const n = await this.socket.read(buffer);
    if (n === null) this.#ended = true;
    else this.#text += latin1(buffer, 0, n);
  }
}

/** Takes a body as it comes; `taking` false stalls it. */
export class Taken implements BodySink {
  text = "";
  trailers = "";
  ended = false;
  taking = true;
  readonly over = Promise.withResolvers<void>();

  data(bytes: Uint8Array): number {
    if (!this.taking) return 0;
    this.text += latin1(bytes);
    return bytes.length;
  }

  end(trailers: string): void {
    this.ended = true;
    this.trailers = trailers;
    this.over.resolve();
  }
}

/** A head of a target's answer, from its lines. */
export function headOf(lines: string, method = "GET", upgrade: string | null = null): ResponseHead {
  const reader = new ResponseReader();
  const bytes = toBytes(lines + "\r\n\r\n");
  reader.expect({ method, upgrade });
  reader.read(bytes, 0, bytes.length);
  return reader.head!;
}

/** Answers 200 with `text`. */
export function answer(exchange: Exchange, text: string): void {
  const { method } = exchange.head;
  exchange.respond(headOf(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}`, method));
  if (method !== "HEAD") exchange.write(toBytes(text));
  exchange.finish();
}

/** Answers with the target that was asked, once the request is in. */
export function echoTarget(exchange: Exchange): void {
  const body = new Taken();
  exchange.receive(body);
  body.over.promise.then(() => answer(exchange, exchange.head.target + body.text));
}

/** Waits, turn by turn of the loop, for what is sure to come. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve));
}

/** A request of HTTP/1.1 with `lines` besides its Host. */
export function request(line: string, lines: readonly string[] = [], body = ""): string {
  return [`${line} HTTP/1.1`, "Host: demo.example", ...lines, "", body].join("\r\n");
}

export interface Timed {
  readonly rig: VisitorRig;
  readonly clock: TestClock;
  readonly next: () => Promise<Exchange>;
}

/** Exchanges are answered by hand, and the clock is turned so. */
export function timed(options: Partial<RigOptions> = {}): Timed {
  const clock = new TestClock(), exchanges: Exchange[] = [];
  const rig = new VisitorRig({ clock, handler: (exchange) => void exchanges.push(exchange), ...options });
  return {
    rig,
    clock,
    next: async () => {
      await until(() => exchanges.length > 0);
      return exchanges.shift()!;
    },
  };
}

/** Lets everything happen that needs no more time. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setTimeout(resolve));
}

export async function pass(clock: TestClock, ms: number): Promise<void> {
  await settle();
  clock.advance(ms);
  await settle();
}
