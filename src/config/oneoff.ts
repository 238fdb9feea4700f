/** One-off links: an entry that came as JSON. */
import type { Entry } from "../core/entry.ts";
import type { Config } from "./links.ts";

/** What is wrong with a member of a JSON body (interfaces: errors of APIs). */
export interface MemberError {
  readonly pointer: string;
  readonly detail: string;
}

/** What surrounds a one-off: the file's services and defaults, the folder that relative paths start from. */
export interface OneOffOptions {
  readonly now: number;
  readonly config: Config | null;
  readonly dir: string;
  readonly home?: string;
  readonly source: "oneoff" | "hub";
}

/** Reads a one-off's JSON (keys of an entry in camelCase, and `name`). With errors, `entry` is null. */
export function readEntry(
  _value: unknown,
  _options: OneOffOptions,
): { entry: Entry | null; errors: MemberError[] } {
  throw new Error("not yet");
}
