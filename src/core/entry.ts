/** What a file or a one-off asks for, parsed: the desired side of a plan. */
import type { PolicySpec } from "./policy.ts";
import type { Target } from "./target.ts";

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
  readonly policy: PolicySpec;
  /** Absolute paths of the files that hold its credentials. */
  readonly auth: { readonly basicFile: string | null; readonly bearerFile: string | null };
  /** Host sent to the target: `target`, `public` or a name. */
  readonly host: string;
  readonly timeoutMs: number;
  readonly drainMs: number;
  readonly subdomain: string | null;
  readonly inspect: "off" | "heads" | "bodies";
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

/** The printed form of every key of `entry` that is not absent, in the order of the documentation. */
export function printEntry(_entry: Entry): Map<string, string> {
  throw new Error("not yet");
}

/** What differs between two parsed entries; order of keys and lists, comments and spelling do not count. */
export function entryChanges(_a: Entry, _b: Entry): Change[] {
  throw new Error("not yet");
}
