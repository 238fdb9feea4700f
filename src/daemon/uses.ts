/** The requests that links with `max_uses` still admit: each is on disk before it goes on, and the last one ends its link. */
import { expiresAt, use, usesLeft } from "../core/link.ts";
import type { Log } from "../log.ts";
import type { ManagedLink } from "./managed.ts";
import type { Records } from "./records.ts";

/** A request that was admitted, and waits to be counted. */
export interface User {
  /** Its use is on disk and it may go on; false: it could not be stored. */
  counted(stored: boolean): void;
}

export interface UseMeans {
  readonly records: Records;
  readonly log: Log;
  /** Serves by what the link's record says now. */
  settle(link: ManagedLink): void;
}

/** Those of one link. */
export class Uses {
  #failing = false;

  constructor(private readonly link: ManagedLink, private readonly means: UseMeans) {}

  /** How many are left; those on their way to the disk are gone. */
  get left(): number {
    return usesLeft(this.link.record) ?? Infinity;
  }

  /** Takes one of those that are left. What many take in the time of one write shares the next. */
  take(user: User): void {
    const { link } = this;
    const taken = link.record = use(link.record, 1);
    this.#put().then(() => {
      this.#failing = false;
      if (this.left === 0 && this.#stands()) this.means.settle(link);
      user.counted(true);
    }, (error) => {
      this.#say(error as Error);
      // A renewal has begun to count anew since.
      if (this.#stands() && link.record.renewedAt === taken.renewedAt) {
        link.record = use(link.record, -1);
        this.#put().catch(() => {});
      }
      user.counted(false);
    });
  }

  /** The record of one that was closed meanwhile may be forgotten, and its name another's. */
  #stands(): boolean {
    return this.link.served.ended === null;
  }

  #put(): Promise<void> {
    const { scope, name, record } = this.link;
    return this.means.records.put(scope, name, record);
  }

  #say({ message }: Error): void {
    if (this.#failing) return;
    this.#failing = true;
    this.means.log.error("requests are refused: their use of the link could not be stored", {
      link: this.link.name,
      error: message,
    });
  }
}

/** Those of all links. */
export class UseKeeper {
  /** Ended by their last use: what was admitted goes on, but not beyond the link's end by the clock. */
  readonly #waning = new Set<ManagedLink>();

  constructor(private readonly means: UseMeans) {}

  /** Counts for `link` from now on, or no longer, as its entry says. */
  follow(link: ManagedLink): void {
    const { served } = link;
    served.uses = served.entry.maxUses === null ? null : new Uses(link, this.means);
  }

  /** True where `link`, which has expired at `now`, did so by its last use. */
  wanes(link: ManagedLink, now: number): boolean {
    if (usesLeft(link.record) !== 0 || (expiresAt(link.record) ?? Infinity) <= now) return false;
    this.#waning.add(link);
    return true;
  }

  /** Links whose last requests are done, or whose time is over, are over. */
  ticked(now: number): void {
    for (const link of this.#waning) {
      const { ended, served } = link;
      const late = (served.expiresAt ?? Infinity) <= now;
      if (ended === "expired" && served.streams.size > 0 && !late) continue;
      this.#waning.delete(link);
      // Renewed, or revoked and so cut already.
      if (ended !== "expired") continue;
      served.cut(served.entry.drainMs);
      link.over();
    }
  }
}
