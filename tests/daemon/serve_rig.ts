/** A hub that says what a test wants, a link, and a target on a real socket. */
import { type Clock, systemClock } from "../../src/clock.ts";
import type { Entry } from "../../src/core/entry.ts";
import { latin1, toBytes } from "../../src/core/latin1.ts";
import type { Refusal } from "../../src/core/errors.ts";
import { OPEN_POLICY, type PolicySpec } from "../../src/core/policy_spec.ts";
import type { Target } from "../../src/core/target.ts";
import type { Observer } from "../../src/daemon/follow.ts";
import { SharedParts } from "../../src/daemon/parts.ts";
import { Serving } from "../../src/daemon/serve.ts";
import { type Links, ServedLink } from "../../src/daemon/served.ts";
import { Troubles } from "../../src/daemon/troubles.ts";
import { createLog } from "../../src/log.ts";
import { memoryPair } from "../../src/wire/memory.ts";
import { Session, type SessionHandler } from "../../src/wire/session.ts";
import type { OpenFields, Stream, StreamSink } from "../../src/wire/stream.ts";

/** A link's entry with nothing special about it. */
export function entryTo(target: Target, other: Partial<Entry> = {}, policy: Partial<PolicySpec> = {}): Entry {
  return {
    name: "demo",
    source: "file",
    target,
    service: null,
    ttlMs: null,
    until: null,
    maxUses: null,
    policy: { ...OPEN_POLICY, ...policy },
    auth: { basicFile: null, bearerFile: null },
    host: "target",
    headers: null,
    timeoutMs: 60_000,
    holdMs: 0,
    drainMs: 5_000,
    subdomain: null,
    domain: null,
    inspect: "heads",
    inspectLast: 100,
    inspectRedact: [],
    tls: null,
    line: 1,
    column: 1,
    lines: new Map(),
    ...other,
  };
}

/** What a visitor sends and the hub passes on: `ask("GET /", ["Accept: x"])`. */
export function requestText(line: string, fields: readonly string[] = []): string {
  return [`${line} HTTP/1.1`, "Host: demo.hub.test", ...fields, "\r\n"].join("\r\n");
}

/** One stream, as the hub sees it. */
export class Asked implements StreamSink {
  stream!: Stream;
  readonly heads: string[] = [];
  readonly parts: Uint8Array[] = [];
  octets = 0;
  trailers: string | null = null;
  /** What the daemon cut it with. */
  code: string | null = null;
  /** Credit goes back as soon as bytes come; without it they pile up. */
  reads = true;
  readonly #over = Promise.withResolvers<void>();
  readonly #changes: (() => void)[] = [];
  #waiting: { bytes: Uint8Array; done: () => void } | null = null;

  head(bytes: Uint8Array, last: boolean): void {
    this.heads.push(latin1(bytes));
    this.#changed();
    if (last) this.end("");
  }
  data(bytes: Uint8Array): void {
    this.parts.push(bytes.slice());
    this.octets += bytes.length;
    if (this.reads) this.stream.consumed(bytes.length);
    this.#changed();
  }
  end(trailers: string): void {
    this.trailers = trailers;
    this.#changed();
    this.#over.resolve();
  }
  reset(code: string): void {
    if (this.trailers === null) this.code = code;
    this.#changed();
    this.#over.resolve();
  }
  writable(): void {
    if (this.#waiting !== null) this.#push();
  }

  /** Sends all of `body`, as credit comes. */
  send(body: Uint8Array | string): Promise<void> {
    return new Promise((done) => {
      this.#waiting = { bytes: typeof body === "string" ? toBytes(body) : body, done };
      this.#push();
    });
  }
  #push(): void {
    const waiting = this.#waiting!;
    const sent = this.stream.send(waiting.bytes, 0, waiting.bytes.length);
    waiting.bytes = waiting.bytes.subarray(sent);
    if (waiting.bytes.length > 0) return;
    this.#waiting = null;
    waiting.done();
  }

  /** The answer is whole, or cut. */
  get over(): Promise<void> {
    return this.#over.promise;
  }
  /** Settles when `is` holds. */
  async until(is: () => boolean): Promise<void> {
    while (!is()) await new Promise<void>((resolve) => this.#changes.push(resolve));
  }
  #changed(): void {
    for (const tell of this.#changes.splice(0)) tell();
  }

  /** Of the final head; 0: none came. */
  get status(): number {
    const [last] = this.heads.slice(-1);
    return last === undefined ? 0 : Number(last.slice(9, 12));
  }
  get text(): string {
    return this.parts.map((part) => latin1(part)).join("");
  }
  /** The code of an answer that the daemon itself gave. */
  get refused(): string | null {
    return /"code":"(\w+)"/.exec(this.text)?.[1] ?? null;
  }
  field(name: string): string | undefined {
    return new RegExp(`^${name}: (.*)\r$`, "im").exec(this.heads.at(-1) ?? "")?.[1];
  }
}

const OPEN: OpenFields = {
  kind: "http",
  https: false,
  link: "abc",
  address: "192.0.2.7",
  requestId: "req-1",
  host: "demo.hub.test",
};

/** The daemon's data line behind one session, and the hub's end of that. */
export class Rig implements Links {
  readonly parts: SharedParts;
  readonly known = new Map<string, ServedLink | Refusal>();
  readonly hub: Session;
  readonly #daemon: Session;
  readonly #targets: { close(): void }[] = [];

  /** What the daemon said. */
  readonly said: string[] = [];
  readonly log = createLog({ write: (line) => this.said.push(line) });
  readonly troubles: Troubles;

  constructor(readonly clock: Clock = systemClock, observer: Observer | null = null) {
    this.parts = new SharedParts(clock, "daemon-1");
    this.troubles = new Troubles(this.log, clock);
    const serving = new Serving("hub-1", {
      links: this,
      clock,
      observer,
      troubles: this.troubles,
    });
    const [here, there] = memoryPair();
    const handler = (open: (stream: Stream) => StreamSink): SessionHandler => ({
      open,
      control() {},
      draining() {},
      closed() {},
    });
    // What a test does within its own fields runs on the session's clock, which must not take it for dead.
    this.#daemon = new Session(here, "dialler", handler((stream) => serving.open(stream)), systemClock, {
      streams: 1000,
    });
    this.hub = new Session(
      there,
      "acceptor",
      handler((stream) => (stream.reset("no"), new Asked())),
      systemClock,
      {
        streams: 1000,
      },
    );
  }

  byId(hub: string, id: string): ServedLink | Refusal | null {
    return hub === "hub-1" ? this.known.get(id) ?? null : null;
  }

  /** Serves `entry` as link `abc`. */
  link(entry: Entry, id = "abc"): ServedLink {
    const link = new ServedLink(entry, this.parts);
    this.known.set(id, link);
    return link;
  }

  /** Opens a stream with a head. `last`: nothing follows it. */
  ask(head: string | Uint8Array, open: Partial<OpenFields> = {}, last = true): Asked {
    const asked = new Asked();
    asked.stream = this.hub.open({ ...OPEN, ...open }, asked);
    asked.stream.sendHead(head, last);
    return asked;
  }

  /** A request without a body, answered. */
  async get(line: string, fields: readonly string[] = [], open: Partial<OpenFields> = {}): Promise<Asked> {
    const asked = this.ask(requestText(line, fields), open);
    await asked.over;
    return asked;
  }

  /** A target that is closed with the rig. */
  target(serve: (connection: Connection) => Promise<void>): TestTarget {
    const target = new TestTarget(serve);
    this.#targets.push(target);
    return target;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hub.close("closed", "the test ends");
    this.#daemon.close("closed", "the test ends");
    for (const link of this.known.values()) if (link instanceof ServedLink) link.close();
    this.parts.close();
    this.troubles.close();
    for (const target of this.#targets) target.close();
    // Outstanding operations on sockets that were closed settle in the next turns.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A real socket whose requests a test answers by hand. */
export class TestTarget {
  readonly target: Target;
  connections = 0;
  /** Heads and bodies as they came, over all connections. */
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.Conn>();
  #closed = false;

  constructor(serve: (connection: Connection) => Promise<void>) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.target = { kind: "http", host: "127.0.0.1", port: this.#listener.addr.port };
    void this.#accept(serve);
  }

  async #accept(serve: (connection: Connection) => Promise<void>): Promise<void> {
    for await (const conn of this.#listener) {
      this.connections++;
      this.#open.add(conn);
      const connection = new Connection(conn);
      void serve(connection).catch(() => {}).finally(() => {
        this.#open.delete(conn);
        connection.close();
      });
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const conn of this.#open) {
      try {
        conn.close();
      } catch {
        // It was closed by the test.
      }
    }
  }
}

/** The target's end of a connection. */
export class Connection {
  #rest = "";
  #closed = false;
  constructor(readonly conn: Deno.Conn) {}

  /** Reads up to and with `mark`. Null at end-of-file. */
  async readTo(mark: string): Promise<string | null> {
    while (!this.#rest.includes(mark)) if (!await this.#more()) return null;
    const end = this.#rest.indexOf(mark) + mark.length;
    const text = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end);
    return text;
  }
  readHead(): Promise<string | null> {
    return this.readTo("\r\n\r\n");
  }
  async read(octets: number): Promise<string | null> {
    while (this.#rest.length < octets) if (!await this.#more()) return null;
    const text = this.#rest.slice(0, octets);
    this.#rest = this.#rest.slice(octets);
    return text;
  }
  /** What came and was not read; null at end-of-file. */
  async readSome(): Promise<Uint8Array | null> {
    if (this.#rest === "" && !await this.#more()) return null;
    const bytes = toBytes(this.#rest);
    this.#rest = "";
    return bytes;
  }
  /** Reads and forgets until the other side ends or breaks. */
  async readAll(): Promise<string> {
    while (await this.#more());
    return this.#rest;
  }
  async #more(): Promise<boolean> {
    const bytes = new Uint8Array(64 * 1024);
    const n = await this.conn.read(bytes).catch(() => null);
    if (n === null) return false;
    this.#rest += latin1(bytes, 0, n);
    return true;
  }
  async write(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? toBytes(text) : text;
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.conn.close();
    } catch {
      // The rig closed it.
    }
  }
}

/** Answers every request of a connection with 200 and `body`; tells `seen` each head. */
export function answering(body: string, seen: (head: string) => void = () => {}, fields = "") {
  return async (connection: Connection): Promise<void> => {
    for (let head; (head = await connection.readHead()) !== null;) {
      seen(head);
      const bodiless = head.startsWith("HEAD ");
      await connection.write(
        `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields}\r\n${bodiless ? "" : body}`,
      );
    }
  };
}
