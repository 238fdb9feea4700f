/** What reading links.yaml and hub.yaml has in common: from text to a value, or to problems in their places. */
import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import { Lines } from "./lines.ts";
import { type Finding, type Problem, problemAt, refused } from "./problem.ts";
import type { Context } from "./context.ts";
import type { Read, Reader, Table } from "./schema.ts";
import { readYaml } from "./yaml.ts";

/** Nobody writes a larger file by hand, and one that was never meant to be one should not be parsed. */
export const MAX_BYTES = 1024 * 1024;

/** So many problems get the hints that are looked for: each is compared with every name, and nobody reads more. */
const HINTS = 100;

/** How a text is to be read. */
export interface TextOptions {
  /** Its path, for messages and for the relative paths in it. */
  readonly file: string;
  /** Wall time, ms. */
  readonly now: number;
  /** What `~` stands for. */
  readonly home?: string;
}

/** What every accepted file has. */
export interface Accepted {
  readonly file: string;
  /** SHA-256 of the text, hex. */
  readonly hash: string;
  /** For showing lines of it: without the credentials that stand in it. */
  readonly text: string;
}

/**
 * Reads `text` with `reader`; `finish` makes the configuration of what was read, and may report more. Problems come
 * in the order of the text. With an error among them there is no configuration.
 */
export function readText<T extends Table, C>(
  text: string,
  options: TextOptions,
  reader: Reader<Read<T>>,
  finish: (read: Read<T>, context: Context, accepted: Accepted) => C,
): { config: C | null; problems: Problem[] } {
  const { file, now, home = null } = options;
  const body = text.startsWith("\ufeff") ? text.slice(1) : text;
  if (new TextEncoder().encode(text).length > MAX_BYTES) return { config: null, problems: [tooBig(file)] };

  const lines = new Lines(body);
  const found: { at: number; finding: Finding }[] = [];
  const report = (at: number, { missing: _, ...finding }: Finding & { missing?: string }) =>
    void found.push({ at, finding });
  const hidden: number[] = [];
  const context: Context = {
    now,
    dir: dirname(resolve(file)),
    home,
    report,
    place: (at) => lines.place(at),
    hide: (at) => void hidden.push(at),
    spell: (key) => key,
  };

  const yaml = readYaml(body);
  for (const { at, ...finding } of yaml.faults) report(at, finding);
  let config: C | null = null;
  let shown = new Lines(withoutUsers(body));
  if (yaml.root !== null) {
    // An empty file is a mapping that lacks everything; what a file lacks is reported at its beginning.
    const root = yaml.root.kind === "null" ? { kind: "mapping" as const, at: 0, pairs: [] } : yaml.root;
    const read = reader.read(root, context, 0);
    const hash = createHash("sha256").update(text).digest("hex");
    shown = new Lines(withoutUsers(masked(body, hidden)));
    if (read !== undefined) config = finish(read, context, { file, hash, text: shown.text });
  }

  found.sort((a, b) => a.at - b.at);
  const problems = found.map(({ at, finding }, i) => {
    const place = lines.place(at);
    const { hint } = finding;
    const told = i >= HINTS && typeof hint === "function" ? { ...finding, hint: undefined } : finding;
    return problemAt(file, place, shown.line(place.line), told);
  });
  return { config: refused(problems) ? null : config, problems };
}

/** `text` with as many stars for what stands before the @ of a URL, or of an address: it may be a password. */
function withoutUsers(text: string): string {
  // Word by word, each looked at a few times: a pattern that looks for all of it can be made to take hours.
  return text.replace(/[^\s"']+/g, (word) => {
    const at = word.lastIndexOf("@");
    if (at < 0) return word;
    const slashes = word.indexOf("//");
    const from = slashes >= 0 && slashes < at ? slashes + 2 : word.search(/[^[{(,]/);
    const user = word.slice(from, at);
    if (user.includes("/") || (slashes < 0 && !user.includes(":"))) return word;
    return word.slice(0, from) + "*".repeat(user.length) + word.slice(at);
  });
}

/** `text` with `***` in place of what begins at each of `hidden`, up to the end of its line; all else stays in its place. */
function masked(text: string, hidden: number[]): string {
  let shown = "", from = 0;
  for (const at of hidden.sort((a, b) => a - b)) {
    if (at < from) continue;
    const end = text.indexOf("\n", at) < 0 ? text.length : text.indexOf("\n", at);
    shown += text.slice(from, at) + "***".padEnd(end - at).slice(0, end - at);
    from = end;
  }
  return shown + text.slice(from);
}

/** The problem of a file that is over the limit. */
export function tooBig(file: string): Problem {
  const message = `the file is larger than ${MAX_BYTES / 1024} KiB`;
  return problemAt(file, { line: 1, column: 1 }, "", { code: "too_big", message });
}
