/** A link with its life: what it serves by, what is stored of it, and what the hubs said. */
import type { Entry } from "../core/entry.ts";
import { endedAs, type LinkRecord, type LinkState, wouldEnd } from "../core/link.ts";
import type { DomainGrant, Grant } from "../wire/hello.ts";
import type { Scope } from "./records.ts";
import type { ServedLink } from "./served.ts";

/** Replaced by nobody but `Life`. */
export class ManagedLink {
  /** Hub → its last word on the link. */
  readonly grants = new Map<string, Grant>();
  /** Why it serves nobody, as was told to everybody; null: it serves. */
  ended: "revoked" | "expired" | null;
  /** What the rates had counted when that was last saved. */
  spent: number;
  /** What was last logged to be wrong with it; null: nothing. */
  logged: string | null = null;
  /** The revision in which the hubs were first told of it: what answers an earlier one means who had its name before. */
  since: number | null = null;
  /** Hub → the revision in which it was told of it last. */
  readonly told = new Map<string, number>();
  /** The `at` of the last revocation that a hub told: it comes by every session. */
  revocation: number | null = null;
  /** Settled when it ends. */
  #ended = Promise.withResolvers<void>();

  constructor(readonly scope: Scope, readonly served: ServedLink, public record: LinkRecord, now: number) {
    this.ended = endedAs(record, now);
    this.spent = served.state.buckets.spent;
  }

  get name(): string {
    return this.served.name;
  }

  /** Requests in flight that it loses when it goes on as `entry` at `now`; null: when it is closed. */
  cuts(entry: Entry | null, now: number): number {
    return entry === null || wouldEnd(this.record, entry, now) ? this.served.streams.size : 0;
  }

  /** Settles when it has ended, or is closed. */
  get whenEnded(): Promise<void> {
    return this.#ended.promise;
  }

  /** It has ended. */
  over(): void {
    this.#ended.resolve();
  }

  /** It begins anew. */
  again(): void {
    this.#ended = Promise.withResolvers<void>();
  }

  /** Its state at one hub; `connected`: there is a session. */
  stateAt(hub: string, connected: boolean): LinkState {
    if (this.ended !== null) return this.ended;
    if (this.served.problem !== null) return "error";
    const grant = this.grants.get(hub);
    if (grant !== undefined && "refused" in grant) return "error";
    return connected && grant !== undefined ? "active" : "pending";
  }

  /** What a hub says of the link's own domain; null: it has none, or the hub has not said. */
  domainAt(hub: string): DomainGrant | null {
    const grant = this.grants.get(hub);
    // It answers what was asked before the file was edited.
    if (grant === undefined || "refused" in grant || grant.domain?.name !== this.served.entry.domain) {
      return null;
    }
    return grant.domain ?? null;
  }

  /** What is wrong at one hub, or everywhere; null: nothing. */
  errorAt(hub: string): string | null {
    const grant = this.grants.get(hub);
    if (grant !== undefined && "refused" in grant) return this.served.problem ?? grant.refused.message;
    return this.served.problem ?? this.domainAt(hub)?.message ?? null;
  }
}

/** The state of a link at several hubs as one word: the best of them. */
export function overall(states: readonly LinkState[]): LinkState {
  const order: readonly LinkState[] = ["revoked", "expired", "active", "error", "pending"];
  return order.find((state) => states.includes(state)) ?? "pending";
}
