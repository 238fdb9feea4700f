/** The hub: store, names, tokens, sessions and listeners, put together and taken apart. */
import type { SettingChange } from "../core/settings.ts";
import { type Clock, systemClock, type Timer } from "../clock.ts";
import { Failure } from "../core/errors.ts";
import { KEEP_ACCESS_MS } from "../core/limits.ts";
import type { Family } from "../core/metrics.ts";
import { descriptors } from "../net/descriptors.ts";
import { loop } from "../net/loop.ts";
import { renderRefusal } from "../pages/visitor.ts";
import { AccessLog } from "../store/access_log.ts";
import { KEEP_MS } from "../store/audit.ts";
import type { Store } from "../store/store.ts";
import type { Wire } from "../wire/wire.ts";
import { AccessDesk } from "./access.ts";
import { tellGrant } from "./connection.ts";
import { HubAudit } from "./audit.ts";
import { Browsers } from "./browsers.ts";
import { useTls } from "./certificate.ts";
import { Desk } from "./desk.ts";
import { Domains } from "./domains.ts";
import { HubEvents } from "./events.ts";
import { Devices } from "./devices.ts";
import { Door } from "./door.ts";
import { Failures } from "./failures.ts";
import type { HubFile } from "./file.ts";
import { type Hosts, hostsOf } from "./hosts.ts";
import { linkJson } from "./json.ts";
import type { ListenAddress } from "../config/places.ts";
import { Listeners } from "./listeners.ts";
import { HubMetrics } from "./metrics.ts";
import { Names } from "./names.ts";
import type { Hub, HubOptions } from "./options.ts";
import { Peers } from "./peers.ts";
import { proverBy } from "./prover.ts";
import { hubSocketPath } from "./place.ts";
import { Quotas } from "./quotas.ts";
import { randomText } from "./random.ts";
import { Route } from "./route.ts";
import { Sessions } from "./sessions.ts";
import { changesOf, checkChanges, type HubSettings, Unchangeable } from "./settings.ts";
import type { HubState } from "./state.ts";
import { type Identity, Tokens } from "./tokens.ts";
import { Traffic } from "./traffic.ts";
import { Weights } from "./weights.ts";

export type { Hub, HubOptions } from "./options.ts";

/** Refusals are reported, and expired tokens noticed, so often. */
const TICK_MS = 900;
/** Records of links and tokens are looked through so often. */
const REFRESH_MS = 3_600_000;

/** Settings that stand in the URLs of links. */
const URLS: readonly string[] = ["listen", "domain", "public_url"];

const MOVE = "name another address, or end what listens there";

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
  readonly startedAt: number;
  readonly folder: string | null;
  readonly file: HubFile | null;
  readonly store: Store;
  id = "";
  audit!: HubAudit;
  names!: Names;
  tokens!: Tokens;
  browsers!: Browsers;
  devices!: Devices;
  readonly failures: Failures;
  sessions!: Sessions;
  domains!: Domains;
  readonly events = new HubEvents((link) => linkJson(link, this));
  traffic!: Traffic;
  desk!: Desk;
  socket: string | null = null;
  /** Null: within a daemon, which has its own. */
  #access: AccessLog | null = null;
  #hosts!: Hosts;
  #route!: Route;
  readonly #listeners: Listeners;
  #door!: Door;
  #metrics!: HubMetrics;
  readonly #unwatch = loop.watch();
  readonly #peers: Peers;
  readonly #o: HubOptions;
  #settings: HubSettings;
  readonly #tick: Timer;
  #refreshedAt = 0;
  /** Within a daemon it is the daemon that keeps some. */
  #giveDescriptors: (() => void) | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: HubOptions) {
    this.#o = this.#settings = options;
    this.clock = options.clock ?? systemClock;
    this.startedAt = this.clock.now();
    this.folder = options.state;
    this.file = options.file ?? null;
    this.store = options.store;
    this.failures = new Failures(this.clock);
    this.#peers = new Peers(this.clock, new Quotas(options.workspaces));
    this.#listeners = new Listeners({
      clock: this.clock,
      log: options.log,
      limits: options.limits,
      trustedProxies: options.trustedProxies,
      certificate: options.certificate ?? null,
      proxyProtocol: options.proxyProtocol ?? false,
      serve: (exchange) => this.#door.serve(exchange),
      serveLocally: (exchange) => this.#door.callApi(exchange, true),
      urgent: (head) => this.#door.isUrgent(head),
      refuse: (refused, head, requestId) => {
        this.#metrics.refused(refused);
        return renderRefusal(refused, head, requestId);
      },
      bound: (address) => {
        this.#hosts = hostsOf(this.#settings, address);
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

  get quotas(): Quotas {
    return this.#peers.quotas;
  }

  get address(): ListenAddress {
    return this.#listeners.address;
  }

  get accessLog(): AccessLog | null {
    return this.#access;
  }

  hosts(): Hosts {
    return this.#hosts;
  }

  isNear(address: string): boolean {
    return this.#listeners.isNear(address);
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
    this.id = await ownId(this.store);
    const store = this.store, peers = this.#peers;
    const keepMs = this.#o.keepAuditMs ?? KEEP_MS;
    const audit = this.audit = await HubAudit.open({ store, folder: state, clock, log, peers, keepMs });
    this.tokens = await Tokens.open(store, clock);
    this.browsers = await Browsers.open(store, clock, this.tokens);
    this.devices = new Devices(clock, this.tokens);
    this.tokens.onUsed = (identity) => audit.used(identity);
    const ownLabel = () => this.#hosts.ownLabel;
    const { events } = this;
    const home = () => new URL(this.url).hostname;
    const domains = this.domains = await Domains.open({
      ...{ store, clock, log, audit, prover: this.#o.prover ?? proverBy({ home }) },
      hosts: () => this.#hosts,
      told: (link) => tellGrant(link, this.#hosts, this.domains),
    });
    this.names = await Names.open({ store, peers, clock, log, audit, events, ownLabel, domains });
    this.traffic = new Traffic(clock, () => this.names.all());
    const desk = this.desk = await Desk.open({ store, clock, audit, events, peers, tokens: this.tokens });
    const { streamsPerSession } = limits;
    const parts = {
      hub: this.id,
      names: this.names,
      peers: this.#peers,
      clock,
      log,
      audit,
      events,
      desk,
      streamsPerSession,
    };
    const rest = { hellos: new Weights(), hosts: () => this.#hosts, domains };
    this.sessions = new Sessions({ ...parts, ...rest }, this.tokens, limits.sessions);
    this.sessions.members.follow(desk.shares);
    if (state !== null) {
      const { keepAccessMs: keepMs = KEEP_ACCESS_MS } = this.#o;
      this.#access = new AccessLog({ folder: state, name: "hub-access", clock, log, keepMs });
    }
    const access = new AccessDesk(this.#access, this.#o.refused ?? null, clock, events);
    this.#route = new Route(this.names, clock, limits, log, access);
    this.#metrics = new HubMetrics({
      clock,
      sessions: this.sessions,
      names: this.names,
      peers: this.#peers,
      connections: () => this.#listeners.connections,
      handed: () => this.#route.handed,
      draining: () => this.draining(),
    });
    this.#door = new Door(this, this.#route, log);
    await this.#listeners.listen(this.#o.listen);
    if (state !== null) await this.#listeners.listenLocally(this.socket = hubSocketPath(state));
    audit.started(this.url);
    await this.file?.follow((settings) => this.change(settings));
    this.#refreshedAt = clock.mono() - REFRESH_MS;
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
    if (await this.#listeners.rebind(listen)) this.sessions.tellUrls();
    this.#settings = { ...this.#settings, listen };
  }

  async change(settings: HubSettings): Promise<readonly SettingChange[]> {
    const before = this.#settings, changes = changesOf(before, settings);
    checkChanges(changes, this.names.running);
    if (changes.some(({ key }) => key === "tls")) {
      await useTls(this.#o.certificate ?? null, settings.tls ?? null);
    }
    this.#settings = settings;
    if (changes.some(({ key }) => key === "listen")) {
      try {
        // All else can not fail.
        await this.#listeners.rebind(settings.listen);
      } catch (error) {
        this.#settings = before;
        if (before.tls) await this.#o.certificate?.use(before.tls).catch(() => {});
        throw error instanceof Failure ? new Unchangeable("listen", error.message, MOVE, error) : error;
      }
    }
    this.#tune(settings);
    if (changes.some(({ key }) => URLS.includes(key))) this.sessions.tellUrls();
    if (changes.length > 0) this.audit.reloaded(changes);
    return changes;
  }

  #tune(settings: HubSettings): void {
    const { limits, trustedProxies, keepAuditMs, keepAccessMs = KEEP_ACCESS_MS } = settings;
    this.#hosts = hostsOf(settings, this.address);
    this.#listeners.tune(limits, trustedProxies);
    this.#route.limits = limits;
    this.sessions.tune(limits);
    this.#peers.quotas.tune(settings.workspaces);
    this.audit.keep(keepAuditMs ?? KEEP_MS);
    this.#access?.keep(keepAccessMs);
  }

  async drain(ms: number): Promise<void> {
    this.#route.draining = true;
    // A reload that is under way may make another listener, which is drained too.
    await this.file?.close();
    this.sessions.drain();
    await this.#listeners.drain(ms);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // What it has begun ends first: it may make a listener.
    await this.file?.close();
    this.#tick.drop();
    this.#unwatch();
    this.#listeners.close();
    this.desk?.close();
    this.sessions?.close();
    for (const peer of this.#peers.all()) peer.close();
    this.names?.close();
    this.domains?.close();
    this.audit?.close();
    await this.#access?.close();
    await this.store.close();
    this.#o.certificate?.close();
    this.#giveDescriptors?.();
  }

  #ticked(): void {
    this.sessions.endExpired();
    this.desk.ticked();
    this.browsers.settle();
    this.traffic.look();
    this.#metrics.look();
    this.names.retry();
    for (const peer of this.#peers.all()) peer.reportRefused();
    if (this.clock.mono() - this.#refreshedAt >= REFRESH_MS) {
      this.#refreshedAt = this.clock.mono();
      this.names.refresh();
      this.tokens.tidy();
    }
    this.#tick.set(TICK_MS);
  }
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
