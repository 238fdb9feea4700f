/** All hubs that the daemon dials: those of the file, those that these name, or the one inside the process. */
import type { Clock } from "../clock.ts";
import { type Watch, watchFile } from "../config/watch.ts";
import type { HubAddress } from "../core/entry.ts";
import type { Control } from "../wire/hello.ts";
import type { Session } from "../wire/session.ts";
import type { Wire } from "../wire/wire.ts";
import { connectHub } from "./connect.ts";
import { Dialler, type Talk } from "./dial.ts";
import type { Observer } from "./follow.ts";
import { chooseHubs } from "./other_hubs.ts";
import type { Reached } from "./reached.ts";
import { Serving } from "./serve.ts";
import type { Links } from "./served.ts";
import type { HubStatus } from "./hub_status.ts";
import type { Troubles } from "./troubles.ts";

/** The sessions with one hub. */
export interface HubSessions {
  readonly url: string;
  readonly sessions: readonly Session[];
  /** How many were welcomed, and how many attempts came to nothing, since it was named. */
  readonly begun: number;
  readonly failed: number;
}

/** The key of the hub inside this process: its URL changes when it listens elsewhere. */
export const EMBEDDED = "embedded";

export interface HubsOptions {
  readonly clock: Clock;
  readonly links: Links;
  readonly talk: Talk;
  readonly observer: Observer | null;
  readonly troubles: Troubles;
  readonly reached: Reached;
  /** The daemon's id. */
  readonly daemon: string;
  /** Where the token for a hub lies that names no file of its own. */
  readonly tokenFile: string;
  random(): number;
}

/** One hub that is dialled, and what it was dialled with. */
interface Dialled {
  readonly dialler: Dialler;
  /** Null: it is the one inside this process. */
  address: HubAddress | null;
  readonly embedded: { readonly url: string } | null;
  watch: Watch | null;
}

export class Hubs {
  readonly #options: HubsOptions;
  readonly #dialled = new Map<string, Dialled>();
  /** Hubs of the file; others are dialled only because one of these named them. */
  #own: readonly HubAddress[] = [];
  #connections = 1;
  /** Hub of the file → what its last welcome named. */
  readonly #named = new Map<string, readonly string[]>();
  #ignored: HubStatus[] = [];

  constructor(options: HubsOptions) {
    this.#options = options;
  }

  /** Dials these hubs from now on, with so many connections each, and no others; sessions with the rest end when done. */
  apply(hubs: readonly HubAddress[], connections: number): void {
    this.#own = hubs;
    this.#connections = connections;
    for (const url of this.#named.keys()) if (!hubs.some((hub) => hub.url === url)) this.#named.delete(url);
    this.#dialAll();
  }

  /** Joins the hub inside this process: one session over the wire that it gives, a new one when that ends. */
  embed(hub: { readonly url: string; attach(): Wire }): void {
    if (this.#dialled.has(EMBEDDED)) return;
    const dialler = this.#dialler(EMBEDDED, 1, () => Promise.resolve(hub.attach()));
    this.#dialled.set(EMBEDDED, { dialler, address: null, embedded: hub, watch: null });
  }

  /** Leaves the hub inside this process. */
  leave(): void {
    if (this.#dialled.has(EMBEDDED)) this.#drop(EMBEDDED, LEAVE_MS);
  }

  /** What the welcome of `hub` named as its fellows; taken from hubs of the file only, so that none passes others on. */
  learn(hub: string, urls: readonly string[]): void {
    if (!this.#own.some(({ url }) => url === hub)) return;
    this.#named.set(hub, urls);
    this.#dialAll();
  }

  /** Tells `hub` something by a session that is up. False: there is none, and the next hello will say it all. */
  send(hub: string, message: Control): boolean {
    return this.#dialled.get(hub)?.dialler.send(message) ?? false;
  }

  status(): HubStatus[] {
    const dialled = [...this.#dialled].map(([key, { dialler, embedded }]): HubStatus => {
      const { state, since, connections, rttMs, lastError } = dialler;
      return { key, url: embedded?.url ?? key, state, since, connections, rttMs, lastError };
    });
    return [...dialled, ...this.#ignored];
  }

  /** Those with each hub that is dialled. */
  sessions(): HubSessions[] {
    return [...this.#dialled].map(([key, { dialler, embedded }]) => ({
      url: embedded?.url ?? key,
      sessions: dialler.sessions(),
      ...dialler.counted,
    }));
  }

  /** No new streams; resolves when those that are open have ended, or after `ms`. */
  async drain(ms: number): Promise<void> {
    await Promise.all([...this.#dialled.values()].map(({ dialler }) => dialler.drain(ms)));
  }

  close(): void {
    for (const [url] of this.#dialled) this.#drop(url, 0);
    this.#options.reached.close();
    this.#options.troubles.close();
  }

  #dialAll(): void {
    const { daemon, clock } = this.#options;
    const wanted = new Map(this.#own.map((hub) => [hub.url, hub]));
    const { chosen, ignored } = chooseHubs(this.#own, this.#named, daemon);
    for (const hub of chosen) wanted.set(hub.url, hub);
    this.#ignored = ignored.map(({ url, reason }) => ({
      key: url,
      url,
      state: "ignored",
      since: clock.now(),
      connections: 0,
      rttMs: null,
      lastError: reason,
    }));
    for (const [url, { address }] of this.#dialled) {
      if (address !== null && !wanted.has(url)) this.#drop(url, LEAVE_MS);
    }
    for (const hub of wanted.values()) this.#dial(hub);
  }

  #dial(hub: HubAddress): void {
    const before = this.#dialled.get(hub.url);
    if (before === undefined) {
      const dialler = this.#dialler(hub.url, this.#connections, (limitMs) => this.#connect(hub.url, limitMs));
      this.#dialled.set(hub.url, { dialler, address: hub, embedded: null, watch: this.#watch(hub, dialler) });
      return;
    }
    const { dialler, address, watch } = before;
    before.address = hub;
    dialler.resize(this.#connections);
    if (JSON.stringify(address) === JSON.stringify(hub)) return;
    watch?.close();
    before.watch = this.#watch(hub, dialler);
    dialler.redial();
  }

  #dialler(hub: string, connections: number, connect: (limitMs: number) => Promise<Wire>): Dialler {
    const { links, clock, observer, talk, random, troubles, reached } = this.#options;
    const serving = new Serving(hub, { links, clock, observer, troubles, reached });
    return new Dialler({ hub, connections, connect, serving, talk, clock, random });
  }

  #connect(url: string, limitMs: number): Promise<Wire> {
    const hub = this.#dialled.get(url)?.address ?? this.#own.find((own) => own.url === url)!;
    return connectHub(hub, hub.tokenFile ?? this.#options.tokenFile, this.#options.clock, limitMs);
  }

  /** A token that was written or exchanged counts at once: it ends a refusal. */
  #watch(hub: HubAddress, dialler: Dialler): Watch {
    const { clock, tokenFile } = this.#options;
    return watchFile(hub.tokenFile ?? tokenFile, { clock }, () => dialler.redial());
  }

  #drop(url: string, drainMs: number): void {
    const { dialler, watch } = this.#dialled.get(url)!;
    this.#dialled.delete(url);
    watch?.close();
    if (drainMs === 0) dialler.close();
    else void dialler.drain(drainMs).then(() => dialler.close());
    this.#options.talk.changed(url);
  }
}

/** A hub that the file names no more: its links move, and what is in flight has this long to finish. */
const LEAVE_MS = 30_000;
