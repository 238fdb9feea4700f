/** What the two ends of a session tell each other in control messages. */
import type { PolicySpec } from "../core/policy_spec.ts";

/** A service that a daemon has. */
export interface ServiceDecl {
  readonly name: string;
  readonly kind: "http" | "tcp";
  readonly access: "public" | "private";
}

/** A link as its daemon declares it. */
export interface LinkDecl {
  readonly name: string;
  /** The public id it has here; null: none yet. */
  readonly id: string | null;
  /** The name it wants instead of a random one. */
  readonly subdomain: string | null;
  /** Its id is to be replaced by a fresh one. */
  readonly newId: boolean;
  readonly policy: PolicySpec;
  readonly state: "active" | "expired" | "revoked" | "error";
  /** ms since 1970; null: never. */
  readonly expiresAt: number | null;
}

/** The daemon begins. `more`: further links follow in `links` messages, the last of which has `more` false. */
export interface Hello {
  readonly type: "hello";
  readonly version: number;
  readonly software: string;
  readonly features: readonly string[];
  /** Random, kept in the daemon's state. */
  readonly daemon: string;
  /** Random per process. */
  readonly instance: string;
  readonly connection: number;
  readonly services: readonly ServiceDecl[];
  readonly links: readonly LinkDecl[];
  readonly revision: number;
  readonly more: boolean;
}

/** The hub's word on one declared link. */
export type Grant =
  | { readonly name: string; readonly id: string; readonly url: string }
  | { readonly name: string; readonly refused: { readonly code: string; readonly message: string } };

/** A link that was revoked at the hub. */
export interface Revocation {
  readonly name: string;
  readonly id: string;
  /** ms since 1970. */
  readonly at: number;
}

/** The hub answers a hello. */
export interface Welcome {
  readonly type: "welcome";
  readonly version: number;
  readonly hub: string;
  readonly limits: { readonly streams: number };
  readonly links: readonly Grant[];
  readonly revoked: readonly Revocation[];
  readonly hubs: readonly string[];
  readonly revision: number;
}

/** A link that the daemon declares no more. */
export interface Removal {
  readonly name: string;
  readonly id: string | null;
  readonly reason: "removed" | "revoked" | "expired";
}

/** The daemon's links change. */
export interface Links {
  readonly type: "links";
  readonly revision: number;
  readonly set: readonly LinkDecl[];
  readonly remove: readonly Removal[];
  readonly more: boolean;
}

/** The hub answers `links`. */
export interface GrantedLinks {
  readonly type: "granted";
  readonly revision: number;
  readonly links: readonly Grant[];
}

/** A link was revoked at the hub. */
export interface Revoke extends Revocation {
  readonly type: "revoke";
}

/** Requests that the hub refused by a link's policy since it last told, for the daemon's counters. */
export interface Refused {
  readonly type: "refused";
  readonly counts: readonly { readonly id: string; readonly code: string; readonly n: number }[];
}

/** Either side is about to end the session, and why. */
export interface Bye {
  readonly type: "bye";
  readonly reason: "replaced" | "draining" | "revoked_token";
  readonly message: string;
}

export type Control = Hello | Welcome | Links | GrantedLinks | Revoke | Refused | Bye;

/** The version of the messages here. */
export const VERSION = 1;
