/** What the control API prints of links and hubs. */
import { time } from "../api/call.ts";
import type { Problem } from "../config/problem.ts";
import { policyJson } from "../core/policy.ts";
import { headersJson } from "../core/field_edits.ts";
import { expiresAt, type LinkState, usesLeft } from "../core/link.ts";
import { printTarget } from "../core/target.ts";
import { printDuration } from "../core/units.ts";
import type { HubStatus } from "./hub_status.ts";
import { type ManagedLink, overall } from "./managed.ts";
import type { Counters } from "./served.ts";

/** A link in JSON (product §5). Times are RFC 3339 UTC. */
export interface LinkJson {
  readonly name: string;
  /** Public id and URL on the first hub that gave one. */
  readonly id: string | null;
  readonly url: string | null;
  readonly urls: readonly {
    readonly hub: string;
    readonly id: string | null;
    readonly url: string | null;
    readonly state: LinkState;
    readonly lastError: string | null;
  }[];
  /** Its own domain: where it is reached by that, and what there is to do for it, at the first hub that says. */
  readonly domain:
    | { readonly name: string; readonly url: string | null; readonly message: string | null }
    | null;
  readonly target: string;
  readonly service: string | null;
  readonly state: LinkState;
  readonly source: "file" | "oneoff" | "hub";
  readonly activatedAt: string | null;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  /** Requests that it admits from one activation on, and those that are left; null: any number. */
  readonly uses: { readonly max: number; readonly left: number } | null;
  /** In the forms that an entry is written in. */
  readonly policy: Readonly<Record<string, unknown>>;
  readonly counters: Counters;
  readonly lastError: string | null;
}

/** A hub as `status` shows it. */
export type HubJson = Omit<HubStatus, "key" | "since"> & { readonly since: string };

export function hubJson({ key: _, since, ...rest }: HubStatus): HubJson {
  return { ...rest, since: time(since)! };
}

/** The daemon as `GET /v1/status` shows it (interfaces: Reload). Times are RFC 3339 UTC. */
export interface StatusJson {
  readonly version: string;
  readonly instance: string;
  readonly startedAt: string;
  readonly config: {
    /** Null: there is none. */
    readonly file: string | null;
    /** Applied reloads that changed something. */
    readonly generation: number;
    readonly appliedAt: string | null;
    /** SHA-256 of the text that is applied. */
    readonly hash: string | null;
    /** Of the last reading, until a good one is applied; warnings stay. */
    readonly problems: readonly Problem[];
  };
  readonly hubs: readonly HubJson[];
  /** How many links are in each state. */
  readonly links: Readonly<Record<string, number>>;
  /** Links in shadow by name, and what each would have refused. */
  readonly shadowed: Readonly<Record<string, Counters["shadowed"]>>;
}

/** What is printed later, of an event that is kept, must not count on. */
function copyOf({ denied, shadowed, ...counters }: Counters): Counters {
  return { ...counters, denied: { ...denied }, shadowed: { ...shadowed } };
}

/** The state of `link` over all of `hubs`, as linkJson has it. */
function stateAt(link: ManagedLink, hubs: readonly HubStatus[]): LinkState {
  const states = hubs.filter(({ state }) => state !== "ignored").map((hub) =>
    link.stateAt(hub.key, hub.connections > 0)
  );
  return overall(states.length === 0 ? [link.stateAt("", false)] : states);
}

/** How many of `links` are in each state, without the work of making their JSON. */
export function countStates(
  links: Iterable<ManagedLink>,
  hubs: readonly HubStatus[],
): Partial<Record<LinkState, number>> {
  const counts: Partial<Record<LinkState, number>> = {};
  for (const link of links) {
    const state = stateAt(link, hubs);
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

/** `link` at `hubs`, those that are dialled. */
export function linkJson(link: ManagedLink, hubs: readonly HubStatus[]): LinkJson {
  const { served, record } = link;
  const { entry } = served;
  const urls = hubs.filter(({ state }) => state !== "ignored").map((hub) => {
    const grant = link.grants.get(hub.key);
    return {
      hub: hub.url,
      id: record.ids[hub.key] ?? null,
      url: grant !== undefined && "url" in grant ? grant.url : null,
      state: link.stateAt(hub.key, hub.connections > 0),
      lastError: link.errorAt(hub.key) ?? hub.lastError,
    };
  });
  const first = urls.find(({ url }) => url !== null) ?? urls.find(({ id }) => id !== null);
  const state = stateAt(link, hubs);
  return {
    name: link.name,
    id: first?.id ?? null,
    url: first?.url ?? null,
    urls,
    domain: domainJson(link, hubs),
    target: printTarget(entry.target),
    service: entry.service,
    state,
    source: entry.source,
    activatedAt: time(record.activatedAt),
    expiresAt: time(expiresAt(record)),
    revokedAt: time(record.revokedAt),
    uses: entry.maxUses === null ? null : { max: entry.maxUses, left: usesLeft(record)! },
    policy: {
      ...policyJson(entry.policy),
      maxUses: entry.maxUses,
      host: entry.host,
      headers: headersJson(entry.headers),
      timeout: printDuration(entry.timeoutMs),
      hold: entry.holdMs === 0 ? null : printDuration(entry.holdMs),
      drain: printDuration(entry.drainMs),
      inspect: entry.inspect,
      inspectLast: entry.inspectLast,
      inspectRedact: entry.inspectRedact,
    },
    counters: copyOf(served.counters),
    lastError: state === "error" || state === "pending"
      ? urls.find(({ lastError }) => lastError !== null)?.lastError ?? served.problem
      : served.trouble ??
        (state === "active" ? urls.find(({ lastError }) => lastError !== null)?.lastError : null) ??
        null,
  };
}

function domainJson(link: ManagedLink, hubs: readonly HubStatus[]): LinkJson["domain"] {
  const { domain } = link.served.entry;
  if (domain === null) return null;
  const said = hubs.map(({ key }) => link.domainAt(key)).find((word) => word !== null);
  return said ?? { name: domain, url: null, message: null };
}

/** The links in shadow by name, and what each would have refused. */
export function shadowedOf(links: readonly LinkJson[]): Record<string, Counters["shadowed"]> {
  const shadows = links.filter(({ policy }) => policy.shadow === true);
  return Object.fromEntries(shadows.map(({ name, counters }) => [name, counters.shadowed]));
}
