/** The hubs of a daemon: who is dialled, what they are told, and what their words do. */
import type { Clock } from "../clock.ts";
import type { Code } from "../core/errors.ts";
import type { Service } from "../core/entry.ts";
import type { Log } from "../log.ts";
import { isRemote } from "./asked_links.ts";
import type { Ask, AskProblem, Grant, Revocation, ServiceDecl } from "../wire/hello.ts";
import type { Arrivals } from "./arrivals.ts";
import type { DaemonAudit } from "./audit.ts";
import type { Events } from "./events.ts";
import type { Observer } from "./follow.ts";
import { EMBEDDED, Hubs } from "./hubs.ts";
import type { HubStatus } from "./hub_status.ts";
import type { Life } from "./life.ts";
import type { ManagedLink } from "./managed.ts";
import { Reached } from "./reached.ts";
import type { Registry } from "./registry.ts";
import { isServed } from "./served.ts";
import { type HubJson, hubJson } from "./status.ts";
import { HubTalk, type TalkMeans } from "./talk.ts";
import { Troubles } from "./troubles.ts";

/** Each takes up to 150 octets of a hello, which is 1 MiB at most and has policies to tell as well. */
const SERVICES_MAX = 4000;

export interface HubLineOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The daemon's id, and that of this process. */
  readonly daemon: string;
  readonly instance: string;
  readonly registry: Registry;
  readonly observer: Observer;
  readonly tokenFile: string;
  readonly events: Events;
  readonly arrivals: Arrivals;
  readonly audit: DaemonAudit;
  /** Made after this, which tells its links to the hubs. */
  life(): Life;
  /** The file's services. */
  services(): ReadonlyMap<string, Service>;
  /** Whether hubs may revoke. */
  mayRevoke(): boolean;
  /** Whether hubs may ask for links on services that are marked for it. */
  mayManage(): boolean;
  /** As TalkMeans has it. */
  asked(hub: string, ask: Ask): Promise<AskProblem | null>;
}

export class HubLine implements TalkMeans {
  readonly hubs: Hubs;
  readonly talk: HubTalk;
  readonly reached: Reached;
  readonly daemon: string;
  readonly instance: string;
  readonly #o: HubLineOptions;
  /** What was said of each hub last. */
  readonly #said = new Map<string, { readonly word: string; readonly json: HubJson }>();

  constructor(options: HubLineOptions) {
    this.#o = options;
    this.daemon = options.daemon;
    this.instance = options.instance;
    this.talk = new HubTalk(this);
    const { clock, log, audit } = options;
    this.reached = new Reached({ clock, log, audit, services: () => options.services() });
    this.hubs = new Hubs({
      clock: options.clock,
      links: options.registry,
      talk: this.talk,
      observer: options.observer,
      reached: this.reached,
      troubles: new Troubles(options.log, options.clock),
      daemon: options.daemon,
      tokenFile: options.tokenFile,
      random: Math.random,
    });
  }

  /** Resolves when every hub that is there has said what it thinks of every link, or after `ms`. */
  async settle(ms: number): Promise<void> {
    await this.#o.arrivals.until(() => this.hubs.status().every((hub) => this.#knows(hub)), ms);
  }

  /** Resolves when a hub has said what it thinks of `link` as it is now, or after `ms`; at once where there is none. */
  async settleLink(link: ManagedLink, ms: number): Promise<void> {
    const heard = () => {
      const there = this.hubs.status().filter(({ connections }) => connections > 0);
      return there.length === 0 ||
        there.some(({ key }) => link.grants.has(key) && this.talk.knows(key, link));
    };
    await this.#o.arrivals.until(heard, ms);
  }

  // For the talk.

  links(): Iterable<ManagedLink> {
    return this.#o.life().all.values();
  }

  find(name: string): ManagedLink | undefined {
    return this.#o.life().all.get(name);
  }

  now(): number {
    return this.#o.clock.now();
  }

  /** Resolves when `hub` has said what it thinks of `link`, or after `ms`. */
  async settleAt(hub: string, { grants }: ManagedLink, ms: number): Promise<void> {
    await this.#o.arrivals.until(() => grants.has(hub), ms);
  }

  asked(hub: string, ask: Ask): Promise<AskProblem | null> {
    return this.#o.asked(hub, ask);
  }

  /** The file's services, and the targets of one-offs under the links' names; as many as a message has room for. */
  services(): ServiceDecl[] {
    const services = new Map<string, ServiceDecl>();
    for (const { served: { name, entry } } of this.links()) {
      if (entry.source !== "file" && entry.service === null) {
        services.set(name, { name, kind: "http", access: "public", remote: false, port: null });
      }
    }
    const manage = this.#o.mayManage();
    for (const service of this.#o.services().values()) {
      const { name, target, access } = service;
      const kind = target.kind === "tcp" ? "tcp" : "http";
      services.delete(name);
      const port = access === "private" && "port" in target ? target.port : null;
      services.set(name, { name, kind, access, remote: manage && isRemote(service), port });
    }
    // The file's come last.
    return [...services.values()].slice(-SERVICES_MAX);
  }

  /** There are other services: hubs hear of it, and connections to what is no more are cut. */
  servicesChanged(): void {
    this.talk.declareServices();
    this.reached.refresh();
  }

  granted(hub: string, link: ManagedLink, grant: Grant): void {
    this.#o.life().granted(hub, link, grant);
  }

  settled(): void {
    this.#o.life().settled();
    this.#o.arrivals.look();
  }

  async revoked(link: ManagedLink, { at, activatedAt }: Revocation, hub: string): Promise<void> {
    const revoke = () => this.#o.life().revoke(link, at, activatedAt);
    if (this.#o.mayRevoke()) await this.#o.audit.by(`hub:${hub}`, revoke);
    else this.#o.log.warn("a hub revoked a link, and the file says `remote: none`", { link: link.name });
  }

  refused(hub: string, id: string, code: Code, n: number): void {
    const found = this.#o.registry.byId(hub, id);
    if (found !== null && isServed(found)) found.deny(code, n);
  }

  changed(key: string): void {
    const hub = this.hubs.status().find((one) => one.key === key);
    const { log, events, arrivals } = this.#o;
    const before = this.#said.get(key);
    if (hub === undefined) {
      this.#said.delete(key);
      if (before?.word === "up") events.emit("session.down", { ...before.json, connections: 0 });
      return;
    }
    const { url, state, connections, lastError } = hub;
    const up = connections > 0;
    const word = up ? "up" : lastError ?? state;
    if (word === before?.word) return;
    const json = hubJson(hub);
    this.#said.set(key, { word, json });
    if (up !== (before?.word === "up")) events.emit(up ? "session.up" : "session.down", json);
    if (state === "refused" && lastError !== null) this.#o.audit.hubRefused(url, lastError);
    if (key !== EMBEDDED) {
      if (up) log.info(`connected to ${url}`);
      else if (lastError !== null) log.warn(`no session: ${lastError}`, { hub: url, state });
    }
    arrivals.look();
  }

  #knows({ key, state, connections, lastError }: HubStatus): boolean {
    if (connections === 0) return state !== "connecting" || lastError !== null;
    return this.#o.life().all.values().every(({ grants }) => grants.has(key));
  }
}
