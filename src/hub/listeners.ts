/** Where a hub listens: one place for everybody, those it has left while visitors are there, its own socket. */
import type { Clock } from "../clock.ts";
import type { ListenAddress } from "../config/places.ts";
import { type Cidr, contains, isLoopback, parseAddress, parseCidr } from "../core/address.ts";
import { Failure } from "../core/errors.ts";
import { counted, Repeats } from "../repeats.ts";
import type { Certificate } from "./certificate.ts";
import type { ServerLimits } from "../core/limits.ts";
import type { Log } from "../log.ts";
import type { Exchange } from "../net/exchange.ts";
import { Listener, type ListenerOptions } from "../net/listener.ts";
import { renderRefusal } from "../pages/visitor.ts";

/** Where a hub listens unless it is told otherwise. */
export const DEFAULT_LISTEN: ListenAddress = { hostname: "127.0.0.1", port: 8080 };

/**
 * When the hub ends and there is a front before it, so long it still takes whoever comes: the front looks at /readyz and
 * finds others, or holds them. Closing a listener resets those who are in its queue, and their requests with them.
 */
const FRONT_MS = 1_000;

/** When the hub ends, visitors who are connected have so long for a request, and hear with its answer that it is the last. */
const KEPT_MS = 1_000;

export interface ListenersOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: ServerLimits;
  /** Addresses and blocks. */
  readonly trustedProxies: readonly string[];
  /** Answers visitors and daemons. */
  readonly serve: (exchange: Exchange) => void;
  /** Answers whoever comes by the hub's own socket. */
  readonly serveLocally: (exchange: Exchange) => void;
  /** Null: visitors come in the clear. */
  readonly certificate: Pick<Certificate, "identity"> | null;
  readonly proxyProtocol: boolean;
  readonly urgent: ListenerOptions["urgent"];
  readonly refuse: ListenerOptions["refuse"];
  /** Called when another address was bound, before anybody who came there is served. */
  readonly bound: (address: ListenAddress) => void;
}

/** The listeners of one hub. */
export class Listeners {
  /** Where it is bound. */
  address: ListenAddress = DEFAULT_LISTEN;
  #current: Listener | null = null;
  /** Where it listened before, while visitors are there. */
  #left: readonly Listener[] = [];
  #local: Listener | null = null;
  #limits: ServerLimits;
  #proxies: readonly Cidr[];
  readonly #repeats: Repeats;
  readonly #o: ListenersOptions;

  constructor(options: ListenersOptions) {
    this.#o = options;
    this.#limits = options.limits;
    this.#proxies = options.trustedProxies.map(parseCidr);
    this.#repeats = new Repeats(options.clock);
  }

  /** Limits and proxies are others from now on. Connections that are there stay, and are what they were. */
  tune(limits: ServerLimits, trustedProxies: readonly string[]): void {
    this.#limits = limits;
    this.#proxies = trustedProxies.map(parseCidr);
    for (const listener of [...this.#all(), this.#local]) if (listener !== null) listener.limits = limits;
  }

  /** Open connections, tunnels and those of the hub's own socket not among them. */
  get connections(): number {
    return this.#all().reduce((sum, { connections }) => sum + connections, 0);
  }

  /** True for an address of this machine, and for a proxy's that is believed. */
  isNear(address: string): boolean {
    return isLoopback(address) || this.#current!.trusted(address);
  }

  /** Listens at `wanted`. Throws Failure. */
  async listen(wanted: ListenAddress | null): Promise<void> {
    const listener = this.#make();
    const port = await bind(listener, wanted, this.#o.log);
    this.address = { hostname: (wanted ?? DEFAULT_LISTEN).hostname, port };
    this.#current = listener;
    this.#o.bound(this.address);
  }

  /** Listens at `wanted` instead; false where it does already. Throws Failure, and listens as before, where it can't. */
  async rebind(wanted: ListenAddress | null): Promise<boolean> {
    const { hostname, port } = wanted ?? DEFAULT_LISTEN;
    // The port is ours: it could not be bound once more.
    if (hostname === this.address.hostname && port === this.address.port) return false;
    const before = this.#current!;
    await this.listen(wanted);
    await before.stop();
    this.#left = [...this.#left, before].filter(({ connections }) => connections > 0);
    return true;
  }

  /** Makes the socket at `path`, which takes no token: whoever may open it, may everything. */
  async listenLocally(path: string): Promise<void> {
    const { clock, serveLocally } = this.#o;
    const listener = new Listener({
      limits: this.#limits,
      clock,
      trusted: () => false,
      handler: serveLocally,
      urgent: () => true,
      refuse: renderRefusal,
      secure: false,
    });
    // The store's lock is ours: a socket that is there was left behind.
    await listener.listen({ path });
    this.#local = listener;
  }

  /** Takes no more, and waits up to `ms` for what is in flight. */
  async drain(ms: number): Promise<void> {
    if (this.#proxies.length > 0) await this.#beLeft();
    await Promise.all(this.#all().map((listener) => listener.drain(ms, KEPT_MS)));
  }

  /** Cuts everything. */
  close(): void {
    for (const listener of this.#all()) listener.close();
    this.#local?.close();
    this.#repeats.close();
  }

  /** Answers say close, /readyz says no, and the front takes its visitors elsewhere. */
  async #beLeft(): Promise<void> {
    for (const listener of this.#all()) listener.draining = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#o.clock.timer(resolve);
    timer.set(FRONT_MS);
    await promise;
    timer.drop();
  }

  #all(): readonly Listener[] {
    return this.#current === null ? this.#left : [...this.#left, this.#current];
  }

  #make(): Listener {
    const { clock, serve, urgent, refuse, certificate, proxyProtocol } = this.#o;
    return new Listener({
      limits: this.#limits,
      clock,
      trusted: (ip) => {
        const address = parseAddress(ip);
        return address !== null && contains(this.#proxies, address);
      },
      handler: serve,
      urgent,
      refuse,
      secure: certificate !== null,
      identity: certificate && (() => certificate.identity),
      unproxied: proxyProtocol ? this.#unproxied : null,
    });
  }

  /** Said of each address in a while: whoever knocks must not fill the log. */
  readonly #unproxied = (peer: string, why: string): void => {
    this.#repeats.happened("unproxied", (times) => {
      this.#o.log.warn(`a connection was cut: ${why}`, { address: peer, ...counted(times) });
    });
  };
}

/** Binds `listener` and returns the port. A default that is taken gives way to a free port; a wish does not. */
async function bind(listener: Listener, wanted: ListenAddress | null, log: Log): Promise<number> {
  const { hostname, port } = wanted ?? DEFAULT_LISTEN;
  try {
    return (await listener.listen({ hostname, port }) as Deno.NetAddr).port;
  } catch (cause) {
    if (wanted === null && cause instanceof Deno.errors.AddrInUse) {
      const free = (await listener.listen({ hostname, port: 0 }) as Deno.NetAddr).port;
      log.warn(`port ${port} is in use: the hub listens on ${free}`);
      return free;
    }
    const used = cause instanceof Deno.errors.AddrInUse;
    const why = used ? "it is in use" : (cause as Error).message;
    throw new Failure(`the hub can not listen on ${hostname}:${port}: ${why}`, {
      hint: "name another address with --listen",
      permanent: true,
      cause,
    });
  }
}
