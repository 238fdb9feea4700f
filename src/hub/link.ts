/** A link as the hub knows it: the name it keeps, and what the link's daemon declared last. */
import { type Code, type Refusal, refusal } from "../core/errors.ts";
import type { LinkState } from "../core/link.ts";
import { Policy, type PolicySpec } from "../core/policy.ts";
import type { LinkSource } from "../wire/hello.ts";
import type { Peer } from "./peer.ts";

/** Why a link answers 410. */
export type Ended = "link_expired" | "link_revoked" | "link_removed";

/** What is kept of a public id, also when its link is long gone. Times in ms since 1970. Replaced whole, never changed. */
export interface NameRecord {
  readonly id: string;
  readonly workspace: string;
  /** Who holds it: the daemon's id, and the name of the link there. */
  readonly daemon: string;
  readonly name: string;
  /** Asked for by name, and free again 30 days after `declaredAt`; a random id is never given to another. */
  readonly subdomain: boolean;
  readonly declaredAt: number;
  /** Its daemon names it among its links, or did when it was last there. */
  readonly declared: boolean;
  readonly expiresAt: number | null;
  /** The one of its own that it asks for; absent in records of before there were any. */
  readonly domain?: string | null;
  readonly ended: Ended | null;
  readonly revokedAt: number | null;
  /** The revocation was made here, and the daemon has not yet said that it knows. */
  readonly revokePending: boolean;
  /** When it was last asked for here; absent, of records of before there was more than one time: `revokedAt`. */
  readonly revokeAskedAt?: number | null;
  /** Its `activatedAt` as it was known then: of another life of the link it may not have been. */
  readonly revokedLife?: number | null;
  /** What its daemon says of it, null where it does not: when it began, which service it leads to, who made it. */
  readonly activatedAt: number | null;
  readonly service: string | null;
  readonly source: LinkSource | null;
}

/** Records of before daemons said so. */
export const UNTOLD = { activatedAt: null, service: null, source: null };

/** What a daemon says of a link: the part of its declaration that is not about the name. */
export interface Declared {
  readonly policy: PolicySpec;
  readonly state: "active" | "expired" | "revoked" | "error";
  readonly expiresAt: number | null;
  readonly activatedAt: number | null;
  readonly service: string | null;
  readonly source: LinkSource | null;
}

/** What the hub has seen of a link's requests since it started. */
export interface HubCounters {
  /** Handed to the daemon, which may still refuse. */
  allowed: number;
  /** Refused here. */
  readonly denied: Partial<Record<Code, number>>;
  bytesIn: number;
  bytesOut: number;
  open: number;
}

const ENDED: Readonly<Record<Ended, Refusal>> = {
  link_expired: refusal("link_expired"),
  link_revoked: refusal("link_revoked"),
  link_removed: refusal("link_removed"),
};
const UNAVAILABLE = refusal("link_unavailable");

/** Declared, and not ended: one that has ended may come back, and needs room again then. */
function isThere({ declared, ended }: NameRecord): boolean {
  return declared && ended === null;
}

/** One public id. Requests read it; only `Names` replaces its record. */
export class HubLink {
  readonly counters: HubCounters = { allowed: 0, denied: {}, bytesIn: 0, bytesOut: 0, open: 0 };
  /** Null: no daemon has declared it since the hub started. */
  policy: Policy | null = null;
  /** The domain of its own that it is known to ask for; null: none. `Domains` writes it. */
  domain: string | null = null;
  /** Its daemon can not serve it just now. */
  failing = false;
  #policyText = "";
  #unreported: Partial<Record<Code, number>> | null = null;

  #record: NameRecord;
  /** It is one of the links that its workspace has. */
  #counted = false;

  constructor(record: NameRecord, readonly peer: Peer) {
    this.#record = record;
    this.#count(isThere(record));
  }

  get record(): NameRecord {
    return this.#record;
  }

  set record(record: NameRecord) {
    this.#record = record;
    this.#count(isThere(record));
  }

  get counted(): boolean {
    return this.#counted;
  }

  /** Nobody finds it any more. */
  forget(): void {
    this.#count(false);
  }

  #count(counts: boolean): void {
    if (counts === this.#counted) return;
    this.#counted = counts;
    this.peer.quota.links += counts ? 1 : -1;
  }

  get id(): string {
    return this.record.id;
  }

  /** Why nobody gets in at `now`, whatever the policy says; null: somebody may. */
  closedTo(now: number): Refusal | null {
    const { ended, expiresAt } = this.record;
    if (ended !== null) return ENDED[ended];
    if (expiresAt !== null && expiresAt <= now) return ENDED.link_expired;
    return this.failing ? UNAVAILABLE : null;
  }

  /** The word for its state at `now`; null: its daemon does not declare it any more. */
  stateAt(now: number): LinkState | null {
    const { declared, ended, expiresAt } = this.record;
    if (!declared) return null;
    if (ended === "link_revoked") return "revoked";
    if (ended === "link_expired" || (expiresAt !== null && expiresAt <= now)) return "expired";
    if (!this.peer.online) return "offline";
    return this.failing ? "error" : "active";
  }

  /** Octets of its policy. */
  get weight(): number {
    return this.#policyText.length;
  }

  /** Takes over what the daemon says of it now. `text`: its policy, printed. True: it had another one before. */
  declare({ policy, state }: Declared, text: string): boolean {
    this.failing = state === "error";
    // A thousand links are declared again with every reconnect; few policies differ.
    if (text === this.#policyText) return false;
    const before = this.policy;
    this.policy = new Policy(policy);
    this.#policyText = text;
    return before !== null;
  }

  /** Its daemon declares it no more: what it was asks for no memory. */
  dropPolicy(): void {
    this.policy = null;
    this.#policyText = "";
  }

  /** Counts a visitor that was refused here. */
  deny(code: Code): void {
    this.counters.denied[code] = (this.counters.denied[code] ?? 0) + 1;
    this.#unreported ??= {};
    this.#unreported[code] = (this.#unreported[code] ?? 0) + 1;
    this.peer.refusals.add(this);
    this.peer.denied.add(this);
  }

  /** What was counted since the last call, for the daemon. */
  takeRefused(): { id: string; code: string; n: number }[] {
    const counts = Object.entries(this.#unreported ?? {}).map(([code, n]) => ({ id: this.id, code, n }));
    this.#unreported = null;
    return counts;
  }
}
