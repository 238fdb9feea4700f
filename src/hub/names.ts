/** The public ids of a hub: whose each one is, and what it answers once its link has ended. */
import type { Clock } from "../clock.ts";
import type { AuditEntry } from "../core/audit.ts";
import type { Log } from "../log.ts";
import { counted, Repeats } from "../repeats.ts";
import type { Bucket, Store } from "../store/store.ts";
import { eventOf, type HubAudit } from "./audit.ts";
import type { HubEvents } from "./events.ts";
import type { Domains } from "./domains.ts";
import { IdChoice, type NotGranted, type Wish } from "./ids.ts";
import { type Ended, HubLink, type NameRecord, UNTOLD } from "./link.ts";
import type { Peer } from "./peer.ts";
import type { Peers } from "./peers.ts";
import { Weights } from "./weights.ts";

/** A link that has its id. */
export interface Granted {
  readonly link: HubLink;
  /** Resolves when a new id is durable, and nobody may be told before; null: it is known already. */
  readonly stored: Promise<void> | null;
}

/** So many refusals of a daemon are remembered; it is told of the others once. */
const REFUSALS_KEPT = 10_000;

/** While a link is declared its record is written anew so often, that a crash does not make it look abandoned. */
const REFRESH_MS = 24 * 3_600_000;

/** What a hub keeps its names by. */
export interface NamesOptions {
  readonly store: Store;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: HubAudit;
  readonly events: HubEvents;
  /** The hub's own label under the domain, if it has one. */
  ownLabel(): string | null;
  readonly domains: Domains;
}

/** All names in memory; the store is written behind, and waited for where a promise was made to somebody. */
export class Names {
  readonly #links = new Map<string, HubLink>();
  readonly #bucket: Bucket;
  readonly #o: NamesOptions;
  /** Of the policies that are declared. */
  readonly #weights = new Weights();
  readonly #ids: IdChoice;
  /** Links whose records the disk did not take. */
  readonly #failed = new Set<HubLink>();
  /** The last revocation of each that was asked for here. */
  readonly #revoking = new WeakMap<HubLink, Promise<void>>();
  readonly #repeats: Repeats;

  private constructor(options: NamesOptions) {
    this.#o = options;
    this.#bucket = options.store.bucket("names");
    this.#ids = new IdChoice({ ...options, links: this.#links, weights: this.#weights });
    this.#repeats = new Repeats(options.clock);
  }

  /** Reads the names that the store holds. Throws Failure. */
  static async open(options: NamesOptions): Promise<Names> {
    const names = new Names(options);
    const records = (await names.#bucket.list()).map((
      { value },
    ) => ({ ...UNTOLD, ...JSON.parse(value) } as NameRecord));
    // Of several ids that a link had, the one it has now comes last and stays.
    records.sort((a, b) => Number(a.declared) - Number(b.declared) || a.declaredAt - b.declaredAt);
    for (const record of records) {
      options.domains.changed(names.#add(record, options.peers.of(record.workspace, record.daemon)));
    }
    return names;
  }

  get size(): number {
    return this.#links.size;
  }

  /** So many links have their daemon here. */
  get running(): number {
    return this.#links.values().reduce(
      (n, { record, peer }) => n + Number(record.declared && peer.online),
      0,
    );
  }

  /** The link at `label`, ended ones included. */
  find(label: string): HubLink | undefined {
    return this.#links.get(label);
  }

  all(): Iterable<HubLink> {
    return this.#links.values();
  }

  /** Gives a link of `peer` its id and takes over what was declared. */
  grant(peer: Peer, wish: Wish): Granted | NotGranted {
    const policy = JSON.stringify(wish.policy);
    const id = this.#ids.choose(peer, wish, policy.length);
    if (typeof id !== "string") {
      if (peer.notGranted.size < REFUSALS_KEPT) peer.notGranted.set(wish.name, id);
      return id;
    }
    peer.notGranted.delete(wish.name);
    const before = peer.links.get(wish.name);
    const link = this.#take(id, peer, wish);
    if (before !== undefined && before !== link) {
      // One that has not begun yet is another link of that name.
      if (before.record.revokePending && wish.activatedAt !== null) passOn(before, link);
      this.end(before, "link_removed");
    }
    this.#weights.add(peer.workspace, policy.length - link.weight);
    const retuned = link.declare(wish, policy), was = link.record;
    const known = was.declaredAt > 0;
    const written = this.#declare(link, wish);
    // Said already, where its end is another as well.
    if (retuned && eventOf(was, link.record) !== "link.retuned") this.#retuned(link);
    return { link, stored: known ? null : written };
  }

  #retuned(link: HubLink): void {
    this.#o.audit.retuned(link);
    this.#o.events.link("link.retuned", link);
  }

  /** The link ended: its daemon said so, or does not declare it any more. */
  end(link: HubLink, code: Ended): void {
    const { ended } = link.record;
    // Whoever was revoked must not look as if it had only been taken away.
    const stays = ended === "link_revoked" && code === "link_removed";
    this.#lighten(link);
    // A daemon that says so has heard of it.
    const revokePending = link.record.revokePending && code !== "link_revoked";
    this.#change(link, { ended: stays ? ended : code, declared: false, revokePending });
  }

  /**
   * Revokes `link` for `by`, whatever its daemon says until it has heard of it: stored first, then told. Again shows
   * nothing new, and is told all the same: the daemon may have renewed the link since, which is not known here yet.
   * Throws Failure: nothing has changed.
   */
  revoke(link: HubLink, by: string): Promise<void> {
    // The next one has to know whether the one before was stored.
    const before = this.#revoking.get(link) ?? Promise.resolve();
    const done = before.catch(() => {}).then(() => this.#revoke(link, by));
    this.#revoking.set(link, done);
    return done;
  }

  async #revoke(link: HubLink, by: string): Promise<void> {
    const { ended, revokedAt, revokePending, revokeAskedAt, revokedLife, activatedAt } = link.record;
    const at = this.#o.clock.now(), again = ended === "link_revoked";
    // In memory first: what a daemon declares meanwhile must not write over it.
    link.record = {
      ...link.record,
      ended: "link_revoked",
      revokedAt: again ? revokedAt ?? at : at,
      revokePending: true,
      revokeAskedAt: at,
      revokedLife: activatedAt,
    };
    try {
      await this.#save(link, again ? undefined : this.#o.audit.revocation(link, by));
    } catch (error) {
      link.record = { ...link.record, ended, revokedAt, revokePending, revokeAskedAt, revokedLife };
      // What the daemon declared meanwhile may have been stored, and the revocation with it.
      this.#save(link).catch(() => {});
      throw error;
    }
    if (!again) this.#o.events.link("link.revoked", link);
    link.peer.tell({ type: "revoke", name: link.record.name, id: link.id, at, activatedAt });
  }

  /** Resolves when the link's record is durable as it stands. Throws Failure. */
  async #save(link: HubLink, audit?: AuditEntry): Promise<void> {
    try {
      await this.#bucket.put(link.id, JSON.stringify(link.record), audit === undefined ? {} : { audit });
      this.#failed.delete(link);
    } catch (error) {
      this.#failed.add(link);
      throw error;
    }
  }

  /** Writes again what could not be written. */
  retry(): void {
    for (const link of this.#failed) {
      // An id that could not be stored was taken back; what is wrong with the disk was said.
      if (this.#links.get(link.id) !== link) this.#failed.delete(link);
      else this.#save(link).catch(() => {});
    }
  }

  /** Says what is still to be said. */
  close(): void {
    this.#repeats.close();
  }

  /** Takes back an id that could not be stored. */
  forget(link: HubLink): void {
    this.#lighten(link);
    this.#o.domains.forget(link);
    link.forget();
    this.#links.delete(link.id);
    if (link.peer.links.get(link.record.name) === link) link.peer.links.delete(link.record.name);
  }

  /** The daemon left: from now on its subdomains are held, and no longer used. */
  touch(peer: Peer): void {
    for (const link of peer.links.values()) {
      const { declared, subdomain } = link.record;
      if (declared && subdomain) this.#change(link, { declaredAt: this.#o.clock.now() });
    }
  }

  /** Writes down, for links that have been declared for long, that they still are. */
  refresh(): void {
    const due = this.#o.clock.now() - REFRESH_MS;
    for (const link of this.#links.values()) {
      const { declared, subdomain, declaredAt } = link.record;
      if (declared && subdomain && link.peer.online && declaredAt <= due) {
        this.#change(link, { declaredAt: this.#o.clock.now() });
      }
    }
  }

  #lighten(link: HubLink): void {
    this.#weights.add(link.record.workspace, -link.weight);
    link.dropPolicy();
  }

  /** The link at `id`, held by `peer` from now on. */
  #take(id: string, peer: Peer, { name, subdomain }: Wish): HubLink {
    const holder = this.#links.get(id);
    if (holder?.peer === peer && holder.record.name === name) {
      peer.links.set(name, holder);
      return holder;
    }
    // A fresh object: counters, policy and revocation were those of somebody else's link.
    if (holder !== undefined) this.forget(holder);
    return this.#add({
      id,
      workspace: peer.workspace,
      daemon: peer.daemon,
      name,
      subdomain: subdomain !== null,
      declaredAt: 0,
      declared: false,
      expiresAt: null,
      ended: null,
      revokedAt: null,
      revokePending: false,
      ...UNTOLD,
    }, peer);
  }

  #add(record: NameRecord, peer: Peer): HubLink {
    const link = new HubLink(record, peer);
    this.#links.set(record.id, link);
    peer.links.set(record.name, link);
    return link;
  }

  #declare(link: HubLink, wish: Wish): Promise<void> {
    const now = this.#o.clock.now();
    let { revokedAt, revokePending, declaredAt } = link.record;
    if (wish.state === "revoked") {
      revokedAt ??= now;
      revokePending = false;
    } else if (!revokePending) revokedAt = null;
    const ended = revokedAt !== null ? "link_revoked" : wish.state === "expired" ? "link_expired" : null;
    if (!link.record.declared) declaredAt = now;
    return this.#change(link, {
      declared: true,
      declaredAt,
      expiresAt: wish.expiresAt,
      domain: wish.domain,
      activatedAt: wish.activatedAt,
      service: wish.service,
      source: wish.source,
      ended,
      revokedAt,
      revokePending,
    });
  }

  /** Changes the record and has it written behind, unless it says so already. */
  #change(link: HubLink, to: Partial<NameRecord>): Promise<void> {
    const record = { ...link.record, ...to };
    const before = link.record;
    if (JSON.stringify(record) === JSON.stringify(before)) return Promise.resolve();
    link.record = record;
    this.#o.audit.changed(before, link);
    this.#o.domains.changed(link);
    this.#o.events.changed(before, link);
    const written = this.#save(link);
    written.catch(({ message }: Error) => {
      this.#repeats.happened("store", (times) => {
        const facts = { id: link.id, error: message, ...counted(times) };
        this.#o.log.warn("a name could not be stored: it is tried again", facts);
      });
    });
    return written;
  }
}

/** A link that has another id by now stays revoked, until its daemon has heard of it. */
function passOn(from: HubLink, to: HubLink): void {
  const { revokedAt, revokeAskedAt, revokedLife } = from.record;
  to.record = { ...to.record, revokedAt, revokePending: true, revokeAskedAt, revokedLife };
}
