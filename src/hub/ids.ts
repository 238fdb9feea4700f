/** Which id a link gets that a daemon declares: the one it had, the subdomain it wants, or a fresh one. */
import type { Clock } from "../clock.ts";
import { Buckets } from "../core/limit.ts";
import { checkSubdomain } from "../core/names.ts";
import type { Rate } from "../core/units.ts";
import { type Claimant, judgeClaim } from "./claim.ts";
import type { Domains } from "./domains.ts";
import type { Declared, HubLink } from "./link.ts";
import type { Peer } from "./peer.ts";
import { isRandomId, randomId } from "./random.ts";
import type { Weights } from "./weights.ts";

/** A link that a daemon declares. */
export interface Wish extends Declared {
  readonly name: string;
  /** The id it had here, null: none. */
  readonly id: string | null;
  readonly subdomain: string | null;
  /** Of its own. */
  readonly domain: string | null;
  /** It shall have another id than before. */
  readonly newId: boolean;
}

/** Why a link gets no id. */
export interface NotGranted {
  readonly code: "name_taken" | "bad_name" | "limit" | "store_unavailable";
  readonly message: string;
}

/** Links of one daemon: far above what one serves. */
const LINKS_PER_DAEMON = 10_000;

/** A name is kept for ever, in memory too: a token whose holder makes up daemons and links must not fill that up. */
const NEW_NAMES: readonly Rate[] = [{ count: 1_000, perMs: 3_600_000, burst: 20_000, perIp: true }];

/** What an id is chosen by. */
export interface IdChoiceOptions {
  /** All that have an id, by it. */
  readonly links: ReadonlyMap<string, HubLink>;
  readonly weights: Weights;
  readonly domains: Domains;
  readonly clock: Clock;
  /** The hub's own label under the domain, if it has one. */
  ownLabel(): string | null;
}

/** Changes nothing but its count of new names. */
export class IdChoice {
  readonly #o: IdChoiceOptions;
  /** New names, by workspace. */
  readonly #new = new Buckets();

  constructor(options: IdChoiceOptions) {
    this.#o = options;
  }

  /** The id for `wish` of `peer`, or why there is none. `weight`: octets of its policy. */
  choose(peer: Peer, wish: Wish, weight: number): string | NotGranted {
    const { workspace, links } = peer;
    if (!links.has(wish.name) && isFull(peer)) {
      return { code: "limit", message: `a daemon has at most ${LINKS_PER_DAEMON} links` };
    }
    const improper = wish.domain === null ? null : this.#o.domains.refusal(wish.domain);
    if (improper !== null) return { code: "bad_name", message: improper };
    const full = peer.quota.full("links");
    if (full !== null && wantsRoom(wish) && !links.get(wish.name)?.counted) {
      return { code: "limit", message: full };
    }
    if (!this.#o.weights.has(workspace, weight - (links.get(wish.name)?.weight ?? 0))) {
      return { code: "limit", message: "the policies of this workspace are too large in sum" };
    }
    const id = wish.subdomain === null ? this.#randomFor(peer, wish) : this.#subdomainFor(peer, wish);
    if (typeof id !== "string" || this.#o.links.has(id)) return id;
    const wait = this.#new.take(NEW_NAMES, workspace, this.#o.clock.mono(), true);
    return wait === null
      ? id
      : { code: "limit", message: "this workspace has made too many new names of late" };
  }

  #subdomainFor(peer: Peer, wish: Wish): string | NotGranted {
    const label = wish.subdomain!;
    try {
      checkSubdomain(label);
    } catch (error) {
      return { code: "bad_name", message: (error as SyntaxError).message };
    }
    if (label === this.#o.ownLabel()) return { code: "bad_name", message: `${label} is the hub's own name` };
    const holder = this.#o.links.get(label);
    if (holder === undefined || this.#judge(holder, peer, wish) !== "taken") return label;
    return { code: "name_taken", message: `the name ${label} is taken: ask for another subdomain` };
  }

  #randomFor(peer: Peer, wish: Wish): string {
    if (!wish.newId) {
      const asked = wish.id !== null && isRandomId(wish.id) ? wish.id : null;
      const holder = asked === null ? undefined : this.#o.links.get(asked);
      // Another link may have had the name since.
      if (holder && !holder.record.subdomain && this.#judge(holder, peer, wish) === "own") return holder.id;
      const now = peer.links.get(wish.name);
      if (now !== undefined && !now.record.subdomain) return now.id;
      // An id that this hub gave before it lost its store, or that another hub of the same store gave.
      if (asked !== null && holder === undefined) return asked;
    }
    for (;;) {
      const id = randomId();
      if (!this.#o.links.has(id)) return id;
    }
  }

  #judge({ record, peer }: HubLink, by: Peer, { name }: Wish): ReturnType<typeof judgeClaim> {
    const claimant: Claimant = { workspace: by.workspace, daemon: by.daemon, name };
    return judgeClaim(record, claimant, peer, this.#o.clock.now());
  }
}

/** One that has ended is kept for its name alone. */
function wantsRoom({ state }: Wish): boolean {
  return state === "active" || state === "error";
}

/** Names of ended links do not count: whoever makes a one-off every minute has thousands of them. */
function isFull({ links }: Peer): boolean {
  if (links.size < LINKS_PER_DAEMON) return false;
  return links.values().filter(({ record }) => record.declared).toArray().length >= LINKS_PER_DAEMON;
}
