/** Why a path is refused as one that two servers could read differently (policy.md "Paths"); `matchPath` is who refuses. */

/** What is wrong with a decoded path, the first that holds. */
const READINGS: readonly (readonly [pattern: RegExp, why: string])[] = [
  // deno-lint-ignore no-control-regex
  [/[\0-\x1f\x7f-\x9f]/, "it has an escaped control character"],
  [/\\/, "it has a backslash, which some servers take for a slash"],
  [/%[0-9a-f]{2}/i, "it has an escape that is escaped once more"],
  [/\/\//, "it has an empty segment"],
  [/\/\.{1,2}(?:\/|$)/, "it has a segment that is . or .."],
  [/\/\.{0,2};/, "it has a segment that is empty, . or .. once it is cut at its semicolon"],
];

/** What is ambiguous about the path of `target`, as a sentence; null: nothing is. */
export function whyAmbiguous(target: string): string | null {
  const query = target.indexOf("?");
  const path = query < 0 ? target : target.slice(0, query);
  if (!path.startsWith("/")) return "it does not begin with a slash";
  if (/[^\x21-\x7e]/.test(path)) return "it has a character that must be escaped";
  if (path.includes("#")) return "it has a #, where some servers end it";
  if (/%2f/i.test(path)) return "it has an escaped slash";
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return "it has an escape that can not be read, or octets that are no UTF-8";
  }
  return READINGS.find(([pattern]) => pattern.test(decoded))?.[1] ?? null;
}
