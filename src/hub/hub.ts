/** The hub: store, names, tokens, sessions and listeners, put together and taken apart. */
import { type Clock, systemClock, type Timer } from "../clock.ts";
import { isLoopback, parseAddress } from "../core/address.ts";
import { refusal } from "../core/errors.ts";
import { KEEP_ACCESS_MS, type ServerLimits } from "../core/limits.ts";
import type { Family } from "../core/metrics.ts";
import type { Log } from "../log.ts";
import { fetchAdapter } from "../net/adapter.ts";
import { descriptors } from "../net/descriptors.ts";
import type { Exchange } from "../net/exchange.ts";
import { loop } from "../net/loop.ts";
import { renderRefusal } from "../pages/visitor.ts";
import type { Access } from "../store/access_line.ts";
import { AccessLog } from "../store/access_log.ts";
import { KEEP_MS } from "../store/audit.ts";
import type { Store } from "../store/store.ts";
import type { Wire } from "../wire/wire.ts";
import { AccessDesk } from "./access.ts";
import { createApi } from "./api.ts";
import { HubAudit } from "./audit.ts";
import { Desk } from "./desk.ts";
import { Domains } from "./domains.ts";
import { HubEvents } from "./events.ts";
import { Devices } from "./devices.ts";
import { Failures } from "./failures.ts";
import type { HubFile } from "./file.ts";
import { type Hosts, hostsOf } from "./hosts.ts";
import { linkJson } from "./json.ts";
import { type ListenAddress, Listeners } from "./listeners.ts";
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
  /** How long lines of the access log in `state` are kept; absent: 30 days; null: none is written. */
  readonly keepAccessMs?: number | null;
  /** Called with each request that the hub refuses for a link itself; `link` is the name that its daemon gives it. */
  readonly refused?: (request: Access) => void;
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
  /** Null: within a daemon, which has its own. */
  #access: AccessLog | null = null;
  #hosts!: Hosts;
  #route!: Route;
  readonly #listeners: Listeners;
  #api!: ReturnType<typeof createApi>;
  #metrics!: HubMetrics;
  readonly #unwatch = loop.watch();
  readonly #peers: Peers;
  readonly #o: HubOptions;
  readonly #store: Store;
  readonly #tick: Timer;
  #refreshedAt = 0;
  devices!: Devices;
  readonly failures: Failures;
  /** Within a daemon it is the daemon that keeps some. */
  readonly events = new HubEvents((link) => linkJson(link, this));
  desk!: Desk;
  #giveDescriptors: (() => void) | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: HubOptions) {
    this.#o = options;
    this.clock = options.clock ?? systemClock;
    this.startedAt = this.clock.now();
    this.folder = options.state;
    this.file = options.file ?? null;
    this.store = options.store;
    this.failures = new Failures(this.clock);
    this.#peers = new Peers(this.clock);
    this.#listeners = new Listeners({
      clock: this.clock,
      log: options.log,
      limits: options.limits,
      trustedProxies: options.trustedProxies,
      serve: this.#serve,
      serveLocally: (exchange) => this.#callApi(exchange, true),
      // Daemons, and whoever looks after the hub: what its visitors depend on.
      urgent: ({ host }) => this.#hosts.find(host).kind !== "link",
      refuse: (refused, head, requestId) => {
        this.#metrics.refused(refused);
        return renderRefusal(refused, head, requestId);
      },
      bound: (address) => {
        this.#hosts = hostsOf(options, address);
      },
    });
    this.#tick = this.clock.timer(() => this.#ticked());
  }

  get url(): string {
    return this.#hosts.publicUrl;
  }

  get domain(): string {
    return this.#hosts.domain;
  }

  get address(): ListenAddress {
    return this.#listeners.address;
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
    const { events } = this;
    const domains = this.domains = await Domains.open({
      ...{ store, clock, log, prover: this.#o.prover ?? systemProver },
      hosts: () => this.#hosts,
      told: (link) => tellGrant(link, this.#hosts, this.domains),
    });
    this.names = await Names.open({ store, peers, clock, log, audit, events, ownLabel, domains });
    const desk = this.desk = await Desk.open({ store, clock, audit, events, peers });
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
    if (state !== null) {
      const { keepAccessMs: keepMs = KEEP_ACCESS_MS } = this.#o;
      this.#access = new AccessLog({ folder: state, name: "hub-access", clock, log, keepMs });
    }
    const access = new AccessDesk(this.#access, this.#o.refused ?? null, clock);
    this.#route = new Route(this.names, clock, limits, log, access);
    this.#metrics = new HubMetrics({
      clock,
      sessions: this.sessions,
      names: this.names,
    this.devices = new Devices(clock, this.tokens);
      peers: this.#peers,
      connections: () => this.#listeners.connections,
      handed: () => this.#route.handed,
      draining: () => this.draining(),
    });
    this.#api = createApi(this, log);
    await this.#listeners.listen(this.#o.listen);
    if (state !== null) await this.#listeners.listenLocally(this.socket = hubSocketPath(state));
    audit.started(this.url);
      events,
      desk,
    this.#refreshedAt = clock.mono();
    this.#tick.set(TICK_MS);
    if (state !== null && !this.tokens.any) {
      const make = `connectd token create --scope admin --state ${state}`;
    this.sessions.members.follow(desk.shares);
      log.warn(`there is no token yet: make the first one with \`${make}\``);
    }
  }

  attach(wire: Wire, identity: Identity): void {
    this.sessions.accept(wire, identity, null);
  }

  async rebind(listen: ListenAddress | null): Promise<void> {
    if (await this.#listeners.rebind(listen)) this.sessions.tellUrls();
  }

  async drain(ms: number): Promise<void> {
    this.#route.draining = true;
    this.sessions.drain();
    await this.#listeners.drain(ms);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#tick.drop();
    this.#unwatch();
    this.#listeners.close();
    this.sessions?.close();
    for (const peer of this.#peers.all()) peer.close();
    this.names?.close();
    this.audit?.close();
    await this.#access?.close();
    await this.#store.close();
    this.#giveDescriptors?.();
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
    const { requestId, address } = exchange;
    fetchAdapter(exchange, (request) => this.#api.fetch(request, { local, requestId, address }));
  }

  #ticked(): void {
    this.sessions.endExpired();
    this.#metrics.look();
    this.names.retry();
    for (const peer of this.#peers.all()) peer.reportRefused();
    if (this.clock.mono() - this.#refreshedAt >= REFRESH_MS) {
      this.#refreshedAt = this.clock.mono();
      this.names.refresh();
    }
    this.#tick.set(TICK_MS);
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
    this.desk?.close();
    this.desk.ticked();
