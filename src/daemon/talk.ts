/** The daemon's part in the talk with its hubs: it declares its links, and hears what they are granted. */
import { type Code, CODES } from "../core/errors.ts";
import { endedAs, expiresAt } from "../core/link.ts";
import { OPEN_POLICY } from "../core/policy.ts";
import { VERSION as SOFTWARE } from "../core/version.ts";
import {
  type Ask,
  type AskProblem,
  type Control,
  type Grant,
  type LinkDecl,
  type Links,
  type Removal,
  type Revocation,
  type ServiceDecl,
  VERSION,
  type Welcome,
} from "../wire/hello.ts";
import { splitHello, splitLinks } from "../wire/split.ts";
import type { Talk } from "./dial.ts";
import type { Hubs } from "./hubs.ts";
import type { ManagedLink } from "./managed.ts";

/** What a talk needs of the daemon. */
export interface TalkMeans {
  /** The daemon's id, and that of this process. */
  readonly daemon: string;
  readonly instance: string;
  links(): Iterable<ManagedLink>;
  find(name: string): ManagedLink | undefined;
  services(): readonly ServiceDecl[];
  readonly hubs: Hubs;
  now(): number;
  /** A hub's word on a link. */
  granted(hub: string, link: ManagedLink, grant: Grant): void;
  /** A link was revoked at a hub. Resolves when that is durable, or is not wanted. Throws Failure. */
  revoked(link: ManagedLink, revocation: Revocation, hub: string): Promise<void>;
  /** A hub asks for a change. Null: it was made, and this hub was told. Throws nothing. */
  asked(hub: string, ask: Ask): Promise<AskProblem | null>;
  /** All of a message's grants were handed on. */
  settled(): void;
  /** Visitors that a hub refused. */
  refused(hub: string, id: string, code: Code, n: number): void;
  /** State or lastError of a hub changed. */
  changed(hub: string): void;
}

export class HubTalk implements Talk {
  /** Of what is declared: hubs hear of a change by several sessions, and take it once. */
  #revision = 1;
  /** As they were told last. */
  #services = "";
  /** Hub → the last revision that it answered. */
  readonly #answered = new Map<string, number>();

  constructor(private readonly means: TalkMeans) {}

  hello(hub: string, connection: number): readonly Control[] {
    const { means } = this;
    return splitHello({
      type: "hello",
      version: VERSION,
      software: `connectd/${SOFTWARE}`,
      features: [],
      daemon: means.daemon,
      instance: means.instance,
      connection,
      services: means.services(),
      links: [...means.links()].map((link) => this.#declaration(link, hub)),
      revision: this.#revision,
      more: false,
    });
  }

  /** Tells every hub what changed: links that are new or different, and those that are no more. */
  declare(set: readonly ManagedLink[], remove: readonly ManagedLink[] = []): void {
    if (set.length === 0 && remove.length === 0) return;
    const revision = ++this.#revision;
    for (const link of set) link.since ??= revision;
    for (const { key } of this.means.hubs.status()) {
      const change: Links = {
        type: "links",
        revision,
        set: set.map((link) => this.#declaration(link, key)),
        remove: remove.map((link) => removal(link, key)),
        more: false,
      };
      for (const message of splitLinks(change)) this.means.hubs.send(key, message);
    }
  }

  /** Tells every hub what services there are now, where these are others than it heard of. */
  declareServices(): void {
    const services = this.means.services(), text = JSON.stringify(services);
    if (text === this.#services) return;
    this.#services = text;
    const message: Control = { type: "services", revision: ++this.#revision, services };
    for (const { key } of this.means.hubs.status()) this.means.hubs.send(key, message);
  }

  /** Whether `hub` has answered what it was told of `link` last. */
  knows(hub: string, link: ManagedLink): boolean {
    return (this.#answered.get(hub) ?? 0) >= (link.told.get(hub) ?? 0);
  }

  heard(hub: string, message: Control): void {
    switch (message.type) {
      case "welcome":
        this.means.hubs.learn(hub, message.hubs);
        // First the ids: one whose grant was lost is known by its revocation only then.
        this.#granted(hub, message);
        for (const revocation of message.revoked) this.#revoked(hub, revocation);
        return;
      case "granted":
        return this.#granted(hub, message);
      case "revoke":
        return this.#revokedNow(hub, message);
      case "refused":
        for (const { id, code, n } of message.counts) {
          if (Object.hasOwn(CODES, code)) this.means.refused(hub, id, code as Code, n);
        }
        return;
      case "ask":
        void this.#answer(hub, message);
    }
  }

  changed(hub: string): void {
    this.means.changed(hub);
  }

  /** By whichever session there is when it is done: the hub asks by all of them, and takes the first answer. */
  async #answer(hub: string, ask: Ask): Promise<void> {
    const problem = await this.means.asked(hub, ask);
    this.means.hubs.send(hub, { type: "reply", id: ask.id, problem });
  }

  #granted(hub: string, { links, revision }: Pick<Welcome, "links" | "revision">): void {
    this.#answered.set(hub, Math.max(this.#answered.get(hub) ?? 0, revision));
    // The last word on each: a message is large enough for ten thousand on one.
    for (const grant of new Map(links.map((grant) => [grant.name, grant])).values()) {
      const link = this.means.find(grant.name);
      if (link === undefined) continue;
      // A hub that is told twice of the wish for a fresh id gives two, the last of which stays.
      const meant = wantsNewId(link, hub) ? link.told.get(hub) ?? 0 : link.since ?? 0;
      if (revision >= meant) this.means.granted(hub, link, grant);
    }
    this.means.settled();
  }

  /** It happens now, whatever the hub's clock says; only when it is told once more does it count from when it was made. */
  #revokedNow(hub: string, revocation: Revocation): void {
    const link = this.means.find(revocation.name);
    const known = link?.revocation === revocation.at;
    if (link !== undefined) link.revocation = revocation.at;
    this.#revoked(hub, known ? revocation : { ...revocation, at: this.means.now() });
  }

  /** The hub holds on to a revocation until it is declared, also one that a renewal has settled since. */
  #revoked(hub: string, revocation: Revocation): void {
    const link = this.means.find(revocation.name);
    if (link === undefined || link.record.ids[hub] !== revocation.id) return;
    // Only then: what is not durable the hub has to tell again.
    this.means.revoked(link, revocation, hub).then(() => this.#settled(hub, revocation), () => {});
  }

  /** The hub hears of a link that it is revoked as it ends; one that lives again by now it takes for revoked until here. */
  #settled(hub: string, { name, id }: Revocation): void {
    const link = this.means.find(name);
    if (link === undefined || link.ended === "revoked") return;
    const { ids, owed } = link.record, gaveUp = owed[hub] === id;
    // The name may be another link's by now, and so the subdomain; an id is nobody else's.
    if (!gaveUp && ids[hub] !== id && link.served.entry.subdomain !== id) return;
    const revision = ++this.#revision;
    const set: LinkDecl[] = gaveUp ? [] : [{ ...this.#declaration(link, hub), state: "revoked" }];
    // It shall have another one: that is not revoked.
    const remove: Removal[] = gaveUp ? [{ name, id, reason: "revoked" }] : [];
    this.means.hubs.send(hub, { type: "links", revision, set, remove, more: false });
    if (!gaveUp) this.declare([link]);
  }

  /** As `hub` is told in the revision that stands. */
  #declaration(link: ManagedLink, hub: string): LinkDecl {
    link.told.set(hub, this.#revision);
    const { name, record, served: { entry, failing, problem } } = link;
    const ended = endedAs(record, this.means.now());
    return {
      name,
      id: record.ids[hub] ?? null,
      subdomain: entry.subdomain,
      domain: entry.domain,
      newId: wantsNewId(link, hub),
      policy: failing === null ? entry.policy : OPEN_POLICY,
      state: ended ?? (problem === null ? "active" : "error"),
      expiresAt: expiresAt(record),
      activatedAt: record.activatedAt,
      service: entry.service,
      source: entry.source,
    };
  }
}

/** A one-off's name may have been another's before: it has no id but one of its own. */
function wantsNewId({ record, served }: ManagedLink, hub: string): boolean {
  return record.owed[hub] !== undefined ||
    (record.ids[hub] === undefined && served.entry.source !== "file");
}

function removal({ name, record }: ManagedLink, hub: string): Removal {
  const reason = record.revokedAt === null ? "removed" : "revoked";
  return { name, id: record.ids[hub] ?? null, reason };
}
