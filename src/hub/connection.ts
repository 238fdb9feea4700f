/** One connection of a daemon: hello, welcome, and the changes that come after. */
import type { Clock, Timer } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Control, Grant, Hello, LinkDecl, Links, Revocation, Services } from "../wire/hello.ts";
import type { CloseReason, Session, SessionHandler } from "../wire/session.ts";
import type { Stream, StreamSink } from "../wire/stream.ts";
import type { HubAudit } from "./audit.ts";
import type { Desk } from "./desk.ts";
import type { HubEvents } from "./events.ts";
import type { Domains } from "./domains.ts";
import type { Hosts } from "./hosts.ts";
import type { HubLink } from "./link.ts";
import type { NotGranted } from "./ids.ts";
import type { Granted, Names } from "./names.ts";
import type { Peer, Way } from "./peer.ts";
import type { Peers } from "./peers.ts";
import { sessionJson } from "./json.ts";
import { randomText } from "./random.ts";
import type { Identity } from "./tokens.ts";
import type { Weights } from "./weights.ts";

/** What a connection needs of its hub. */
export interface Parts {
  /** The hub's id. */
  readonly hub: string;
  readonly names: Names;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: HubAudit;
  readonly events: HubEvents;
  readonly desk: Desk;
  /** As it is when a daemon says hello. */
  streamsPerSession: number;
  /** Of policies in hellos that are not complete. */
  readonly hellos: Weights;
  readonly domains: Domains;
  hosts(): Hosts;
}

const VERSION = 1;

/** Whoever dialled and says nothing is cut. */
const HELLO_MS = 10_000;

/** What is granted at most (names.ts), and those that will be refused; they are all in memory until the last one came. */
const MOST_DECLARED = 20_000;

/** A message is at most 1 MiB, an answer some 200 bytes of it. */
const ANSWERS_PER_MESSAGE = 2000;

/** The hub's end of one session. */
export class DaemonConnection implements SessionHandler, Way {
  readonly id = randomText(10);
  readonly since: number;
  session!: Session;
  hello: Hello | null = null;
  peer: Peer | null = null;
  /** Links of a hello that is not complete yet, and what their policies weigh. */
  #declared: LinkDecl[] = [];
  #weight = 0;
  /** The revision of a change whose other messages are still to come. */
  #unfinished: number | null = null;
  /** Welcomes and grants go out in the order in which they were asked for, each when it is durable. */
  #answers: Promise<void> = Promise.resolve();
  #over = false;
  /** It was welcomed. */
  #opened = false;
  readonly #parts: Parts;
  readonly #deadline: Timer;

  constructor(
    parts: Parts,
    readonly identity: Identity,
    /** Where it was dialled from; null: within the process. */
    readonly address: string | null,
    private readonly ended: (connection: DaemonConnection) => void,
  ) {
    this.#parts = parts;
    this.since = parts.clock.now();
    this.#deadline = parts.clock.timer(() => this.session.close("hello_timeout", "no hello came in time"));
    this.#deadline.set(HELLO_MS);
  }

  /** Tells the daemon why, and ends the session. */
  bye(reason: "replaced" | "draining" | "revoked_token", message: string): void {
    if (this.#over) return;
    this.session.control({ type: "bye", reason, message });
    this.session.close(reason, message);
  }

  /** Tells the URLs of all links anew. */
  tellUrls(): void {
    const { peer } = this;
    if (peer === null || !peer.ways.includes(this)) return;
    const links = [...peer.links.values()].filter(({ record }) => record.declared)
      .map((link) => this.#granted(link.record.name, link));
    this.#tellGranted(peer.revision, links);
  }

  // What the session tells.

  /** Never called: a hub admits no stream from a daemon. */
  open(stream: Stream): StreamSink {
    stream.reset("not_allowed");
    return { head() {}, data() {}, end() {}, reset() {}, writable() {} };
  }

  control(message: Control): void {
    if (message.type === "hello") return this.#begin(message);
    if (message.type === "links") return this.#change(message);
    if (message.type === "services") return this.#serve(message);
    if (message.type === "reply" && this.peer !== null) this.#parts.desk.asks.answered(this.peer, message);
    if (message.type === "bye") this.draining();
  }

  draining(): void {
    if (this.peer?.leave(this.session)) this.#parts.names.touch(this.peer);
  }

  closed({ code, message }: CloseReason): void {
    this.#over = true;
    this.#undeclare();
    this.#deadline.drop();
    const { peer } = this;
    if (peer !== null) {
      this.draining();
      this.#parts.peers.prune(peer);
    }
    this.#parts.log.info("session closed", { ...this.#facts(), code, reason: message });
    if (this.#opened) this.#tell("session.ended", { code, reason: message });
    this.ended(this);
  }

  #begin(hello: Hello): void {
    if (this.hello !== null) return this.session.close("protocol_error", "a second hello");
    if (hello.version !== VERSION) {
      return this.session.close(
        "bad_version",
        `this hub speaks version ${VERSION}, the daemon ${hello.version}`,
      );
    }
    this.hello = hello;
    if (this.#declare(hello.links) && !hello.more) this.#join(hello);
  }

  #change(message: Links): void {
    if (this.hello === null) return this.session.close("protocol_error", "links before hello");
    if (this.peer !== null) return this.#apply(this.peer, message);
    if (this.#declare(message.set) && !message.more) this.#join(this.hello);
  }

  /** As of links: what another connection of the instance told already is known. */
  #serve({ revision, services }: Services): void {
    const { peer } = this;
    if (peer === null) return this.session.close("protocol_error", "services before all of the hello");
    if (revision <= peer.revision || peer.instance !== this.hello!.instance) return;
    peer.revision = revision;
    this.#parts.desk.services.declare(peer, services);
  }

  /** Keeps links of the hello until it is complete; false: they are too many, and the session is closed. */
  #declare(links: readonly LinkDecl[]): boolean {
    const { workspace } = this.identity, { hellos } = this.#parts;
    const weight = links.reduce((sum, { policy }) => sum + JSON.stringify(policy).length, 0);
    if (this.#declared.length + links.length > MOST_DECLARED || !hellos.has(workspace, weight)) {
      this.session.close("protocol_error", "a hello of too many links, or of too large ones");
      return false;
    }
    this.#weight += weight;
    hellos.add(workspace, weight);
    this.#declared = this.#declared.concat(links);
    return true;
  }

  /** Links of the hello are granted, or the session is over. */
  #undeclare(): LinkDecl[] {
    const declared = this.#declared;
    this.#parts.hellos.add(this.identity.workspace, -this.#weight);
    this.#declared = [];
    this.#weight = 0;
    return declared;
  }

  /** The hello is complete. The same instance joins; a new one takes the place of the old at once. */
  #join(hello: Hello): void {
    this.#deadline.clear();
    const peer = this.#parts.peers.of(this.identity.workspace, hello.daemon);
    this.peer = peer;
    peer.token = this.identity.name;
    if (peer.instance !== hello.instance) {
      for (const way of [...peer.ways]) way.replace();
      peer.instance = hello.instance;
      peer.revision = -1;
    }
    const fresh = hello.revision > peer.revision;
    const declared = this.#undeclare();
    if (fresh) {
      peer.revision = hello.revision;
      this.#parts.desk.services.declare(peer, hello.services);
      this.#endMissing(peer, declared);
    }
    this.#afterGrants(peer, declared, fresh, (links) => {
      const first = links.slice(0, ANSWERS_PER_MESSAGE), rest = links.slice(ANSWERS_PER_MESSAGE);
      this.session.control({
        type: "welcome",
        version: VERSION,
        hub: this.#parts.hub,
        limits: { streams: this.#parts.streamsPerSession },
        links: first,
        revoked: pendingRevocations(peer),
        hubs: [],
        revision: hello.revision,
      });
      this.#tellGranted(hello.revision, rest);
      peer.join(this);
      this.#parts.peers.came(peer);
      this.#opened = true;
      this.#parts.log.info("session opened", { ...this.#facts(), links: links.length });
      this.#tell("session.opened", { links: links.length });
    });
  }

  /** A change that another connection of the instance told already is only answered. */
  #apply(peer: Peer, { revision, set, remove, more }: Links): void {
    peer.token = this.identity.name;
    const fresh = revision > peer.revision || revision === this.#unfinished;
    this.#unfinished = fresh && more ? revision : null;
    if (fresh) {
      peer.revision = revision;
      for (const { name, id, reason } of remove) {
        const link = peer.links.get(name);
        if (link !== undefined && (id === null || link.id === id)) {
          this.#parts.names.end(link, `link_${reason}`);
        }
      }
    }
    this.#afterGrants(peer, set, fresh, (links) => {
      if (links.length === 0) this.session.control({ type: "granted", revision, links });
      this.#tellGranted(revision, links);
      // It was told by another id, or while it had no such link.
      for (const { name, state } of set) {
        const link = peer.links.get(name);
        if (state === "revoked" || !link?.record.revokePending) continue;
        this.session.control({ type: "revoke", ...revocationOf(link) });
      }
    });
  }

  #tellGranted(revision: number, links: readonly Grant[]): void {
    for (let i = 0; i < links.length; i += ANSWERS_PER_MESSAGE) {
      this.session.control({ type: "granted", revision, links: links.slice(i, i + ANSWERS_PER_MESSAGE) });
    }
  }

  #endMissing(peer: Peer, declared: readonly LinkDecl[]): void {
    const names = new Set(declared.map(({ name }) => name));
    for (const link of peer.links.values()) {
      if (link.record.declared && !names.has(link.record.name)) this.#parts.names.end(link, "link_removed");
    }
  }

  /** Grants what is declared now and answers when it is durable, after what was asked for before. */
  #afterGrants(
    peer: Peer,
    declared: readonly LinkDecl[],
    fresh: boolean,
    answer: (links: Grant[]) => void,
  ): void {
    const { names } = this.#parts;
    const grants = declared.map((decl) => fresh ? names.grant(peer, decl) : known(peer, decl));
    const stored = Promise.allSettled(grants.map((grant) => "link" in grant ? grant.stored : null));
    this.#answers = this.#answers.then(async () => {
      const outcomes = await stored;
      // While the disk was busy the daemon may have left, or another process taken its place.
      if (this.#over) return;
      if (peer.instance !== this.hello!.instance) return this.replace();
      answer(grants.map((grant, i): Grant => {
        const { name } = declared[i];
        if (!("link" in grant)) return { name, refused: { code: grant.code, message: grant.message } };
        if (outcomes[i].status === "fulfilled") return this.#granted(name, grant.link);
        names.forget(grant.link);
        return {
          name,
          refused: { code: "store_unavailable", message: "the hub can not store new names just now" },
        };
      }));
    }).catch((error) => {
      this.#parts.log.error("a session failed", { ...this.#facts(), error: (error as Error).message });
      this.session.close("internal_error", "the hub failed");
    });
  }

  /** Another process runs on this daemon's state. */
  replace(): void {
    this.bye("replaced", "another process uses this daemon's state");
  }

  #granted(name: string, link: HubLink): Grant {
    return grantOf(name, link, this.#parts.hosts(), this.#parts.domains);
  }

  #tell(type: "session.opened" | "session.ended", facts: Record<string, unknown>): void {
    const { daemon, connection } = this.hello!;
    this.#parts.audit.session(type, this.identity, daemon, { address: this.address, connection, ...facts });
    const event = type === "session.opened" ? "session.up" : "session.down";
    this.#parts.events.emit(this.identity.workspace, event, sessionJson(this));
  }

  #facts(): Record<string, unknown> {
    return {
      workspace: this.identity.workspace,
      token: this.identity.name,
      daemon: this.hello?.daemon ?? null,
      address: this.address,
    };
  }
}

/** What a daemon is told of a link that has its id. */
export function grantOf(name: string, link: HubLink, hosts: Hosts, domains: Domains): Grant {
  const granted = { name, id: link.id, url: hosts.urlOf(link.id) };
  const domain = domains.grantFor(link);
  return domain === null ? granted : { ...granted, domain };
}

/** Tells the daemon of `link` what it is granted now. */
export function tellGrant(link: HubLink, hosts: Hosts, domains: Domains): void {
  const { peer, record } = link;
  if (!record.declared) return;
  peer.tell({
    type: "granted",
    revision: peer.revision,
    links: [grantOf(record.name, link, hosts, domains)],
  });
}

/** What a link has already: the declaration was told over another connection. */
function known(peer: Peer, { name }: LinkDecl): Granted | NotGranted {
  const link = peer.links.get(name);
  if (link !== undefined) return { link, stored: null };
  return peer.notGranted.get(name) ?? { code: "name_taken", message: "its name went to another daemon" };
}

/** Revocations made here that the daemon has not confirmed. */
function pendingRevocations(peer: Peer): Revocation[] {
  return [...peer.links.values()].filter(({ record }) => record.revokePending).map(revocationOf);
}

function revocationOf({ record }: HubLink): Revocation {
  return {
    name: record.name,
    id: record.id,
    at: record.revokeAskedAt ?? record.revokedAt!,
    activatedAt: record.revokedLife ?? null,
  };
}
