/** A hub on a real socket, and daemons that speak to it over either wire. */
import { type Clock, systemClock, type TestClock } from "../../src/clock.ts";
import { OPEN_POLICY, type PolicySpec } from "../../src/core/policy.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { Failure } from "../../src/core/errors.ts";
import { latin1 } from "../../src/core/latin1.ts";
import { type Hub, type HubOptions, startHub } from "../../src/hub/hub.ts";
import { hubStorePath, openHubStore } from "../../src/hub/place.ts";
import type { Identity, Scope } from "../../src/hub/tokens.ts";
import { createLog } from "../../src/log.ts";
import { Conn } from "../../src/net/conn.ts";
import type { Store } from "../../src/store/store.ts";
import type { Control, LinkDecl, ServiceDecl } from "../../src/wire/hello.ts";
import { memoryPair } from "../../src/wire/memory.ts";
import { type CloseReason, Session, type SessionHandler } from "../../src/wire/session.ts";
import type { Stream, StreamSink } from "../../src/wire/stream.ts";
import { WebSocketWire } from "../../src/wire/websocket.ts";
import type { Wire } from "../../src/wire/wire.ts";

/** One test's hub; everything in it ends with it. */
export class HubRig implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "connectd-hub-" });
  readonly lines: string[] = [];
  hub!: Hub;
  readonly #daemons: FakeDaemon[] = [];

  static async start(options: Partial<HubOptions> = {}): Promise<HubRig> {
    const rig = new HubRig();
    await rig.begin(options);
    return rig;
  }

  /** Starts the hub, on the store that an earlier one of this rig left. */
  async begin(options: Partial<HubOptions> = {}): Promise<void> {
    this.hub = await startHub({
      listen: { hostname: "127.0.0.1", port: 0 },
      domain: null,
      publicUrl: null,
      store: this.#breakable(await openHubStore(hubStorePath(this.folder), options.clock ?? systemClock)),
      state: this.folder,
      trustedProxies: [],
      limits: DEFAULT_LIMITS,
      log: createLog({ level: "info", write: (line) => this.lines.push(line) }),
      ...options,
    });
  }

  /** While it is true, nothing can be stored. */
  diskFull = false;

  /** The next write to the bucket waits for it, and fails as it does. */
  held: { readonly bucket: string; readonly until: Promise<never>; begun(): void } | null = null;

  /** A bucket in which nothing can be stored; null: there is none. */
  losing: string | null = null;

  #breakable(store: Store): Store {
    return {
      trail: store.trail,
      bucket: (name, options) => {
        const bucket = store.bucket(name, options);
        return {
          ...bucket,
          put: (key, value, options) => {
            if (this.diskFull || this.losing === name) return Promise.reject(new Failure("the disk is full"));
            if (this.held?.bucket !== name) return bucket.put(key, value, options);
            const { until, begun } = this.held;
            this.held = null;
            begun();
            return until;
          },
        };
      },
      snapshot: (path) =>
        this.diskFull ? Promise.reject(new Failure("the disk is full")) : store.snapshot(path),
      close: () => store.close(),
    };
  }

  /** A token's text. */
  async token(scope: Scope, workspace = "default", ttlMs: number | null = null): Promise<string> {
    return (await this.hub.tokens.create({ scope, workspace, name: null, ttlMs })).token.expose();
  }

  /** A daemon inside the hub's process. */
  attached(o: DaemonOptions & { workspace?: string } = {}): FakeDaemon {
    const [ours, theirs] = memoryPair();
    const { workspace = "default" } = o;
    this.hub.attach(theirs, { token: null, name: "embedded", scope: "daemon", workspace } satisfies Identity);
    return this.#keep(new FakeDaemon(ours, o));
  }

  /** A daemon that dials in. */
  async dialled(token: string, o: DaemonOptions = {}): Promise<FakeDaemon> {
    return this.#keep(new FakeDaemon(await dial(this.hub.address.port, token), o));
  }

  /** Sends a request as a visitor of `id` does and reads the answer to its end. */
  async visit(id: string, text = "GET / HTTP/1.1"): Promise<Answer> {
    return await ask(this.hub.address.port, `${id}.localhost`, text);
  }

  /** Calls the API. */
  async api(
    method: string,
    path: string,
    token?: string,
    body?: unknown,
    where: number | string = this.hub.address.port,
    fields: readonly string[] = [],
  ): Promise<Answer> {
    const json = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
    const lines = [
      `${method} ${path} HTTP/1.1`,
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      ...(fields.length > 0 || body === undefined ? fields : ["Content-Type: application/json"]),
      ...(body === undefined ? [] : [`Content-Length: ${json.length}`]),
    ];
    return await ask(where, "localhost", lines.join("\r\n"), json);
  }

  #keep(daemon: FakeDaemon): FakeDaemon {
    this.#daemons.push(daemon);
    return daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons) daemon.leave();
    await this.hub.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Dials the tunnel of a hub on this machine. Throws the answer where it is no 101. */
export async function dial(port: number, token: string | null): Promise<Wire> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  const lines = [
    "GET /v1/tunnel HTTP/1.1",
    "Host: localhost",
    ...(token === null ? [] : [`Authorization: Bearer ${token}`]),
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: connectd.1",
  ];
  await socket.write(new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n"));
  const buffer = new Uint8Array(4096);
  let text = "";
  // The hub says nothing after its 101 until it has had a hello.
  while (!text.includes("\r\n\r\n")) {
    const n = await socket.read(buffer);
    if (n === null) break;
    text += latin1(buffer, 0, n);
  }
  if (!text.startsWith("HTTP/1.1 101 ")) {
    socket.close();
    throw new Error(text);
  }
  const conn = new Conn(socket);
  const wire = new WebSocketWire(conn, "client");
  conn.start();
  return wire;
}

/** What came back, read until the body that its head announces is there or the connection ended. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  // deno-lint-ignore no-explicit-any
  readonly json: any;
}

/** One request on a connection of its own, to a port or a socket's path; `text`: request line and fields. */
export async function ask(where: number | string, host: string, text: string, body = ""): Promise<Answer> {
  const socket: Deno.Conn = typeof where === "number"
    ? await Deno.connect({ hostname: "127.0.0.1", port: where })
    : await Deno.connect({ transport: "unix", path: where });
  const [first, ...rest] = text.split("\r\n");
  const head = [first, `Host: ${host}`, "Connection: close", ...rest].join("\r\n");
  await socket.write(new TextEncoder().encode(`${head}\r\n\r\n${body}`));
  return await readAnswer(socket);
}

/** Reads to the end of the connection. */
export async function readAnswer(socket: Deno.Conn): Promise<Answer> {
  const buffer = new Uint8Array(65536);
  let text = "";
  for (;;) {
    const n = await socket.read(buffer).catch(() => null);
    if (n === null) break;
    text += latin1(buffer, 0, n);
  }
  socket.close();
  const cut = text.indexOf("\r\n\r\n");
  const head = text.slice(0, cut + 2), body = text.slice(cut + 4);
  let json;
  try {
    json = JSON.parse(body);
  } catch {
    json = null;
  }
  return { status: Number(head.split(" ")[1]), head, body, json };
}

export interface DaemonOptions {
  readonly daemon?: string;
  readonly instance?: string;
  readonly connection?: number;
  readonly software?: string;
  readonly clock?: Clock;
  /** What it does with a stream; without one it answers 200 with the request's target. */
  readonly serve?: (stream: Stream, head: string) => Partial<StreamSink> | void;
}

/** A message from the hub, as it came. */
// deno-lint-ignore no-explicit-any
export type Message = Control & Record<string, any>;

/** A daemon that does as it is told. */
export class FakeDaemon implements SessionHandler {
  readonly session: Session;
  readonly messages: Message[] = [];
  readonly opened: Stream[] = [];
  drained = false;
  ended: CloseReason | null = null;
  readonly #o: DaemonOptions;
  #wake: (() => void)[] = [];
  #revision = 0;

  constructor(wire: Wire, options: DaemonOptions) {
    this.#o = options;
    this.session = new Session(wire, "dialler", this, options.clock ?? systemClock, { streams: 1024 });
  }

  /** Says hello and returns the welcome. */
  async hello(
    links: LinkDecl[],
    o: { revision?: number; more?: boolean; services?: readonly ServiceDecl[] } = {},
  ): Promise<Message> {
    this.#revision = o.revision ?? 1;
    const seen = this.messages.length;
    this.session.control({
      type: "hello",
      version: 1,
      software: this.#o.software ?? "fake/1",
      features: [],
      daemon: this.#o.daemon ?? "daemon-1",
      instance: this.#o.instance ?? "instance-1",
      connection: this.#o.connection ?? 0,
      services: o.services ?? [],
      links,
      revision: this.#revision,
      more: o.more ?? false,
    });
    return await this.until((message, i) => i >= seen && message.type === "welcome");
  }

  /** Tells a change and returns what was granted. */
  async change(
    set: LinkDecl[],
    remove: { name: string; id: string; reason: "removed" | "revoked" | "expired" }[] = [],
  ): Promise<Message> {
    const revision = ++this.#revision;
    this.session.control({ type: "links", revision, set, remove, more: false });
    return await this.until((message) => message.type === "granted" && message.revision === revision);
  }

  /** The first message that `is` the one. */
  async until(is: (message: Message, index: number) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(is);
      if (found !== undefined) return found;
      if (this.ended !== null) throw new Error(`the session ended: ${this.ended.code} ${this.ended.message}`);
      await this.happens();
    }
  }

  /** The session has ended. */
  async end(): Promise<CloseReason> {
    while (this.ended === null) await this.happens();
    return this.ended;
  }

  /** Something happened. */
  happens(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  leave(): void {
    this.session.close("done", "the test ends");
  }

  open(stream: Stream): StreamSink {
    this.opened.push(stream);
    let head = "", sink: Partial<StreamSink> | void;
    this.#happened();
    return {
      head: (bytes) => {
        head += latin1(bytes);
        if (!head.endsWith("\r\n\r\n")) return;
        const { serve = answerTarget } = this.#o;
        sink = serve(stream, head);
      },
      data: (bytes) => {
        stream.consumed(bytes.length);
        sink?.data?.(bytes);
      },
      end: (trailers) => sink?.end?.(trailers),
      reset: (code) => {
        sink?.reset?.(code);
        this.#happened();
      },
      writable: () => sink?.writable?.(),
    };
  }

  control(message: Control): void {
    this.messages.push(message as Message);
    this.#happened();
  }

  draining(): void {
    this.drained = true;
    this.#happened();
  }

  closed(reason: CloseReason): void {
    this.ended = reason;
    this.#happened();
  }

  #happened(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

function answerTarget(stream: Stream, head: string): void {
  respond(stream, `${head.split(" ")[1]} of ${stream.open.link}`);
}

/** Answers 200 with `body`. */
export function respond(stream: Stream, body: string): void {
  stream.sendHead(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, false);
  stream.send(new TextEncoder().encode(body), 0, body.length);
  stream.end();
}

/** A link as a daemon declares it. */
export function link(
  name: string,
  o: Partial<Omit<LinkDecl, "policy">> & { policy?: Partial<PolicySpec> } = {},
): LinkDecl {
  return {
    name,
    id: null,
    subdomain: null,
    domain: null,
    newId: false,
    state: "active",
    expiresAt: null,
    activatedAt: null,
    service: null,
    source: "file",
    ...o,
    policy: { ...OPEN_POLICY, ...o.policy },
  };
}

/** Lets `ms` go by on `clock`, second by second, with time in between to answer pings. */
export async function pass(clock: TestClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    clock.advance(Math.min(left, 1000));
    await new Promise((turn) => setTimeout(turn, 2));
  }
}

/** Asks again until `good` says so; throws the last answer after 20 s. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  good: (value: Awaited<T>) => boolean,
): Promise<Awaited<T>> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const value = await look();
    if (good(value)) return value;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(value)} after 20 s`);
    await new Promise((again) => setTimeout(again, 10));
  }
}
