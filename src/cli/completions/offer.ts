/** What a shell may offer, whichever shell it is. */
import type { Flag } from "../verb.ts";

/** Offered in place of a word; `none`: it is anybody's guess. */
export type Offer =
  | { readonly kind: "none" | "file" | "folder" | "link" }
  | { readonly kind: "choices"; readonly choices: readonly string[] };

/** All that may stand behind a verb. */
export interface Offers {
  readonly verb: string;
  readonly brief: string;
  readonly takesWords: boolean;
  readonly words: Offer;
  /** More than one of such words. */
  readonly several: boolean;
  readonly flags: readonly { readonly flag: Flag; readonly offer: Offer | null }[];
}

/**
 * Prints the names of the daemon's links, a line each, and nothing where none runs. The members of a list stand six
 * blanks deep in what `--json` prints; no shell has more than sed to read it.
 */
export const LINK_NAMES =
  `connectd list --json 2>/dev/null | sed -n 's/^      "name": "\\([a-z0-9-]*\\)",*$/\\1/p'`;

/** `text` as one word of a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
