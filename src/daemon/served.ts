/** A link at run time: what the control line changes and the data line serves by. Both lines meet here only. */
import { createHash } from "node:crypto";
import type { Clock, Timer } from "../clock.ts";
import { Bag, type Bagged } from "../core/bag.ts";
import type { Code, Refusal } from "../core/errors.ts";
import type { Entry } from "../core/entry.ts";
import { compileEdits } from "../core/field_edits.ts";
import { Policy, PolicyState } from "../core/policy.ts";
import type { TargetPool } from "../net/pool.ts";
import type { Auth } from "./auth.ts";
import type { Uses } from "./uses.ts";

/** What a link has done since it was opened (product: "A link in JSON"). */
export interface Counters {
  allowed: number;
  readonly denied: Partial<Record<Code, number>>;
  /** What a shadow link's policy would have refused. */
  readonly shadowed: Partial<Record<Code, number>>;
  /** Body octets from visitors and to them; of an upgrade, everything after the 101. */
  bytesIn: number;
  bytesOut: number;
  /** Requests in flight. */
  open: number;
}

/** Something in flight that can be told to end now. */
export interface Cuttable extends Bagged {
  cut(): void;
  /** Ends where it only waits for a target that may come: nothing of it is under way. */
  hurry(): void;
}

/** Where a link gets what it holds; the daemon makes one for all links. */
export interface Parts {
  readonly clock: Clock;
  /** The daemon's id: with the link's name it makes the digest that finds loops. */
  readonly daemon: string;
  pool(entry: Entry): TargetPool;
  /** Null for a link without `auth`. The files are read at once; `changed` is called when `problem` changed. */
  auth(entry: Entry, changed: () => void): Auth | null;
}

/** How the data line finds a link. The control line keeps the ids: per hub, ended ones included. */
export interface Links {
  /** A link that is served or about to end, the answer for an id that ended, or null: no such link here. */
  byId(hub: string, id: string): ServedLink | Refusal | null;
}

/** True for a link, false for the answer of an ended one. */
export function isServed(found: ServedLink | Refusal): found is ServedLink {
  return found instanceof ServedLink;
}

/** One link while it runs. The control line writes `ended`, `failing`, `expiresAt`; nobody else does. */
export class ServedLink {
  readonly name: string;
  readonly counters: Counters = { allowed: 0, denied: {}, shadowed: {}, bytesIn: 0, bytesOut: 0, open: 0 };
  /** Rate limits, failed credentials, streams: survives every `retune`. */
  readonly state: PolicyState;
  /** In CDN-Loop of every request that goes to the target: seen again, the link leads to itself. */
  readonly digest: string;
  readonly streams = new Bag<Cuttable>();
  entry: Entry;
  policy: Policy;
  pool: TargetPool;
  auth: Auth | null;
  /** The Host that the target gets; null: the visitor's own. */
  host: string | null;
  /** What is changed of heads on their way. */
  edits: ReturnType<typeof compileEdits>;
  /** How long a request is held for a target that can't be connected to. */
  holdMs: number;
  /** Counts requests that are admitted, and lets them go on; null: nobody need. */
  uses: Uses | null = null;
  /** Why new requests are refused for good: revoked, expired, removed. */
  ended: Refusal | null = null;
  /** Why the link is in `error`, or null. What is wrong with an auth file stands in `auth.problem`. */
  failing: string | null = null;
  /** When it expires, ms since 1970; null: never. Compared at every request. */
  expiresAt: number | null = null;
  /** How the target failed last; null: it has answered since. */
  trouble: string | null = null;
  /** Called when an auth file became good or bad. */
  onProblem: (() => void) | null = null;
  readonly #parts: Parts;
  #drain: Timer | null = null;
  /** It goes for good when it is cut. */
  #retired = false;

  /** `state`: of a link that ran before under this name, or in a daemon before this one. */
  constructor(entry: Entry, parts: Parts, state = new PolicyState()) {
    this.#parts = parts;
    this.name = entry.name;
    this.entry = entry;
    this.policy = new Policy(entry.policy);
    this.host = hostFor(entry);
    this.edits = compileEdits(entry.headers);
    this.holdMs = entry.holdMs;
    this.state = state;
    this.digest = createHash("sha256").update(`${parts.daemon}/${entry.name}`).digest("hex").slice(0, 16);
    this.pool = parts.pool(entry);
    this.auth = parts.auth(entry, this.#authChanged);
  }

  /** Why the link is in `error`: nobody is admitted until it is null. */
  get problem(): string | null {
    return this.failing ?? this.auth?.problem ?? null;
  }

  /** Takes the entry's new form. No stream is cut, and what the rates have counted stays counted. */
  retune(entry: Entry): void {
    const before = this.entry;
    this.entry = entry;
    this.policy = new Policy(entry.policy);
    this.host = hostFor(entry);
    this.edits = compileEdits(entry.headers);
    this.holdMs = entry.holdMs;
    if (!same(before.target, entry.target) || !same(before.tls, entry.tls)) {
      const old = this.pool;
      this.pool = this.#parts.pool(entry);
      old.close();
    }
    if (!same(before.auth, entry.auth)) {
      const old = this.auth;
      this.auth = this.#parts.auth(entry, this.#authChanged);
      old?.close();
    }
  }

  /** Cuts what is in flight `drainMs` from now, and at once what is held; `keep` in time calls it off. */
  cut(drainMs: number): void {
    if (drainMs <= 0) return this.#cutAll();
    this.#hurryAll();
    this.#drain ??= this.#parts.clock.timer(() => this.#cutAll());
    this.#drain.set(drainMs);
  }

  /** Holds no request any more for a target that can't be connected to. */
  hurry(): void {
    this.holdMs = 0;
    this.#hurryAll();
  }

  /** Calls off a `cut` that has not happened: the link was renewed. */
  keep(): void {
    this.#drain?.clear();
  }

  /** The link is gone: what is in flight has `drainMs`, then files and connections are given back. */
  retire(drainMs: number): void {
    this.#retired = true;
    if (this.streams.size === 0) this.close();
    else this.cut(drainMs);
  }

  /** Streams are cut, files and connections given back. */
  close(): void {
    this.#retired = false;
    this.#cutAll();
    this.#drain?.drop();
    this.auth?.close();
    this.pool.close();
  }

  /** Counts refusals, the data line's own or those that a hub reports. */
  deny(code: Code, n = 1): void {
    this.counters.denied[code] = (this.counters.denied[code] ?? 0) + n;
  }

  /** Counts what the policy of a shadow link would have refused. */
  shadow(code: Code): void {
    this.counters.shadowed[code] = (this.counters.shadowed[code] ?? 0) + 1;
  }

  #hurryAll(): void {
    for (const stream of this.streams.items()) stream.hurry();
  }

  #cutAll(): void {
    this.#drain?.clear();
    for (const stream of this.streams.items()) stream.cut();
    if (this.#retired) this.close();
  }

  readonly #authChanged = (): void => this.onProblem?.();
}

/** Behind a unix socket and in echo nothing has a name: they get the one that curl sends there. */
function hostFor({ host, target }: Entry): string | null {
  if (host !== "target") return host === "public" ? null : host;
  if (target.kind === "echo" || target.kind === "unix") return "localhost";
  const name = target.host.includes(":") ? `[${target.host}]` : target.host;
  return target.port === (target.kind === "https" ? 443 : 80) ? name : `${name}:${target.port}`;
}

/** Parts of two entries are plain JSON made by one reader, so equal ones print the same. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
