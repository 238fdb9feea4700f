/** The links of a daemon from open to close: what runs, what is stored of it, and what the hubs are told. */
import type { Clock, Timer } from "../clock.ts";
import type { Change, Entry } from "../core/entry.ts";
import { refusal } from "../core/errors.ts";
import {
  activate,
  endedAs,
  expiresAt,
  giveUpIds,
  type LinkRecord,
  newRecord,
  renew,
  revoke,
  settle,
  takeId,
  unrenew,
} from "../core/link.ts";
import type { Step } from "../core/plan.ts";
import type { Log } from "../log.ts";
import { counted, Repeats } from "../repeats.ts";
import type { Grant } from "../wire/hello.ts";
import type { EventType } from "./events.ts";
import { Leaving } from "./leaving.ts";
import { ManagedLink } from "./managed.ts";
import { RateKeeper } from "./rate_keeper.ts";
import { ONE_OFFS, type Records, type Scope } from "./records.ts";
import type { Registry } from "./registry.ts";
import type { Renewal } from "./renewal.ts";
import { type Parts, ServedLink } from "./served.ts";
import { unservable } from "./unservable.ts";
import { UseKeeper } from "./uses.ts";

export interface LifeOptions {
  readonly parts: Parts;
  readonly clock: Clock;
  readonly log: Log;
  readonly records: Records;
  readonly registry: Registry;
  /** Of links that the file names. */
  readonly scope: Scope;
  /** Tells the hubs. */
  declare(set: readonly ManagedLink[], remove?: readonly ManagedLink[]): void;
  /** Tells whoever listens. */
  happened(type: EventType, link: ManagedLink, changes?: readonly Change[]): void;
}

/** An end by the clock is noticed so soon, also when the clock jumped. */
const TICK_MS = 700;
/** Counts of long rates are saved so often. */
const SAVE_MS = 10_000;
/** A link that a hub refused is asked for again so often. */
const RETRY_MS = 30_000;

export class Life {
  readonly #o: LifeOptions;
  readonly #links = new Map<string, ManagedLink>();
  readonly #rates: RateKeeper;
  readonly #uses: UseKeeper;
  readonly #repeats: Repeats;
  readonly #tick: Timer;
  #savedAt: number;
  #retriedAt: number;
  /** Links whose expiry the hubs do not know yet: their first grant began it. */
  #activated: ManagedLink[] = [];
  readonly #leaving = new Leaving();

  constructor(options: LifeOptions) {
    this.#o = options;
    const { records, clock } = options;
    this.#repeats = new Repeats(clock);
    this.#rates = new RateKeeper(records, clock, (written, link) => this.#behind(written, link));
    this.#uses = new UseKeeper({ records, log: options.log, settle: (link) => this.#settle(link) });
    this.#savedAt = this.#retriedAt = clock.mono();
    this.#tick = clock.timer(() => this.#ticked());
    this.#tick.set(TICK_MS);
  }

  get all(): ReadonlyMap<string, ManagedLink> {
    return this.#links;
  }

  /** What runs, as the entries that it was opened with. */
  running(): Map<string, Entry> {
    return new Map([...this.#links].map(([name, { served }]) => [name, served.entry]));
  }

  /** Whether an entry of the file under this name is or would be a revoked link. */
  isRevoked(name: string): boolean {
    const { records, scope } = this.#o;
    return (records.get(scope, name)?.revokedAt ?? null) !== null;
  }

  /** Requests in flight that a link loses when it goes on as `entry`; null: when it is closed. */
  cuts(name: string, entry: Entry | null): number {
    return this.#links.get(name)?.cuts(entry, this.#o.clock.now()) ?? 0;
  }

  /** Ids of links that the file names no more answer that they ended. */
  bury(): void {
    const { records, registry, scope } = this.#o;
    for (const [name, record] of records.all(scope)) {
      if (this.#links.get(name)?.scope !== scope) registry.end(record, null);
    }
  }

  /** Does what a plan says. Nothing here waits, so nothing is half done. */
  apply(steps: readonly Step[], desired: ReadonlyMap<string, Entry>): void {
    const set: ManagedLink[] = [], removed = new Map<string, ManagedLink>();
    for (const { step, name } of steps) {
      const link = this.#links.get(name)!;
      if (step === "close") removed.set(name, this.#close(link));
      else if (step === "open") set.push(this.#open(desired.get(name)!, removed.get(name)?.record.ids));
      else set.push(this.#retune(link, desired.get(name)!));
    }
    this.#o.declare(set, [...removed.values()]);
    for (const link of removed.values()) this.#o.happened("link.closed", link);
    for (const { step, name, changes } of steps) {
      const type = step === "open" ? "link.opened" : "link.retuned";
      if (step !== "close") this.#o.happened(type, this.#links.get(name)!, changes);
    }
  }

  /** Entries that did not change may stand elsewhere in the file now. */
  refresh(desired: ReadonlyMap<string, Entry>): void {
    for (const [name, link] of this.#links) link.served.entry = desired.get(name) ?? link.served.entry;
  }

  /** Revokes `link`, as of `at` and `life`; resolves when that is durable. Again does nothing. */
  async revoke(link: ManagedLink, at: number, life: number | null = null): Promise<void> {
    const stored = this.#write(link, revoke(link.record, at, this.#o.clock.now(), life));
    this.#settle(link);
    await stored;
    // Only now: a hub that made the revocation forgets it when it hears that we know.
    if (link.ended === "revoked" && this.#links.get(link.name) === link) this.#o.declare([link]);
  }

  /** Begins anew. Resolves when that is durable. Throws Failure: then it is as it was. */
  async renew(link: ManagedLink, { ttlMs, newId = false, askedAt }: Renewal): Promise<void> {
    const code = link.ended === "revoked" ? "link_revoked" : "link_removed";
    const { record: before } = link;
    const renewed = renew(newId ? giveUpIds(before, code) : before, this.#o.clock.now(), ttlMs, askedAt);
    const stored = this.#write(link, renewed);
    this.#settle(link);
    this.#o.happened("link.renewed", link);
    try {
      await stored;
    } catch (error) {
      void this.#write(link, unrenew(link.record, renewed, before));
      this.#settle(link);
      throw error;
    }
    if (this.#links.get(link.name) !== link) return;
    // Only now: a hub that was asked for a fresh id has ended the old one for good.
    if (newId) link.grants.clear();
    this.#o.registry.lead(link.record, link.served);
    this.#o.declare([link]);
  }

  /** Resolves when the record of `link` is durable as it stands. Throws Failure. */
  stored(link: ManagedLink): Promise<void> {
    return this.#store(link);
  }

  /** A hub's word on a link. */
  granted(hub: string, link: ManagedLink, grant: Grant): void {
    if ("refused" in grant) {
      const { code, message } = grant.refused;
      const before = link.grants.get(hub);
      link.grants.set(hub, grant);
      if (before !== undefined && "refused" in before && before.refused.message === message) return;
      // A hub that finds new words every time must not fill a disk.
      return this.#repeats.happened(`refused ${hub} ${link.name}`, (times) => {
        const facts = { link: link.name, hub, code, ...counted(times) };
        this.#o.log.warn(`the hub refused a link: ${message}`, facts);
      });
    }
    // It answers what was asked before a fresh id was wanted.
    if (link.record.owed[hub] === grant.id) return;
    link.grants.set(hub, grant);
    const begins = link.record.activatedAt === null && link.ended === null;
    const record = takeId(link.record, hub, grant.id);
    void this.#write(link, begins ? activate(record, this.#o.clock.now()) : record);
    this.#o.registry.lead(link.record, link.served);
    if (!begins) return;
    link.served.expiresAt = expiresAt(link.record);
    if (link.served.expiresAt !== null) this.#activated.push(link);
  }

  /** The daemon is about to end: no request is held any more for a target that can't be connected to. */
  hurry(): void {
    for (const { served } of this.#links.values()) served.hurry();
  }

  /** All grants of a message were taken: hubs hear at once of every end that they began. */
  settled(): void {
    const activated = this.#activated;
    this.#activated = [];
    this.#o.declare(activated);
  }

  /** Ends serving. What was not stored is stored before the store closes. */
  close(): void {
    this.#tick.drop();
    for (const link of this.#links.values()) {
      this.#rates.save(link);
      link.over();
      link.served.close();
    }
    this.#leaving.close();
    this.#repeats.close();
  }

  /** `taken`: ids of another link that had the name until now. */
  #open(entry: Entry, taken: LinkRecord["ids"] = {}): ManagedLink {
    const { clock, parts, records, registry, scope: file } = this.#o;
    const scope = entry.source === "file" ? file : ONE_OFFS;
    const now = clock.now();
    const record = settle(
      records.get(scope, entry.name) ?? this.#newRecord(scope, entry, taken),
      entry,
      now,
    );
    const served = new ServedLink(entry, parts, this.#rates.restore(scope, entry.name));
    const link = new ManagedLink(scope, served, record, now);
    served.onProblem = () => this.#problem(link);
    this.#uses.follow(link);
    this.#links.set(entry.name, link);
    this.#store(link);
    registry.lead(record, served);
    served.expiresAt = expiresAt(record);
    served.failing = unservable(entry);
    this.#say(link);
    if (link.ended !== null) {
      served.ended = refusal(`link_${link.ended}`);
      link.over();
    }
    return link;
  }

  /**
   * Hubs know a link by its name alone, and shall not give it the ids of another one, but a subdomain that it asks for:
   * what was revoked there before was not this link.
   */
  #newRecord(scope: Scope, entry: Entry, taken: LinkRecord["ids"]): LinkRecord {
    const record = newRecord(entry);
    if (entry.subdomain !== null) return { ...record, renewedAt: this.#o.clock.now() };
    return { ...record, owed: { ...this.#o.records.idsElsewhere(scope, entry.name), ...taken } };
  }

  #close(link: ManagedLink): ManagedLink {
    const { served, record, scope, name } = link;
    this.#links.delete(name);
    this.#o.registry.end(record, served);
    served.ended = refusal(record.revokedAt === null ? "link_removed" : "link_revoked");
    this.#leaving.add(served);
    this.#rates.save(link);
    if (scope === ONE_OFFS) this.#behind(this.#o.records.forgetOneOff(name), name);
    link.over();
    return link;
  }

  #retune(link: ManagedLink, entry: Entry): ManagedLink {
    link.served.retune(entry);
    this.#uses.follow(link);
    link.served.failing = unservable(entry);
    this.#say(link);
    this.#settle(link);
    return link;
  }

  /** Serves by what the record says now: an end that has come, or one that was lifted. */
  #settle(link: ManagedLink): void {
    const { served } = link;
    const now = this.#o.clock.now();
    const record = settle(link.record, served.entry, now);
    if (record !== link.record) void this.#write(link, record);
    served.expiresAt = expiresAt(link.record);
    const ended = endedAs(link.record, now);
    if (ended === link.ended) return;
    link.ended = ended;
    if (ended === null) {
      served.ended = null;
      served.keep();
      link.again();
      return;
    }
    served.ended = refusal(`link_${ended}`);
    if (ended === "revoked" || !this.#uses.wanes(link, now)) {
      served.cut(served.entry.drainMs);
      link.over();
    }
    this.#o.log.info(`link ${ended}`, { link: link.name });
    if (ended === "expired") this.#o.declare([link]);
    this.#o.happened(`link.${ended}`, link);
  }

  #problem(link: ManagedLink): void {
    this.#say(link);
    this.#o.declare([link]);
  }

  /** Logs that it is out of order, or no longer. */
  #say(link: ManagedLink): void {
    const { problem } = link.served;
    if (problem === link.logged) return;
    link.logged = problem;
    if (problem === null) this.#o.log.info("link is in order again", { link: link.name });
    else this.#o.log.warn(`link is in error: ${problem}`, { link: link.name });
  }

  /** Resolves when it is durable; who does not wait need not fear: a failure is logged. */
  #write(link: ManagedLink, record: LinkRecord): Promise<void> {
    link.record = record;
    return this.#store(link);
  }

  #store({ scope, name, record }: ManagedLink): Promise<void> {
    return this.#behind(this.#o.records.put(scope, name, record), name);
  }

  #behind(written: Promise<void>, link: string): Promise<void> {
    written.catch(({ message }: Error) => {
      this.#repeats.happened("store", (times) => {
        const facts = { link, error: message, ...counted(times) };
        this.#o.log.error("a link's record could not be stored: it is tried again", facts);
      });
    });
    return written;
  }

  #ticked(): void {
    const now = this.#o.clock.now(), mono = this.#o.clock.mono();
    for (const link of this.#links.values()) {
      const { expiresAt } = link.served;
      if (link.ended === null && expiresAt !== null && expiresAt <= now) this.#settle(link);
    }
    this.#uses.ticked(now);
    if (mono - this.#savedAt >= SAVE_MS) {
      this.#savedAt = mono;
      for (const link of this.#links.values()) this.#rates.save(link);
      this.#o.records.retry();
    }
    this.#leaving.ticked();
    if (mono - this.#retriedAt >= RETRY_MS) {
      this.#retriedAt = mono;
      const refused = [...this.#links.values()].filter(({ grants }) =>
        grants.values().some((grant) => "refused" in grant)
      );
      this.#o.declare(refused);
    }
    this.#tick.set(TICK_MS);
  }
}
