/** A daemon as the hub sees it: the connections of its present instance, its links, and who waits for it. */
import type { Clock, Timer } from "../clock.ts";
import type { ServiceDecl } from "../wire/hello.ts";
import type { Session } from "../wire/session.ts";
import type { HubLink } from "./link.ts";
import type { NotGranted } from "./ids.ts";
import { type Quota, Quotas } from "./quotas.ts";

/** A visitor that waits for a daemon to come back. */
export interface Waiting {
  /** Called once: the daemon is there (true), or has been away too long. */
  resume(back: boolean): void;
}

/** One way to the daemon. */
export interface Way {
  readonly session: Session;
  /** Tells it that another process took its place, and ends it. */
  replace(): void;
}

/** So long after a daemon was lost its visitors wait for it. A restart or a lost connection is over by then. */
export const GAP_MS = 5000;

/** So long must a daemon be away before another of its workspace gets its names. */
const HANDOVER_MS = 60_000;

/** A message is at most 1 MiB, a count some 100 bytes of it. */
const COUNTS_PER_MESSAGE = 5000;

/** One daemon of one workspace; it stays known while it is away. */
export class Peer {
  /** Of the process that is connected, or was last. */
  instance: string | null = null;
  /** Of the links as it declared them last. */
  revision = -1;
  services: readonly ServiceDecl[] = [];
  /** By the names that the daemon gives them. Ended ones stay: the name brings back its id. */
  readonly links = new Map<string, HubLink>();
  /** Why links that it declared have no id. */
  readonly notGranted = new Map<string, NotGranted>();
  /** The name of the token with which it spoke last. */
  token: string | null = null;
  /** Links with refusals that the audit trail does not count yet. */
  readonly denied = new Set<HubLink>();
  /** Links with refusals that the daemon has not been told of. */
  readonly refusals = new Set<HubLink>();
  readonly #clock: Clock;
  readonly #ways: Way[] = [];
  #lostAt: number;
  readonly #waiting = new Set<Waiting>();
  readonly #gap: Timer;

  constructor(
    readonly workspace: string,
    readonly daemon: string,
    clock: Clock,
    /** Of its workspace. */
    readonly quota: Quota = new Quotas().of(workspace),
  ) {
    this.#clock = clock;
    // After a restart of the hub every daemon is about to come back.
    this.#lostAt = clock.mono();
    this.#gap = clock.timer(() => this.#resume(false));
  }

  get online(): boolean {
    return this.#ways.length > 0;
  }

  get ways(): readonly Way[] {
    return this.#ways;
  }

  /** Whether it has been away so long that its names may go to another daemon of the workspace. */
  get yields(): boolean {
    return !this.online && this.#clock.mono() - this.#lostAt >= HANDOVER_MS;
  }

  /** The session with the least to do that takes another stream; null: there is none, or all have `most`. */
  pick(most: number): Session | null {
    let best: Session | null = null;
    for (const { session } of this.#ways) {
      if (session.streams < most && (best === null || isBetter(session, best))) best = session;
    }
    return best;
  }

  /** Streams that its sessions take besides those that are open, of `most` each. */
  free(most: number): number {
    let free = 0;
    for (const { session } of this.#ways) free += Math.max(0, most - session.streams);
    return free;
  }

  /** A session is ready for streams. It may have come because others are dead, which would not be known here yet. */
  join(way: Way): void {
    for (const { session } of this.#ways) session.doubt();
    this.#ways.push(way);
    this.#resume(true);
  }

  /** A session takes no more streams. True where it was one. */
  leave(session: Session): boolean {
    const at = this.#ways.findIndex((way) => way.session === session);
    if (at < 0) return false;
    this.#ways.splice(at, 1);
    if (!this.online) this.#lostAt = this.#clock.mono();
    return true;
  }

  /** Takes a visitor to wait; false: it has been away too long, nobody waits any more. */
  await(visitor: Waiting): boolean {
    const left = this.#lostAt + GAP_MS - this.#clock.mono();
    if (left <= 0) return false;
    this.#waiting.add(visitor);
    this.#gap.set(left);
    return true;
  }

  /** The visitor waits no more. */
  forget(visitor: Waiting): void {
    this.#waiting.delete(visitor);
  }

  /** Sends `message` over every session: one may be dead without knowing, and hearing it twice does no harm. */
  tell(message: object): void {
    for (const { session } of this.#ways) session.control(message);
  }

  /** Sends the refusals that were counted here, if there are any and somebody to tell. */
  reportRefused(): void {
    if (this.refusals.size === 0 || !this.online) return;
    const counts = [...this.refusals].flatMap((link) => link.takeRefused());
    this.refusals.clear();
    for (let i = 0; i < counts.length; i += COUNTS_PER_MESSAGE) {
      this.#ways[0].session.control({ type: "refused", counts: counts.slice(i, i + COUNTS_PER_MESSAGE) });
    }
  }

  close(): void {
    this.#gap.drop();
    this.#resume(false);
  }

  #resume(back: boolean): void {
    this.#gap.clear();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const visitor of waiting) visitor.resume(back);
  }
}

/** One that may be dead is taken only where there is no other: it would have the least to do. */
function isBetter(session: Session, than: Session): boolean {
  return session.silent === than.silent ? session.load < than.load : than.silent;
}
