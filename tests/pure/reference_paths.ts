/**
 * The rules of policy.md "Paths" read as plainly as they are written, byte by byte, without a thought for speed: what
 * matchPath is held against. It shares nothing with it.
 */
type Segment = { bytes: number[] };

function hex(text: string): number {
  return /^[0-9a-fA-F]{2}$/.test(text) ? parseInt(text, 16) : -1;
}

/** The code points of a UTF-8 text, or null. */
function codePoints(bytes: number[]): number[] | null {
  const points: number[] = [];
  for (let i = 0; i < bytes.length;) {
    const first = bytes[i];
    const length = first < 0x80
      ? 1
      : first >> 5 === 6
      ? 2
      : first >> 4 === 14
      ? 3
      : first >> 3 === 30
      ? 4
      : 0;
    if (length === 0 || i + length > bytes.length) return null;
    let point = length === 1 ? first : first & (0xff >> (length + 1));
    for (let k = 1; k < length; k++) {
      if (bytes[i + k] >> 6 !== 2) return null;
      point = point << 6 | bytes[i + k] & 63;
    }
    if (point < [0, 0, 0x80, 0x800, 0x10000][length]) return null;
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
    points.push(point);
    i += length;
  }
  return points;
}

/** Segments decoded; the last one is empty behind a trailing slash. Null: ambiguous. */
function read(path: string): Segment[] | null {
  if (path[0] !== "/") return null;
  const segments: Segment[] = [];
  for (const raw of path.slice(1).split("/")) {
    const bytes: number[] = [];
    for (let i = 0; i < raw.length; i++) {
      const code = raw.charCodeAt(i);
      if (code < 0x21 || code > 0x7e || raw[i] === "\\" || raw[i] === "#") return null;
      if (raw[i] !== "%") {
        bytes.push(code);
        continue;
      }
      const byte = hex(raw.slice(i + 1, i + 3));
      if (byte < 0 || byte === 0x2f || byte === 0x5c) return null;
      bytes.push(byte);
      i += 2;
    }
    const points = codePoints(bytes);
    if (points === null) return null;
    if (points.some((point) => point < 0x20 || (point >= 0x7f && point <= 0x9f))) return null;
    const text = String.fromCharCode(...bytes);
    for (let i = 0; i < text.length; i++) {
      if (text[i] === "%" && hex(text.slice(i + 1, i + 3)) >= 0) return null;
    }
    const cut = text.split(";")[0];
    if (cut === "." || cut === ".." || (cut === "" && text !== "")) return null;
    segments.push({ bytes });
  }
  if (segments.slice(0, -1).some(({ bytes }) => bytes.length === 0)) return null;
  return segments;
}

/** What `matchPath(compilePaths(patterns), target)` must say. */
export function referencePath(patterns: readonly string[], target: string): string {
  const path = read(target.split("?")[0]);
  if (path === null) return "path_ambiguous";
  return patterns.some((pattern) => admits(pattern, path)) ? "allow" : "path_denied";
}

function admits(pattern: string, path: Segment[]): boolean {
  const exact = pattern.startsWith("= ");
  const written = (exact ? pattern.slice(2) : pattern.replace(/\/\*\*$/, "")) || "/";
  const raw = written.slice(1).split("/");
  const segments = read(written)!;
  const slash = raw.at(-1) === "", pathSlash = path.at(-1)!.bytes.length === 0;
  const wanted = slash ? segments.slice(0, -1) : segments;
  const given = pathSlash ? path.slice(0, -1) : path;
  if (exact && (slash !== pathSlash || wanted.length !== given.length)) return false;
  if (wanted.length > given.length) return false;
  return wanted.every(({ bytes }, i) => raw[i] === "*" || String(bytes) === String(given[i].bytes));
}
