/** What one workspace may have of a hub, as an operator writes it. */
import { printRate, type Rate } from "./units.ts";

/** Null: as much as there is. */
export interface WorkspaceLimits {
  /** Links that have not ended. */
  readonly links: number | null;
  /** Connections of its daemons and members. */
  readonly sessions: number | null;
  /** Requests and connections to its services in flight. */
  readonly streams: number | null;
  /** Of visitors, to all of its links together. */
  readonly requests: Rate | null;
}

/** What each may have, and what those that have a name may instead, key by key. */
export interface AllWorkspaceLimits {
  readonly each: WorkspaceLimits;
  readonly named: ReadonlyMap<string, Partial<WorkspaceLimits>>;
}

export const UNLIMITED: AllWorkspaceLimits = {
  each: { links: null, sessions: null, streams: null, requests: null },
  named: new Map(),
};

/** What `workspace` may have. */
export function workspaceLimits(workspace: string, { each, named }: AllWorkspaceLimits): WorkspaceLimits {
  return { ...each, ...named.get(workspace) };
}

/** Each limit that is said as hub.yaml would have it. */
export function workspaceLimitTexts(limits: Partial<WorkspaceLimits>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(limits).map(([key, most]) => {
      return [key, most === null ? "none" : typeof most === "number" ? String(most) : printRate(most)];
    }),
  );
}
