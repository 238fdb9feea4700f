/** What long rates have counted outlives the process: read when a link opens, written now and then. */
import type { Clock } from "../clock.ts";
import { Buckets } from "../core/limit.ts";
import { PolicyState } from "../core/policy.ts";
import type { ManagedLink } from "./managed.ts";
import type { Records, Scope } from "./records.ts";

export class RateKeeper {
  /** `behind` hears of a write that a link began. */
  constructor(
    private readonly records: Records,
    private readonly clock: Clock,
    private readonly behind: (written: Promise<void>, link: string) => void,
  ) {}

  /** What link `name` remembers of a daemon before this one. */
  restore(scope: Scope, name: string): PolicyState {
    const saved = this.records.rates(scope, name);
    if (saved === undefined) return new PolicyState();
    const { clock } = this;
    return new PolicyState(Buckets.restore(saved.buckets, clock.mono(), clock.now() - saved.at));
  }

  /** Writes what `link` has counted since it was last written, where there is anything. */
  save(link: ManagedLink): void {
    const { buckets } = link.served.state;
    const { spent } = link;
    if (buckets.spent === spent) return;
    link.spent = buckets.spent;
    const { clock, records } = this;
    const saved = buckets.save(clock.mono());
    if (saved === null) return;
    const { scope, name } = link;
    const written = records.putRates(scope, name, { at: clock.now(), buckets: saved });
    this.behind(written, name);
    // It is written again when the next time comes, with a request in between or without.
    written.catch(() => link.spent = spent);
  }
}
