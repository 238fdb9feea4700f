/** What the two ends of a session tell each other in control messages. */
import type { PolicySpec } from "../core/policy_spec.ts";

/** A service that a daemon has. */
export interface ServiceDecl {
  readonly name: string;
  readonly kind: "http" | "tcp";
  readonly access: "public" | "private";
  /** The hub may ask for links to it. */
  readonly remote: boolean;
  /** Of its target: what whoever reaches it may have on their own machine. Null: it has none, or is public. */
  readonly port: number | null;
}

/** A link as its daemon declares it. */
export interface LinkDecl {
  readonly name: string;
  /** The public id it has here; null: none yet. */
  readonly id: string | null;
  /** The name it wants instead of a random one. */
  readonly subdomain: string | null;
  /** A domain of its own, besides. */
  readonly domain: string | null;
  /** Its id is to be replaced by a fresh one. */
  readonly newId: boolean;
  readonly policy: PolicySpec;
  readonly state: "active" | "expired" | "revoked" | "error";
  /** ms since 1970; null: never. */
  readonly expiresAt: number | null;
  /** First activation or last renewal, ms since 1970; null: not yet active, or the daemon does not say. */
  readonly activatedAt: number | null;
  /** The service that it leads to; null: a target, which hubs are not told. */
  readonly service: string | null;
  /** Who made it; null: the daemon does not say. */
  readonly source: LinkSource | null;
}

/** Who made a link: an entry of the file, whoever commands the daemon, or a hub. */
export type LinkSource = "file" | "oneoff" | "hub";

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

/** The hub's word on a link's own domain. */
export interface DomainGrant {
  readonly name: string;
  /** Where the link is reached by it; null: not yet, or not at all. */
  readonly url: string | null;
  /** What its owner has to do, or why it is not to be had; null: all is well. */
  readonly message: string | null;
}

/** The hub's word on one declared link. `domain`: absent where it asks for none. */
export type Grant =
  | { readonly name: string; readonly id: string; readonly url: string; readonly domain?: DomainGrant }
  | { readonly name: string; readonly refused: { readonly code: string; readonly message: string } };

/** A link that was revoked at the hub. */
export interface Revocation {
  readonly name: string;
  readonly id: string;
  /** ms since 1970, by the hub's clock. */
  readonly at: number;
  /** Of the life that was revoked, as its daemon had declared it; null or absent: the hub does not know. */
  readonly activatedAt?: number | null;
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

/** The daemon's services change: these are all. */
export interface Services {
  readonly type: "services";
  /** Of the same count as that of links. */
  readonly revision: number;
  readonly services: readonly ServiceDecl[];
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

/** Somebody asks at the hub for a change of what the daemon owns. Told by every session; the daemon does it once. */
export interface Ask {
  readonly type: "ask";
  readonly id: string;
  readonly op: "create" | "edit" | "renew";
  /** Of the link. */
  readonly name: string;
  /** Who asks, as the hub's audit trail names them: `token:ci`. */
  readonly by: string;
  /** When, by the clock of the hub's revocations; null or absent: it does not say. */
  readonly at?: number | null;
  /** A JSON object: of `create` and `edit` keys of a link, of `renew` what the control API takes. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Why the daemon does not do it: what the hub answers to whoever asked. */
export interface AskProblem {
  readonly status: 403 | 404 | 409 | 422 | 503;
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

/** The daemon answers an ask. `problem` null: it is done, and declared. */
export interface Reply {
  readonly type: "reply";
  readonly id: string;
  readonly problem: AskProblem | null;
}

/** Either side is about to end the session, and why. */
export interface Bye {
  readonly type: "bye";
  readonly reason: "replaced" | "draining" | "revoked_token";
  readonly message: string;
}

export type Control =
  | Hello
  | Welcome
  | Links
  | Services
  | GrantedLinks
  | Revoke
  | Refused
  | Ask
  | Reply
  | Bye;

/** The version of the messages here. */
export const VERSION = 1;
