/** Where visitors come in. */
import type { Clock } from "../clock.ts";
import { isLoopback, rateKey } from "../core/address.ts";
import type { Refusal, Rendered } from "../core/errors.ts";
import type { RequestHead } from "../core/http1/types.ts";
import type { ServerLimits } from "../core/limits.ts";
import { canonicalAddress } from "./client.ts";
import { descriptors } from "./descriptors.ts";
import type { Exchange } from "./exchange.ts";
import { Greetings } from "./greetings.ts";
import { listenPrivately } from "./private_socket.ts";
import type { ServerIdentity } from "./server_identity.ts";
import type { Socket } from "./socket.ts";
import { acceptTls } from "./tls_server.ts";
import { Visitor } from "./visitor.ts";

export interface ListenerOptions {
  readonly limits: ServerLimits;
  readonly clock: Clock;
  /** True for the address of a proxy whose X-Forwarded-* are believed. */
  readonly trusted: (ip: string) => boolean;
  /** Answers an exchange, now or later. */
  readonly handler: (exchange: Exchange) => void;
  /** Whether a request is served where there is no room for visitors any more. */
  readonly urgent: (head: RequestHead) => boolean;
  /** Renders the answers that the listener itself gives. `head` is null where none was read. */
  readonly refuse: (refusal: Refusal, head: RequestHead | null, requestId: string) => Rendered;
  /** Visitors come by https. */
  readonly secure: boolean;
  /** Who the listener is to visitors who come by TLS, asked for each of them; absent: they come in the clear. */
  readonly identity?: (() => ServerIdentity) | null;
  /**
   * Every connection comes by a trusted proxy and begins with the PROXY protocol; the others are cut, of which this
   * hears. Absent: none does.
   */
  readonly unproxied?: ((peer: string, why: string) => void) | null;
}

/**
 * So many connections beyond the limits are asked at a time what they come for, and fewer where descriptors ran out. For
 * another one the oldest goes: whoever dials a tunnel speaks at once, and can not be kept out by those who say nothing.
 */
const BEYOND = 512, BEYOND_SHORT = 24;

/** Accepting goes on as long as somebody waits: who is beyond the limits is read in so many turns before it has to go. */
const TURNS = 16;

/** Where nothing can be accepted, it is tried again so much later. */
const ACCEPT_PAUSE_MS = 100;

/** Turns of the loop in which a stopped listener takes those who are in the kernel's queue: more come all the time. */
const LAST_TURNS = 100;
/** So many of them in a row bring nobody when the queue is empty: what the kernel tells takes more than one to get here. */
const QUIET_TURNS = 5;

/** A unix socket's peer is on this machine. */
const LOCAL = "127.0.0.1";

/** Everybody who comes from one address, in the terms of rates: one visitor has a whole /64 of IPv6 to call from. */
export interface Client {
  readonly key: string;
  /** Connections, or of a trusted proxy's client the requests in flight. */
  count: number;
  /** Requests in flight. */
  busy: number;
}

export class Listener {
  /** Swapped when they change. */
  limits: ServerLimits;
  readonly clock: Clock;
  readonly trusted: (ip: string) => boolean;
  readonly handler: (exchange: Exchange) => void;
  readonly urgent: ListenerOptions["urgent"];
  readonly refuse: ListenerOptions["refuse"];
  readonly secure: boolean;
  /** Connections end with the answer they are at. */
  draining = false;
  /** Connections with something in flight; they count themselves. */
  busy = 0;
  readonly #identity: (() => ServerIdentity) | null;
  readonly #greetings: Greetings | null;
  readonly #sockets: Deno.Listener[] = [];
  readonly #visitors = new Set<Visitor>();
  /** Those beyond the limits, the oldest first: on their way out unless what they want is urgent. */
  readonly #beyond = new Set<Visitor>();
  readonly #clients = new Map<string, Client>();
  /** Accepted in all. */
  #accepted = 0;
  /** Set while a drain waits: something ended. */
  #look: (() => void) | null = null;
  #stopped: Promise<void> | null = null;
  #drained: Promise<void> | null = null;
  #closed = false;

  constructor(options: ListenerOptions) {
    this.limits = options.limits;
    this.clock = options.clock;
    this.trusted = options.trusted;
    this.handler = options.handler;
    this.urgent = options.urgent;
    this.refuse = options.refuse;
    this.secure = options.secure;
    this.#identity = options.identity ?? null;
    const { unproxied = null } = options;
    this.#greetings = unproxied === null ? null : new Greetings({
      clock: this.clock,
      limits: () => this.limits,
      trusted: this.trusted,
      refused: unproxied,
      take: (socket, address) => {
        if (this.#closed) socket.close();
        else this.#take(socket, address, descriptors.short);
      },
    });
  }

  /**
   * Binds and accepts; a unix socket is its owner's alone. Rejects with the runtime's error where it can't. May be called
   * for several places.
   */
  async listen(where: { hostname: string; port: number } | { path: string }): Promise<Deno.Addr> {
    const socket = "path" in where ? await listenPrivately(where.path) : Deno.listen(where);
    this.#sockets.push(socket);
    this.#accept(socket);
    return socket.addr;
  }

  /** Serves a connection that was accepted elsewhere. `peer`: its address. */
  serve(socket: Socket, peer: string): void {
    this.#take(socket, peer, false);
  }

  /** Accepts no more, which is so when this resolves; connections end with the next answer. */
  stop(): Promise<void> {
    this.draining = true;
    return this.#stopped ??= this.#emptyQueues();
  }

  /**
   * Stops, and waits for the answers that are due, up to `ms`. `keptMs`: so long even for the requests of those who are
   * connected, which may be on their way. Both as they were in the first call.
   */
  drain(ms: number, keptMs = 0): Promise<void> {
    return this.#drained ??= this.#drain(ms, keptMs);
  }

  /** Cuts everything. */
  close(): void {
    this.#closed = true;
    this.#stopAccepting();
    this.#greetings?.close();
    for (const visitor of [...this.#visitors, ...this.#beyond]) visitor.destroy();
  }

  /** Open connections, tunnels not among them. */
  get connections(): number {
    return this.#visitors.size;
  }

  // For visitors' connections only.

  /** Counts one more of who comes from `address`. Null: it has as many as it may, and this one is not counted. */
  enter(address: string): Client | null {
    const key = rateKey(address);
    let client = this.#clients.get(key);
    if (client === undefined) this.#clients.set(key, client = { key, count: 0, busy: 0 });
    else if (client.count >= this.limits.perAddress && this.isLimited(address)) return null;
    client.count++;
    return client;
  }

  /** One less of `client`. */
  leave(client: Client): void {
    if (--client.count === 0) this.#clients.delete(client.key);
  }

  /** Everybody on this machine shares one address, and so do a proxy's visitors: these may have all there is. */
  isLimited(address: string): boolean {
    return !isLoopback(address) && !this.trusted(address);
  }

  /** A connection has ended, or became a tunnel. */
  left(visitor: Visitor): void {
    this.#beyond.delete(visitor);
    if (this.#visitors.delete(visitor) && visitor.client !== null) this.leave(visitor.client);
  }

  /** A connection has nothing in flight any more. */
  settled(): void {
    if (--this.busy === 0) this.#look?.();
  }

  /** Accepted from `peer`; as `#take`. */
  #meet(conn: Socket, peer: string): number {
    const greetings = this.#greetings;
    if (greetings === null) return this.#take(conn, peer, descriptors.short);
    return greetings.begin(conn, canonicalAddress(peer) ?? peer) ? Infinity : BEYOND;
  }

  /** `short`: descriptors ran out. Returns how many may be there beyond the limits where this one is; else Infinity. */
  #take(conn: Socket, peer: string, short: boolean): number {
    const address = canonicalAddress(peer) ?? peer;
    const proxy = this.trusted(address);
    const admits = !short && this.#visitors.size < this.limits.connections;
    const client = admits && !proxy ? this.enter(address) : null;
    const room = client !== null || (admits && proxy);
    const socket = this.#identity === null ? conn : acceptTls(conn, this.#identity());
    const visitor = new Visitor(socket, address, { proxy, client, admitted: room }, this);
    const most = room ? Infinity : short ? BEYOND_SHORT : BEYOND;
    if (room) this.#visitors.add(visitor);
    else {
      const [oldest] = this.#beyond;
      if (this.#beyond.size >= most) oldest.destroy();
      this.#beyond.add(visitor);
    }
    visitor.start();
    return most;
  }

  async #accept(socket: Deno.Listener): Promise<void> {
    /** Accepted beyond the limits since anything else had its turn. */
    let unheard = 0;
    for (;;) {
      try {
        const conn = await socket.accept();
        if (this.#closed) return conn.close();
        this.#accepted++;
        if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
        const { remoteAddr } = conn;
        const peer = "hostname" in remoteAddr ? remoteAddr.hostname : LOCAL;
        const most = this.#meet(conn, peer);
        if (most === Infinity || ++unheard < most / TURNS) continue;
        await new Promise((turn) => setTimeout(turn));
        unheard = 0;
      } catch (error) {
        if (!this.#sockets.includes(socket)) return;
        const { short } = descriptors;
        // The kept descriptors are free now.
        if (descriptors.ranOut(error) && !short) continue;
        // A visitor that gave up in the queue costs nothing, but a lack of descriptors must not spin.
        await new Promise<void>((resolve) => {
          const timer = this.clock.timer(() => {
            timer.drop();
            resolve();
          });
          timer.set(ACCEPT_PAUSE_MS);
        });
      }
    }
  }

  async #drain(ms: number, keptMs: number): Promise<void> {
    const { clock } = this, begun = clock.mono();
    await this.stop();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.timer(() => this.#look?.());
    this.#look = () => {
      const wait = this.busy > 0 ? ms : this.#visitors.size > 0 ? Math.min(ms, keptMs) : 0;
      const left = begun + wait - clock.mono();
      if (left > 0) return timer.set(left);
      this.#look = null;
      timer.drop();
      resolve();
    };
    this.#look();
    await promise;
  }

  /** Whoever is in a kernel's queue is connected as far as he knows: closing at once would reset him and his request. */
  async #emptyQueues(): Promise<void> {
    for (let turns = 0, quiet = 0; quiet < QUIET_TURNS && turns < LAST_TURNS; turns++) {
      const before = this.#accepted;
      await new Promise((turn) => setTimeout(turn));
      quiet = before === this.#accepted ? quiet + 1 : 0;
    }
    this.#stopAccepting();
  }

  #stopAccepting(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }
}
