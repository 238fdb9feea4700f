/** The flags of `connectd link` that make its policy, as the body of POST /v1/links. */
import { parseMethods } from "../core/methods.ts";
import { checkName } from "../core/names.ts";
import { compilePaths } from "../core/paths.ts";
import { parseDuration, parseRate, printRate } from "../core/units.ts";
import { type Flag, type Given, parsed } from "./verb.ts";

export const WISH_FLAGS: readonly Flag[] = [
  { name: "expires", short: "e", value: "TIME", help: "how long it lives: 1h, 7d, never (default 24h)" },
  { name: "methods", short: "m", value: "LIST", help: "admit only these, as in GET,POST" },
  { name: "paths", short: "p", value: "LIST", help: "admit only paths that begin so, as in /api,/health" },
  { name: "rate-limit", short: "r", value: "N", help: "admit so many requests per minute" },
  { name: "max-uses", value: "N", help: "end after so many requests that were let through" },
  { name: "name", short: "n", value: "NAME", help: "the link's name (default: made of the target)" },
];

/** Members of a one-off's body that flags may set. */
export interface Wish {
  readonly name?: string;
  readonly ttl?: string;
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
  readonly rate?: string;
  readonly maxUses?: number;
}

/** What the flags ask for. Throws UsageError. */
export function readWish(given: Given): Wish {
  return {
    ...member("name", parsed(given, "name", readName)),
    ...member("ttl", parsed(given, "expires", readTtl)),
    ...member("methods", parsed(given, "methods", parseMethods)),
    ...member("paths", parsed(given, "paths", readPaths)),
    ...member("rate", parsed(given, "rate-limit", (text) => printRate(parseRate(text)))),
    ...member("maxUses", parsed(given, "max-uses", readCount)),
  };
}

function member<K extends string, T>(key: K, value: T | null): { [_ in K]?: T } {
  return value === null ? {} : { [key]: value } as { [_ in K]?: T };
}

function readName(text: string): string {
  checkName(text);
  return text;
}

/** As it was written: `never` too. */
function readTtl(text: string): string {
  if (parseDuration(text) === 0) {
    throw new SyntaxError(`${JSON.stringify(text)} is no time at all: write 1h, 7d or never`);
  }
  return text;
}

/** Whether there may be so many, the reader of the body says. */
function readCount(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new SyntaxError(`${JSON.stringify(text)} is no number of requests: write 1 or more`);
}

/** A comma list; a pattern such as `= /exact` belongs in the file. */
function readPaths(text: string): string[] {
  const paths = text.split(",");
  const wrong = paths.find((path) => !path.startsWith("/"));
  if (wrong !== undefined) {
    throw new SyntaxError(`${JSON.stringify(wrong)} does not begin with "/": write /${wrong}`);
  }
  compilePaths(paths);
  return paths;
}
