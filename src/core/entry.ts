/** What a file or a one-off asks for, parsed: the desired side of a plan. */
import { exposeHeaders, type HeadersSpec, hideHeaders, printHeaders } from "./field_edits.ts";
import type { PolicySpec } from "./policy.ts";
import { printTarget, type Target } from "./target.ts";
import { printDuration, printRate, printSize } from "./units.ts";

/** A hub to dial: an origin, and how to trust and greet it. */
export interface HubAddress {
  /** `https://hub.example.com`: an origin, without a slash at its end. */
  readonly url: string;
  /** Absolute path; null: the default places (product §1). */
  readonly tokenFile: string | null;
  readonly caFile: string | null;
  /** Plain HTTP to a hub that is not on this machine is wanted. */
  readonly plain: boolean;
}

/** A name for a target, registered at the hubs. */
export interface Service {
  readonly name: string;
  readonly target: Target;
  readonly access: "public" | "private";
  /** Names of tokens that may reach it; null: any of the workspace. */
  readonly allow: readonly string[] | null;
  /** Under `remote: manage` the hub may make links to it. */
  readonly remote: boolean;
}

/** TLS towards an https target. */
export interface TargetTls {
  readonly caFile: string | null;
  readonly serverName: string | null;
  readonly insecure: boolean;
}

/** So many requests of a link are kept unless it says otherwise. */
export const INSPECT_LAST = 100;

/** A link as somebody wants it: defaults and services resolved, paths absolute, times in ms. */
export interface Entry {
  readonly name: string;
  readonly source: "file" | "oneoff" | "hub";
  readonly target: Target;
  /** The service whose target it is; null: the entry names its own. */
  readonly service: string | null;
  /** Life from the first activation; null: never ends (or `until` says when). */
  readonly ttlMs: number | null;
  /** Absolute end, ms since 1970; null: `ttlMs` counts. */
  readonly until: number | null;
  /** Requests that it admits from one activation on; null: any number. */
  readonly maxUses: number | null;
  readonly policy: PolicySpec;
  /** Absolute paths of the files that hold its credentials. */
  readonly auth: { readonly basicFile: string | null; readonly bearerFile: string | null };
  /** Host sent to the target: `target`, `public` or a name. */
  readonly host: string;
  readonly headers: HeadersSpec | null;
  readonly timeoutMs: number;
  /** How long a request waits for a target that can't be connected to; 0: not at all. */
  readonly holdMs: number;
  readonly drainMs: number;
  readonly subdomain: string | null;
  /** One of its own, besides. */
  readonly domain: string | null;
  readonly inspect: "off" | "heads" | "bodies";
  /** How many requests are kept. */
  readonly inspectLast: number;
  /** Names of fields, and of parameters of a query, whose values are not shown. */
  readonly inspectRedact: readonly string[];
  readonly tls: TargetTls | null;
  /** Where its name stands in the file, 1-based; 0 where there is no file. */
  readonly line: number;
  readonly column: number;
  /** Line of each key that was written, its own or the default's; for `explain`. */
  readonly lines: ReadonlyMap<string, number>;
}

/** One key of an entry that differs, in printed forms; null where absent. */
export interface Change {
  readonly key: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** How a key is compared and shown. */
interface Print {
  readonly key: string;
  /** What it means, as JSON-able data: two entries differ where this does. null: absent. */
  readonly value: (entry: Entry) => unknown;
  /** Called only where `value` is not null. */
  readonly print: (entry: Entry) => string;
}

/** A list whose order means nothing. */
const unordered = (list: readonly string[] | null) => list === null ? null : [...list].sort();

const joined = (list: readonly string[] | null) => (list ?? []).join(", ");

const word = (key: string, value: (entry: Entry) => string | null): Print => ({
  key,
  value,
  print: (entry) => value(entry) ?? "",
});

/** In the order of the documentation. A service is compared by the target it stands for. */
const PRINTS: readonly Print[] = [
  { key: "target", value: (e) => e.target, print: (e) => printTarget(e.target) },
  {
    key: "ttl",
    value: (e) => e.until === null ? e.ttlMs ?? "never" : null,
    print: (e) => printDuration(e.ttlMs),
  },
  word("until", (e) => e.until === null ? null : new Date(e.until).toISOString().replace(".000Z", "Z")),
  { key: "max_uses", value: (e) => e.maxUses, print: (e) => String(e.maxUses) },
  {
    key: "methods",
    value: (e) => unordered(e.policy.methods),
    print: (e) => (e.policy.methods ?? []).join(","),
  },
  { key: "paths", value: (e) => unordered(e.policy.paths), print: (e) => joined(e.policy.paths) },
  {
    key: "rate",
    value: (e) => e.policy.rate.length === 0 ? null : e.policy.rate,
    print: (e) => e.policy.rate.map(printRate).join(", "),
  },
  word("auth", (e) => {
    const { basicFile, bearerFile } = e.auth;
    const parts = [basicFile && `basic ${basicFile}`, bearerFile && `bearer ${bearerFile}`].filter(Boolean);
    return parts.length === 0 ? null : parts.join(", ");
  }),
  { key: "allow_ips", value: (e) => unordered(e.policy.allowIps), print: (e) => joined(e.policy.allowIps) },
  word("host", (e) => e.host),
  { key: "headers", value: (e) => exposeHeaders(e.headers), print: (e) => printHeaders(e.headers!) },
  { key: "max_body", value: (e) => e.policy.maxBody, print: (e) => printSize(e.policy.maxBody ?? 0) },
  { key: "max_streams", value: (e) => e.policy.maxStreams, print: (e) => String(e.policy.maxStreams) },
  {
    key: "upgrade",
    value: (e) => unordered(e.policy.upgrade),
    print: (e) => e.policy.upgrade.length === 0 ? "false" : joined(e.policy.upgrade),
  },
  word("timeout", (e) => printDuration(e.timeoutMs)),
  word("hold", (e) => e.holdMs === 0 ? null : printDuration(e.holdMs)),
  word("shadow", (e) => String(e.policy.shadow)),
  word("subdomain", (e) => e.subdomain),
  word("domain", (e) => e.domain),
  word("drain", (e) => printDuration(e.drainMs)),
  word("inspect", (e) => e.inspect),
  { key: "inspect_last", value: (e) => e.inspectLast, print: (e) => String(e.inspectLast) },
  {
    key: "inspect_redact",
    value: (e) => e.inspectRedact.length === 0 ? null : unordered(e.inspectRedact),
    print: (e) => joined(e.inspectRedact),
  },
  word("tls", ({ tls }) => {
    if (tls === null) return null;
    return [
      tls.caFile && `ca_file ${tls.caFile}`,
      tls.serverName && `server_name ${tls.serverName}`,
      `insecure ${tls.insecure}`,
    ].filter(Boolean).join(", ");
  }),
];

/** What differs between two parsed entries; order of keys and lists, comments and spelling do not count. */
export function entryChanges(a: Entry, b: Entry): Change[] {
  const changes: Change[] = [];
  for (const { key, value, print } of PRINTS) {
    const [from, to] = [value(a), value(b)];
    if (JSON.stringify(from) === JSON.stringify(to)) continue;
    const change = { key, from: from === null ? null : print(a), to: to === null ? null : print(b) };
    // Values that are not shown differ.
    changes.push(change.from === change.to ? { ...change, to: `${change.to} (others)` } : change);
  }
  return changes;
}

/** An entry as JSON for the daemon's own store: with its credentials, without its places in a file. */
export function storeEntry({ lines: _, ...entry }: Entry): string {
  return JSON.stringify({ ...entry, headers: exposeHeaders(entry.headers) });
}

/** What `storeEntry` gave, also before an entry had all of these members. */
export function restoreEntry(stored: string): Entry {
  const entry = JSON.parse(stored) as Entry;
  return {
    ...entry,
    maxUses: entry.maxUses ?? null,
    domain: entry.domain ?? null,
    headers: hideHeaders(entry.headers),
    holdMs: entry.holdMs ?? 0,
    inspectLast: entry.inspectLast ?? INSPECT_LAST,
    inspectRedact: entry.inspectRedact ?? [],
    lines: new Map(),
  };
}
