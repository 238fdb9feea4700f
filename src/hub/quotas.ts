/** What each workspace uses of a hub, and what it may: counted as it happens, never looked up in the store. */
import { type Refusal, refusal } from "../core/errors.ts";
import { Buckets } from "../core/limit.ts";
import { rateFields } from "../core/rate_fields.ts";
import type { Rate } from "../core/units.ts";
import {
  type AllWorkspaceLimits,
  UNLIMITED,
  type WorkspaceLimits,
  workspaceLimits,
} from "../core/workspace_limits.ts";

const BUSY = refusal("hub_busy");

/** One workspace. Whoever begins and ends something counts it here. */
export class Quota {
  links = 0;
  sessions = 0;
  streams = 0;
  #limits: WorkspaceLimits;
  /** The one rate as a list, for the buckets; null: there is none. */
  #rates: readonly Rate[] | null = null;
  readonly #requests = new Buckets();

  constructor(readonly workspace: string, limits: WorkspaceLimits) {
    this.#limits = limits;
    this.tune(limits);
  }

  get limits(): WorkspaceLimits {
    return this.#limits;
  }

  /** Other limits from now on. What is there stays. */
  tune(limits: WorkspaceLimits): void {
    this.#limits = limits;
    this.#rates = limits.requests === null ? null : [limits.requests];
  }

  /** Why there is no room for another one; null: there is. */
  full(what: "links" | "sessions"): string | null {
    const most = this.#limits[what];
    if (most === null || this[what] < most) return null;
    const full = `the workspace ${this.workspace} has as many ${what} as it may (${most})`;
    // Nobody looks for those that lie with a machine which is switched off.
    return what === "links" ? `${full}: revoke one, of a daemon that is away perhaps` : full;
  }

  /** Why no other request goes to a daemon at `nowMs` of the clock that only goes forward; null: it does, and has counted. */
  take(nowMs: number): Refusal | null {
    const { streams } = this.#limits, rates = this.#rates;
    if (streams !== null && this.streams >= streams) return BUSY;
    if (rates === null) return null;
    const wait = this.#requests.take(rates, "", nowMs, true);
    return wait === null ? null : refusal("rate_limited", rateFields(rates, wait, () => "workspace"));
  }
}

/** All workspaces that were heard of. */
export class Quotas {
  readonly #quotas = new Map<string, Quota>();

  constructor(private limits: AllWorkspaceLimits = UNLIMITED) {}

  of(workspace: string): Quota {
    let quota = this.#quotas.get(workspace);
    if (quota === undefined) {
      this.#quotas.set(workspace, quota = new Quota(workspace, workspaceLimits(workspace, this.limits)));
    }
    return quota;
  }

  /** Other limits from now on. */
  tune(limits: AllWorkspaceLimits = UNLIMITED): void {
    this.limits = limits;
    for (const quota of this.#quotas.values()) quota.tune(workspaceLimits(quota.workspace, limits));
  }
}
