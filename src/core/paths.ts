/** Path policies: patterns, and what a raw request target is under them (policy.md "Paths"). */
import { quote } from "./units.ts";

/** What matching a target says. */
export type PathVerdict = "allow" | "path_denied" | "path_ambiguous";

interface Pattern {
  /** Decoded segments; null is a star. */
  readonly segments: readonly (string | null)[];
  /** The decoded path without its stars, cut where they stood. */
  readonly runs: readonly string[];
  readonly exact: boolean;
  /** Whether the path ends in a slash, which only an exact pattern minds. */
  readonly slash: boolean;
}

/** Patterns, compiled. */
export interface Paths {
  readonly patterns: readonly Pattern[];
}

/** Compiles patterns. Throws a SyntaxError that quotes the first that is none. */
export function compilePaths(patterns: readonly string[]): Paths {
  return { patterns: patterns.map(parsePattern) };
}

const STAR = "a star stands for a whole segment; write %2A for one in a name";

/**
 * One regular expression for what two servers could read differently in a decoded path: controls and backslashes, an
 * escape that a second decoding would find, and a segment that is empty, `.` or `..`, or is so once cut at its `;`.
 */
// deno-lint-ignore no-control-regex
const AMBIGUOUS = /[\0-\x1f\x7f-\x9f\\]|%[0-9a-f]{2}|\/\.{0,2}[;/]|\/\.{1,2}$/i;

/** The decoded path, or null where it is ambiguous. `raw` begins with a slash and has no query. */
function decodePath(raw: string): string | null {
  // An escaped slash is found before it is one. What stands unescaped is visible ASCII.
  if (/%2f|[^\x21-\x7e]/i.test(raw)) return null;
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch {
    // A bad escape, or bytes that are no UTF-8 (overlong forms and surrogates are none).
    return null;
  }
  return AMBIGUOUS.test(path) ? null : path;
}

function parsePattern(text: string): Pattern {
  const exact = text.startsWith("= ");
  const written = exact ? text.slice(2) : text;
  if (!written.startsWith("/")) throw new SyntaxError(`${quote(text)} is no path: it must start with /`);
  if (/[?#]/.test(written)) {
    throw new SyntaxError(`${quote(text)} has a query or a fragment: a path has neither`);
  }
  if (decodePath(written) === null) throw new SyntaxError(`${quote(text)} can be read in more than one way`);
  const parts = written.slice(1).split("/");
  const slash = parts.at(-1) === "";
  if (slash) parts.pop();
  else if (parts.at(-1) === "**" && !exact) parts.pop();
  const segments = parts.map((part) => {
    if (part === "*") return null;
    if (part.includes("*")) throw new SyntaxError(`${quote(text)}: ${STAR}`);
    return decodeURIComponent(part);
  });
  const runs = [""];
  for (const segment of segments) {
    runs[runs.length - 1] += "/" + (segment ?? "");
    if (segment === null) runs.push("");
  }
  return { segments, runs, exact, slash };
}

/** What a byte of a target is to the scan: nothing, a slash, a dot, the end of the path, to be decoded, refused. */
const PLAIN = 0, SLASH = 1, DOT = 2, END = 3, DECODE = 4, REFUSED = 5;
const CLASS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  if (byte < 0x21 || byte > 0x7e || char === "\\" || char === "#") return REFUSED;
  return char === "/"
    ? SLASH
    : char === "."
    ? DOT
    : char === "?"
    ? END
    : char === "%" || char === ";"
    ? DECODE
    : PLAIN;
});

const AMBIGUOUS_END = -1, DECODE_FIRST = -2;

/** Where the path of a target ends, when it can be matched as it stands; else why not. */
function scan(target: string): number {
  if (target.charCodeAt(0) !== 0x2f) return AMBIGUOUS_END;
  const length = target.length;
  let decode = false;
  let start = 1, onlyDots = true, i = 1;
  for (; i < length; i++) {
    const byte = target.charCodeAt(i);
    const kind = byte < 256 ? CLASS[byte] : REFUSED;
    if (kind === PLAIN) onlyDots = false;
    else if (kind === SLASH) {
      if (onlyDots && i - start < 3) return AMBIGUOUS_END;
      start = i + 1;
      onlyDots = true;
    } else if (kind === END) break;
    else if (kind === DECODE) decode = true, onlyDots = false;
    else if (kind === REFUSED) return AMBIGUOUS_END;
  }
  // The last segment may be empty: a trailing slash.
  if (onlyDots && i > start && i - start < 3) return AMBIGUOUS_END;
  return decode ? DECODE_FIRST : i;
}

/** Matches the path of a raw request target, up to its `?`, on decoded segments. Ambiguous is found before denied. */
export function matchPath(paths: Paths, target: string): PathVerdict {
  let path = target;
  let end = scan(target);
  if (end < 0) {
    if (end === AMBIGUOUS_END) return "path_ambiguous";
    const query = target.indexOf("?");
    const decoded = decodePath(query < 0 ? target : target.slice(0, query));
    if (decoded === null) return "path_ambiguous";
    path = decoded;
    end = decoded.length;
  }
  for (const pattern of paths.patterns) if (matches(pattern, path, end)) return "allow";
  return "path_denied";
}

/** Walks the runs along `path` up to `end`; between two of them stands one segment. */
function matches({ runs, exact, slash }: Pattern, path: string, end: number): boolean {
  let at = 0;
  for (let i = 0; i < runs.length; i++) {
    if (i > 0) {
      const segment = at;
      while (at < end && path.charCodeAt(at) !== 0x2f) at++;
      if (at === segment) return false;
    }
    if (!path.startsWith(runs[i], at)) return false;
    at += runs[i].length;
  }
  if (at > end) return false;
  if (exact) return slash ? at + 1 === end && path.charCodeAt(at) === 0x2f : at === end;
  return at === end || path.charCodeAt(at) === 0x2f;
}

/** True where every path that pattern `b` admits is admitted by pattern `a`. Throws as `compilePaths` does. */
export function covers(a: string, b: string): boolean {
  const wide = parsePattern(a), narrow = parsePattern(b);
  if (wide.exact) {
    if (!narrow.exact || wide.slash !== narrow.slash || wide.segments.length !== narrow.segments.length) {
      return false;
    }
  }
  if (wide.segments.length > narrow.segments.length) return false;
  return wide.segments.every((segment, i) => segment === null || segment === narrow.segments[i]);
}

/** The canonical form of a pattern: only what must be is escaped, a prefix ends without slash or stars. */
export function printPattern(text: string): string {
  const { segments, exact, slash } = parsePattern(text);
  const path = segments.map((segment) => "/" + (segment === null ? "*" : encodeSegment(segment))).join("");
  return `${exact ? "= " : ""}${path}${path === "" || (exact && slash) ? "/" : ""}`;
}

/** RFC 3986 §3.3: what a segment may hold stays as it is. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment)
    .replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, (escape) => decodeURIComponent(escape))
    .replaceAll("*", "%2A");
}
