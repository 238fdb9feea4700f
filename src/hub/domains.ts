/** Custom domains: which links ask for one, who has proven it, and what is still to be done. */
import type { AuditEntry } from "../core/audit.ts";
import type { Clock, Timer } from "../clock.ts";
import { isDomain } from "../core/names.ts";
import { quote } from "../core/units.ts";
import type { Log } from "../log.ts";
import type { Bucket, Store } from "../store/store.ts";
import type { DomainGrant } from "../wire/hello.ts";
import {
  challenged,
  challengePath,
  type Means,
  type Proof,
  prove,
  recordName,
  tokenOf,
} from "./domain_proof.ts";
import type { HubAudit } from "./audit.ts";
import type { Hosts } from "./hosts.ts";
import type { HubLink } from "./link.ts";
import type { Prover } from "./prover.ts";
import { randomText } from "./random.ts";

/** What is kept of a domain that was proven. Times in ms since 1970. */
export interface DomainRecord {
  readonly workspace: string;
  readonly by: Means;
  readonly provenAt: number;
  /** Since when it is not proven any more; null: it is. */
  readonly lostAt: number | null;
}

/** One domain that somebody asks for, or has. */
interface Claim {
  readonly domain: string;
  record: DomainRecord | null;
  /** Links that ask for it, the first one first. */
  readonly wishes: Set<HubLink>;
  /** On the monotonic clock. */
  dueAt: number;
  /** How long to wait after the next look that shows nothing. */
  pauseMs: number;
  looking: boolean;
}

const MINUTE_MS = 60_000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS;

/** Somebody who waits for his name servers is looked after every few seconds at first. */
const FIRST_PAUSE_MS = 15_000, LONGEST_PAUSE_MS = 2 * MINUTE_MS;
/** What was proven is looked at so often, and so often where it was lost. */
const AGAIN_MS = DAY_MS, LOST_PAUSE_MS = HOUR_MS;
/** A workspace keeps a domain that it proves no more so long: name servers move, and servers are down. */
const HOLD_MS = 7 * DAY_MS;

/** Looks under way at a time. */
const AT_ONCE = 8;
/** A workspace asks for so many domains at most: each is a question to somebody's name servers, again and again. */
const PER_WORKSPACE = 100;

export interface DomainsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly prover: Prover;
  readonly audit: Pick<HubAudit, "domain">;
  hosts(): Hosts;
  /** What is said of the domain of `link` has changed. */
  told(link: HubLink): void;
}

export class Domains {
  readonly #claims = new Map<string, Claim>();
  /** Workspace → links of it that ask. */
  readonly #asked = new Map<string, number>();
  readonly #o: DomainsOptions;
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #timer: Timer;
  #looking = 0;
  #closed = false;

  private constructor(options: DomainsOptions, key: string) {
    this.#o = options;
    this.#key = key;
    this.#bucket = options.store.bucket("domains");
    this.#timer = options.clock.timer(() => this.#look());
  }

  /** Reads what the store holds. Throws Failure. */
  static async open(options: DomainsOptions): Promise<Domains> {
    const domains = new Domains(options, await ownKey(options.store));
    for (const { key, value } of await domains.#bucket.list()) {
      domains.#claim(key).record = JSON.parse(value) as DomainRecord;
    }
    domains.#plan();
    return domains;
  }

  /** The link at `host`, a name as `Hosts` has it; undefined: it is nobody's domain. */
  find(host: string): HubLink | undefined {
    const claim = this.#claims.get(host);
    return claim === undefined ? undefined : served(claim);
  }

  /** Whether visitors may come to `host`: it is proven, and its link lives. */
  isLive(host: string): boolean {
    return this.find(host)?.closedTo(this.#o.clock.now()) === null;
  }

  /** What to answer at `path` of `host` to show that a domain leads here; null: this is no such path. */
  answer(host: string, path: string): string | null {
    const token = challenged(path);
    if (token === null) return null;
    const claim = this.#claims.get(host);
    return claim !== undefined && workspacesOf(claim).some((one) => this.#token(one, claim) === token)
      ? token
      : null;
  }

  /** Why no link may ever have `domain`; null: one may. */
  refusal(domain: string): string | null {
    if (!isDomain(domain)) return `${quote(domain)} is no domain such as api.example.com`;
    return this.#o.hosts().has(domain) ? `${domain} is the hub's own name, or one of its links'` : null;
  }

  /** What a daemon is told of its link's domain; null: it asks for none. */
  grantFor(link: HubLink): DomainGrant | null {
    const domain = link.record.domain ?? null;
    if (domain === null) return null;
    const claim = this.#claims.get(domain), { workspace } = link.record;
    const hosts = this.#o.hosts();
    if (claim === undefined || !claim.wishes.has(link)) {
      return { name: domain, url: null, message: `a workspace has at most ${PER_WORKSPACE} domains` };
    }
    const { record } = claim;
    if (record?.workspace === workspace) {
      const first = served(claim) ?? link;
      if (first !== link) {
        return {
          name: domain,
          url: null,
          message: `${domain} is the domain of the link ${first.record.name}`,
        };
      }
      return {
        name: domain,
        url: hosts.urlAt(domain),
        message: record.lostAt === null ? null : this.#lost(claim, record),
      };
    }
    const held = record === null ? "" : "it is held by another workspace; ";
    return {
      name: domain,
      url: null,
      message: `${domain} is not proven yet: ${held}${this.#todo(claim, workspace)}`,
    };
  }

  /** The record of `link` is another one than before. */
  changed(link: HubLink): void {
    const domain = link.record.declared ? link.record.domain ?? null : null;
    const before = this.#claimOf(link);
    if (before?.domain === domain) return;
    if (before !== undefined) this.#drop(before, link);
    if (domain !== null) this.#wish(domain, link);
  }

  /** `link` is no more. */
  forget(link: HubLink): void {
    const claim = this.#claimOf(link);
    if (claim !== undefined) this.#drop(claim, link);
  }

  close(): void {
    this.#closed = true;
    this.#timer.drop();
  }

  #claimOf(link: HubLink): Claim | undefined {
    return link.domain === null ? undefined : this.#claims.get(link.domain);
  }

  #wish(domain: string, link: HubLink): void {
    const { workspace } = link.record, asked = this.#asked.get(workspace) ?? 0;
    if (asked >= PER_WORKSPACE) return;
    this.#asked.set(workspace, asked + 1);
    link.domain = domain;
    const claim = this.#claim(domain);
    claim.wishes.add(link);
    if (claim.record?.workspace === workspace && claim.record.lostAt === null) return;
    claim.dueAt = this.#o.clock.mono();
    claim.pauseMs = FIRST_PAUSE_MS;
    this.#plan();
  }

  #drop(claim: Claim, link: HubLink): void {
    const { workspace } = link.record;
    link.domain = null;
    claim.wishes.delete(link);
    this.#asked.set(workspace, this.#asked.get(workspace)! - 1);
    this.#prune(claim);
    // Another link of the workspace may have waited for it.
    for (const other of claim.wishes) this.#o.told(other);
  }

  #prune({ domain, wishes, record, looking }: Claim): void {
    if (wishes.size === 0 && record === null && !looking) this.#claims.delete(domain);
  }

  #claim(domain: string): Claim {
    let claim = this.#claims.get(domain);
    if (claim === undefined) {
      const dueAt = this.#o.clock.mono();
      claim = { domain, record: null, wishes: new Set(), dueAt, pauseMs: FIRST_PAUSE_MS, looking: false };
      this.#claims.set(domain, claim);
    }
    return claim;
  }

  /** Looks at what is due, and sets the clock for what is due next. */
  #look(): void {
    const now = this.#o.clock.mono();
    // What is due longest goes first: many that answer slowly are due again before all others had their turn.
    const due = this.#claims.values().filter(({ looking, dueAt }) => !looking && dueAt <= now).toArray()
      .sort((a, b) => a.dueAt - b.dueAt);
    for (const claim of due.slice(0, AT_ONCE - this.#looking)) void this.#check(claim);
    this.#plan();
  }

  #plan(): void {
    // Whoever ends a look plans the next.
    if (this.#closed || this.#looking >= AT_ONCE) return;
    let next = Infinity;
    for (const { dueAt, looking } of this.#claims.values()) if (!looking) next = Math.min(next, dueAt);
    if (next === Infinity) this.#timer.clear();
    else this.#timer.set(Math.max(0, next - this.#o.clock.mono()));
  }

  async #check(claim: Claim): Promise<void> {
    claim.looking = true;
    this.#looking++;
    const { prover, log } = this.#o;
    const before = claim.record;
    try {
      const token = (workspace: string) => this.#token(workspace, claim);
      const proof = await prove(claim.domain, workspacesOf(claim), before?.workspace ?? null, token, prover);
      if (!this.#closed) await this.#take(claim, proof);
    } catch (error) {
      claim.dueAt = this.#o.clock.mono() + MINUTE_MS;
      log.error("a domain could not be looked at", { domain: claim.domain, error: (error as Error).message });
    }
    claim.looking = false;
    this.#looking--;
    this.#prune(claim);
    if (!this.#closed) this.#plan();
  }

  async #take(claim: Claim, proof: Proof): Promise<void> {
    const { clock, log, audit, store } = this.#o, now = clock.now(), { domain, record } = claim;
    if (typeof proof === "object") {
      const { workspace, by } = proof;
      // Somebody else may be about to make the record that outdoes a web server.
      const contested = by === "http" && workspacesOf(claim).length > 1;
      claim.dueAt = clock.mono() + (contested ? LONGEST_PAUSE_MS : AGAIN_MS);
      if (record?.workspace === workspace && record.by === by && record.lostAt === null) return;
      const provenAt = record?.workspace === workspace ? record.provenAt : now;
      if (record !== null && record.workspace !== workspace) {
        store.trail.append(audit.domain("domain.released", record.workspace, domain));
      }
      const proven = audit.domain("domain.proven", workspace, domain, { by });
      await this.#store(claim, { workspace, by, provenAt, lostAt: null }, proven);
      if (record?.workspace !== workspace) log.info("domain proven", { domain, workspace, by });
    } else {
      claim.dueAt = clock.mono() + (record === null ? claim.pauseMs : LOST_PAUSE_MS);
      claim.pauseMs = Math.min(2 * claim.pauseMs, LONGEST_PAUSE_MS);
      if (record === null || proof === "unknown") return;
      if (record.lostAt === null) {
        const until = new Date(now + HOLD_MS).toISOString();
        const lost = audit.domain("domain.lost", record.workspace, domain, { until });
        await this.#store(claim, { ...record, lostAt: now }, lost);
        log.warn("a domain is not proven any more", { domain, workspace: record.workspace });
      } else if (record.lostAt + HOLD_MS <= now) {
        // In the turn of the delete, and so in one commit with it.
        store.trail.append(audit.domain("domain.released", record.workspace, domain));
        await this.#bucket.delete(domain);
        claim.record = null;
        log.warn("a domain was given up", { domain, workspace: record.workspace });
      } else return;
    }
    for (const link of claim.wishes) this.#o.told(link);
  }

  /** Stored first: what visitors and others were told must not change hands over a crash. */
  async #store(claim: Claim, record: DomainRecord, audit: AuditEntry): Promise<void> {
    await this.#bucket.put(claim.domain, JSON.stringify(record), { audit });
    claim.record = record;
  }

  #token(workspace: string, { domain }: Claim): string {
    return tokenOf(this.#key, workspace, domain);
  }

  /** What its owner has to do. */
  #todo(claim: Claim, workspace: string): string {
    const { domain } = claim, token = this.#token(workspace, claim);
    const record = `create the DNS record ${recordName(domain)} TXT "${token}"`;
    if (claim.record !== null) return record;
    return `${record}, or have http://${domain}${challengePath(token)} answer ${token}`;
  }

  #lost(claim: Claim, { lostAt, workspace }: DomainRecord): string {
    const until = new Date(lostAt! + HOLD_MS).toISOString();
    return `${claim.domain} is not proven any more, and is given up at ${until}: ${
      this.#todo(claim, workspace)
    }`;
  }
}

/** The link that a proven domain leads to: of the workspace that has it, the first that lives, else the first. */
function served({ record, wishes }: Claim): HubLink | undefined {
  if (record === null) return undefined;
  let first: HubLink | undefined;
  for (const link of wishes) {
    if (link.record.workspace !== record.workspace) continue;
    if (link.record.ended === null) return link;
    first ??= link;
  }
  return first;
}

function workspacesOf({ record, wishes }: Claim): string[] {
  const all = new Set(record === null ? [] : [record.workspace]);
  for (const { record: { workspace } } of wishes) all.add(workspace);
  return [...all];
}

/** Without it nobody can tell the token of a domain beforehand. */
async function ownKey(store: Store): Promise<string> {
  const bucket = store.bucket("hub");
  const entry = await bucket.get("domain-key");
  if (entry !== null) return JSON.parse(entry.value) as string;
  const key = randomText(52);
  await bucket.put("domain-key", JSON.stringify(key));
  return key;
}
