/**
 * The ways in which servers read the path of a request, the careless ones too: each a list of segments, the last one
 * empty behind a trailing slash; null where it could only refuse. Written from what those servers do, with no thought
 * for the rules of policy.md. Octets are characters of Latin-1.
 */
export type Reading = (path: string) => string[] | null;

export const READINGS: Readonly<Record<string, Reading>> = {
  /** RFC 3986 as it stands: segments first, then dots, then escapes. */
  "segments, dots, escapes": (path) => resolved(split(path)).map(unescaped),
  /** Most frameworks: escapes first, so that an escaped dot or slash is one. */
  "escapes, dots": (path) => resolved(split(unescaped(path))),
  /** nginx with merge_slashes. */
  "escapes, slashes merged, dots": (path) => resolved(merged(split(unescaped(path)))),
  /** A front and a back that both unescape. */
  "escapes twice, slashes merged, dots": (path) => resolved(merged(split(unescaped(unescaped(path))))),
  /** WHATWG URL (Node, Deno, browsers), then the router's own unescaping. */
  "URL": (path) => {
    const url = URL.parse("http://h" + path);
    return url === null || url.host !== "h" ? null : split(url.pathname).map(unescaped);
  },
  /** Tomcat: path parameters go before anything is unescaped. */
  "parameters, escapes, slashes merged, dots": (path) =>
    resolved(merged(split(unescaped("/" + split(path).map(bare).join("/"))))),
  /** Frameworks that cut parameters off what was unescaped. */
  "escapes, parameters, slashes merged, dots": (path) => resolved(merged(split(unescaped(path)).map(bare))),
  /** IIS and others on Windows: a backslash parts segments, and so does an escaped one. */
  "escapes, backslashes, dots": (path) => resolved(merged(split(unescaped(path).replaceAll("\\", "/")))),
  /** Likewise, behind a front that unescapes. */
  "escapes twice, backslashes, parameters, dots": (path) =>
    resolved(merged(split(unescaped(unescaped(path)).replaceAll("\\", "/")).map(bare))),
  /** Programs in C: the text ends at its first NUL. */
  "escapes, cut at NUL, dots": (path) => resolved(split(unescaped(path).split("\0")[0])),
  /** Programs that leave controls out, as URLs of browsers leave out tabs and line ends. */
  "escapes, controls left out, dots": (path) =>
    // deno-lint-ignore no-control-regex
    resolved(merged(split(unescaped(path).replace(/[\0-\x1f\x7f]/g, "")))),
  /** Decoders of UTF-8 that take overlong forms: `%c0%ae` is a dot, `%c0%af` a slash. */
  "escapes, overlong UTF-8, dots": (path) => resolved(merged(split(overlong(unescaped(path))))),
  /** Microsoft's `%u002e`. */
  "escapes of Windows, dots": (path) =>
    resolved(merged(split(unescaped(
      path.replace(/%u00([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))),
    )))),
};

function split(path: string): string[] {
  return path.split("/").slice(1);
}

/** Each escape is its octet; what is no escape stays. */
function unescaped(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}

/** A segment without its parameters. */
function bare(segment: string): string {
  return segment.split(";")[0];
}

/** No empty segments, but the last. */
function merged(segments: string[]): string[] {
  return segments.filter((segment, i) => segment !== "" || i === segments.length - 1);
}

/** RFC 3986 §5.2.4: no way leads out of the root. */
function resolved(segments: string[]): string[] {
  const kept: string[] = [];
  segments.forEach((segment, i) => {
    const last = i === segments.length - 1;
    if (segment === "..") kept.pop();
    else if (segment !== ".") kept.push(segment);
    if (last && (segment === "." || segment === "..")) kept.push("");
  });
  return kept;
}

function overlong(text: string): string {
  return text.replace(/[\xc0\xc1]([\x80-\xbf])/g, (form, next) => {
    return String.fromCharCode((form.charCodeAt(0) & 1) << 6 | next.charCodeAt(0) & 0x3f);
  });
}

/** Whether a server that reads paths so is asked, by `target`, for something that `patterns` admit. */
export function admitsAsRead(reading: Reading, patterns: readonly string[], target: string): boolean {
  const given = reading(target.split("?")[0]);
  return given === null || patterns.some((pattern) => admits(reading, pattern, given));
}

function admits(reading: Reading, pattern: string, given: readonly string[]): boolean {
  const exact = pattern.startsWith("= ");
  const written = exact ? pattern.slice(2) : pattern.replace(/\/\*\*$/, "") || "/";
  const slash = written.endsWith("/"), givenSlash = given.at(-1) === "";
  const wanted = written.slice(1, slash ? -1 : undefined).split("/").filter((segment) => segment !== "");
  const length = givenSlash ? given.length - 1 : given.length;
  if (exact && (slash !== givenSlash || wanted.length !== length)) return false;
  return wanted.length <= length &&
    wanted.every((segment, i) =>
      segment === "*" ? given[i] !== "" : names(reading, segment).includes(given[i])
    );
}

const known = new Map<Reading, Map<string, string[]>>();

/** What a segment of a pattern is to a server. A semicolon and its escape are one to a policy, and two to some servers. */
function names(reading: Reading, segment: string): string[] {
  let ofReading = known.get(reading);
  if (ofReading === undefined) known.set(reading, ofReading = new Map());
  let segments = ofReading.get(segment);
  if (segments === undefined) {
    const writings = [segment, segment.replaceAll(/%3b/gi, ";"), segment.replaceAll(";", "%3b")];
    ofReading.set(segment, segments = writings.map((writing) => reading("/" + writing)![0]));
  }
  return segments;
}
