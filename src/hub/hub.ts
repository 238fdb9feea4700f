/** The hub: store, names, tokens, sessions and listeners, put together and taken apart. */
import { type Clock, systemClock, type Timer } from "../clock.ts";
import { contains, isLoopback, parseAddress, parseCidr } from "../core/address.ts";
import { Failure, refusal } from "../core/errors.ts";
import type { ServerLimits } from "../core/limits.ts";
import type { Family } from "../core/metrics.ts";
import type { Log } from "../log.ts";
import { fetchAdapter } from "../net/adapter.ts";
import { descriptors } from "../net/descriptors.ts";
import type { Exchange } from "../net/exchange.ts";
import { Listener } from "../net/listener.ts";
import { loop } from "../net/loop.ts";
import { renderRefusal } from "../pages/visitor.ts";
import { KEEP_MS } from "../store/audit.ts";
import type { Store } from "../store/store.ts";
import type { Wire } from "../wire/wire.ts";
import { createApi } from "./api.ts";
import { HubAudit } from "./audit.ts";
import { Hosts } from "./hosts.ts";
import { HubMetrics } from "./metrics.ts";
import { Names } from "./names.ts";
import { Peers } from "./peers.ts";
import { hubSocketPath } from "./place.ts";
import { randomText } from "./random.ts";
import { Route } from "./route.ts";
import { Sessions } from "./sessions.ts";
import type { HubState } from "./state.ts";
import { type Identity, Tokens } from "./tokens.ts";
import { serveTunnel, TUNNEL_PATH } from "./tunnel.ts";
import { Weights } from "./weights.ts";

/** Where a hub listens. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

export interface HubOptions {
  /** Null: 127.0.0.1:8080, or a free port where that is taken. */
  readonly listen: ListenAddress | null;
  /** Links are `<id>.<domain>`. Null: the host of `publicUrl`, else localhost. */
  readonly domain: string | null;
  /** The origin of API and tunnel. Null: the domain, on the port that is bound. */
  readonly publicUrl: string | null;
  /** Of `openHubStore`; closed with the hub. */
  readonly store: Store;
  /** Where the hub's own socket is made; null: it has none, as within a daemon. */
  readonly state: string | null;
  /** Addresses and blocks. */
  readonly trustedProxies: readonly string[];
  readonly limits: ServerLimits;
  /** How long records of the audit trail are kept; absent or null: a year. */
  readonly keepAuditMs?: number | null;
  readonly log: Log;
  readonly clock?: Clock;
}

/** A hub that runs. */
export interface Hub {
  /** The origin of its API and tunnel: `http://localhost:8080`. */
  readonly url: string;
  readonly domain: string;
  /** Where it is bound. */
  readonly address: ListenAddress;
  /** Its own socket, null without a state directory. */
  readonly socket: string | null;
  readonly tokens: Tokens;
  /** Runs a session over `wire` as if `identity` had dialled in. */
  attach(wire: Wire, identity: Identity): void;
  /** Listens at `listen` instead; links keep their ids. Throws Failure, and listens as before, where it can't. */
  rebind(listen: ListenAddress | null): Promise<void>;
  /** Takes no more requests, tells daemons to dial elsewhere, and waits up to `ms` for what is in flight. */
  drain(ms: number): Promise<void>;
  close(): Promise<void>;
  /** Its figures, without those of the process. */
  metrics(): Family[];
}

/** Where it listens unless it is told otherwise. */
export const DEFAULT_LISTEN: ListenAddress = { hostname: "127.0.0.1", port: 8080 };

/**
 * When the hub ends and there is a front before it, so long it still takes whoever comes: the front looks at /readyz and
 * finds others, or holds them. Closing a listener resets those who are in its queue, and their requests with them.
 */
const FRONT_MS = 1_000;

/** When the hub ends, visitors who are connected have so long for a request, and hear with its answer that it is the last. */
const KEPT_MS = 1_000;

/** Refusals are reported, and expired tokens noticed, so often. */
const TICK_MS = 900;
/** Records of links that stay declared are looked through so often. */
const REFRESH_MS = 3_600_000;

const UNKNOWN = refusal("link_unknown");

/** Starts a hub. Resolves when it listens and knows its names. Throws Failure, and has closed the store. */
export async function startHub(options: HubOptions): Promise<Hub> {
  const hub = new RunningHub(options);
  try {
    await hub.start();
    return hub;
  } catch (error) {
    await hub.close();
    throw error;
  }
}

class RunningHub implements Hub, HubState {
  readonly clock: Clock;
  id = "";
  audit!: HubAudit;
  names!: Names;
  tokens!: Tokens;
  sessions!: Sessions;
  socket: string | null = null;
  #address: ListenAddress = DEFAULT_LISTEN;
  #hosts!: Hosts;
  #route!: Route;
  #listener: Listener | null = null;
  /** Where it listened before, while visitors are there. */
  #left: readonly Listener[] = [];
  #local: Listener | null = null;
  #api!: ReturnType<typeof createApi>;
  #metrics!: HubMetrics;
  readonly #unwatch = loop.watch();
  readonly #peers: Peers;
  readonly #o: HubOptions;
  readonly #store: Store;
  readonly #tick: Timer;
  #refreshedAt = 0;
  /** Within a daemon it is the daemon that keeps some. */
  #giveDescriptors: (() => void) | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: HubOptions) {
    this.#o = options;
    this.clock = options.clock ?? systemClock;
    this.#store = options.store;
    this.#peers = new Peers(this.clock);
    this.#tick = this.clock.timer(() => this.#ticked());
  }

  get url(): string {
    return this.#hosts.publicUrl;
  }

  get domain(): string {
    return this.#hosts.domain;
  }

  get address(): ListenAddress {
    return this.#address;
  }

  hosts(): Hosts {
    return this.#hosts;
  }

  draining(): boolean {
    return this.#route.draining;
  }

  metrics(): Family[] {
    return this.#metrics.families();
  }

  async start(): Promise<void> {
    const { log, limits, state } = this.#o;
    const { clock } = this;
    if (state !== null) this.#giveDescriptors = descriptors.keep(state, log);
    this.id = await ownId(this.#store);
    const store = this.#store, peers = this.#peers;
    const keepMs = this.#o.keepAuditMs ?? KEEP_MS;
    const audit = this.audit = await HubAudit.open({ store, folder: state, clock, log, peers, keepMs });
    this.tokens = await Tokens.open(store, clock);
    this.tokens.onUsed = (identity) => audit.used(identity);
    const ownLabel = () => this.#hosts.ownLabel;
    this.names = await Names.open({ store, peers, clock, log, audit, ownLabel });
    const { streamsPerSession } = limits;
    const parts = {
      hub: this.id,
      names: this.names,
      peers: this.#peers,
      clock,
      log,
      audit,
      streamsPerSession,
    };
    const rest = { hellos: new Weights(), hosts: () => this.#hosts };
    this.sessions = new Sessions({ ...parts, ...rest }, this.tokens, limits.sessions);
    this.#route = new Route(this.names, clock, limits, log);
    this.#metrics = new HubMetrics({
      clock,
      sessions: this.sessions,
      names: this.names,
      peers: this.#peers,
      connections: () => this.#listeners().reduce((sum, { connections }) => sum + connections, 0),
      handed: () => this.#route.handed,
      draining: () => this.draining(),
    });
    this.#api = createApi(this, log);
    await this.#listen(this.#o.listen);
    if (state !== null) await this.#listenLocally(hubSocketPath(state));
    audit.started(this.url);
    this.#refreshedAt = clock.mono();
    this.#tick.set(TICK_MS);
    if (state !== null && !this.tokens.any) {
      const make = `connectd token create --scope admin --state ${state}`;
      log.warn(`there is no token yet: make the first one with \`${make}\``);
    }
  }

  attach(wire: Wire, identity: Identity): void {
    this.sessions.accept(wire, identity, null);
  }

  async rebind(listen: ListenAddress | null): Promise<void> {
    const { hostname, port } = listen ?? DEFAULT_LISTEN;
    // The port is ours: it could not be bound once more.
    if (hostname === this.#address.hostname && port === this.#address.port) return;
    const before = this.#listener!;
    await this.#listen(listen);
    await before.stop();
    this.#left = [...this.#left, before].filter(({ connections }) => connections > 0);
    this.sessions.tellUrls();
  }

  async drain(ms: number): Promise<void> {
    this.#route.draining = true;
    this.sessions.drain();
    if (this.#o.trustedProxies.length > 0) await this.#beLeft();
    await Promise.all(this.#listeners().map((listener) => listener.drain(ms, KEPT_MS)));
  }

  /** Answers say close, /readyz says no, and the front takes its visitors elsewhere. */
  async #beLeft(): Promise<void> {
    for (const listener of this.#listeners()) listener.draining = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.clock.timer(resolve);
    timer.set(FRONT_MS);
    await promise;
    timer.drop();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#tick.drop();
    this.#unwatch();
    for (const listener of this.#listeners()) listener.close();
    this.#local?.close();
    this.sessions?.close();
    for (const peer of this.#peers.all()) peer.close();
    this.audit?.close();
    await this.#store.close();
    this.#giveDescriptors?.();
  }

  /** Listens at `wanted`, then makes everything that hangs on the address. Throws Failure. */
  async #listen(wanted: ListenAddress | null): Promise<void> {
    const listener = this.#makeListener();
    const port = await bind(listener, wanted, this.#o.log);
    const { hostname } = wanted ?? DEFAULT_LISTEN;
    this.#address = { hostname, port };
    this.#hosts = hostsOf(this.#o, this.#address);
    this.#listener = listener;
  }

  #listeners(): readonly Listener[] {
    return this.#listener === null ? this.#left : [...this.#left, this.#listener];
  }

  #makeListener(): Listener {
    const { limits, trustedProxies } = this.#o;
    const cidrs = trustedProxies.map(parseCidr);
    return new Listener({
      limits,
      clock: this.clock,
      trusted: (ip) => {
        const address = parseAddress(ip);
        return address !== null && contains(cidrs, address);
      },
      handler: this.#serve,
      // Daemons, and whoever looks after the hub: what its visitors depend on.
      urgent: ({ host }) => this.#hosts.find(host).kind !== "link",
      refuse: (refused, head, requestId) => {
        this.#metrics.refused(refused);
        return renderRefusal(refused, head, requestId);
      },
      secure: false,
    });
  }

  /** The socket takes no token: whoever may open it, may everything. */
  async #listenLocally(path: string): Promise<void> {
    const listener = new Listener({
      limits: this.#o.limits,
      clock: this.clock,
      trusted: () => false,
      handler: (exchange) => this.#callApi(exchange, true),
      urgent: () => true,
      refuse: renderRefusal,
      secure: false,
    });
    // The store's lock is ours: a socket that is there was left behind.
    await listener.listen({ path });
    this.#local = listener;
    this.socket = path;
  }

  readonly #serve = (exchange: Exchange): void => {
    const { host, target } = exchange.head;
    const place = this.#hosts.find(host);
    if (place.kind === "link") return this.#route.serve(exchange, place.label);
    const query = target.indexOf("?");
    const path = query < 0 ? target : target.slice(0, query);
    if (place.kind === "none" && path !== "/healthz" && path !== "/readyz") return exchange.refuse(UNKNOWN);
    if (path === TUNNEL_PATH) return serveTunnel(exchange, this);
    this.#callApi(exchange, false);
  };

  #callApi(exchange: Exchange, local: boolean): void {
    const { requestId } = exchange;
    fetchAdapter(exchange, (request) => this.#api.fetch(request, { local, requestId }));
  }

  #ticked(): void {
    this.sessions.endExpired();
    this.#metrics.look();
    for (const peer of this.#peers.all()) peer.reportRefused();
    if (this.clock.mono() - this.#refreshedAt >= REFRESH_MS) {
      this.#refreshedAt = this.clock.mono();
      this.names.refresh();
    }
    this.#tick.set(TICK_MS);
  }
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

function hostsOf({ domain, publicUrl }: HubOptions, { hostname, port }: ListenAddress): Hosts {
  const host = publicUrl === null ? "localhost" : new URL(publicUrl).hostname;
  // An address has no names below it.
  const links = domain ?? (parseAddress(host.replace(/^\[|\]$/g, "")) === null ? host : "localhost");
  const origin = new URL(publicUrl ?? `http://${links}:${port}`).origin;
  return new Hosts(links, origin, isLoopback(hostname) || hostname === "localhost");
}

/** The hub's id, kept in its store. */
async function ownId(store: Store): Promise<string> {
  const bucket = store.bucket("hub");
  const entry = await bucket.get("id");
  if (entry !== null) return JSON.parse(entry.value) as string;
  const id = randomText(13);
  await bucket.put("id", JSON.stringify(id));
  return id;
}
