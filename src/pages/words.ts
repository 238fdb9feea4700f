/** How pages say numbers and times, and what a policy lets through. */

const SPANS = [[86_400, "d"], [3_600, "h"], [60, "m"], [1, "s"]] as const;

/** `6d 23h`, `4m 10s`, `3s`: the two largest units of a span. The script of the pages says it the same way. */
export function spanWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const at = Math.max(0, SPANS.findIndex(([size]) => seconds >= size));
  const [size, unit] = seconds === 0 ? SPANS[3] : SPANS[at];
  const whole = Math.floor(seconds / size);
  const next = SPANS[at + 1];
  const rest = next !== undefined && seconds >= 60 ? Math.floor((seconds - whole * size) / next[0]) : 0;
  return `${whole}${unit}${rest > 0 ? ` ${rest}${next[1]}` : ""}`;
}

/** `in 6d 23h`, `4m 10s ago`. */
export function relativeWords(at: number, now: number): string {
  return at > now ? `in ${spanWords(at - now)}` : `${spanWords(now - at)} ago`;
}

/** `0 B`, `1.5 KiB`, `12 MiB`. */
export function sizeWords(bytes: number): string {
  let size = bytes, unit = "B";
  for (const larger of ["KiB", "MiB", "GiB", "TiB"]) {
    if (size < 1024) break;
    size /= 1024;
    unit = larger;
  }
  return `${unit === "B" || size >= 10 ? Math.floor(size) : Math.floor(size * 10) / 10} ${unit}`;
}

/** `1 request`, `3 requests`. */
export function countWords(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

/** What a page is called that is the answer of `status` to what was asked. */
export function problemTitle(status: number): string {
  return status === 404 ? "Not found" : status === 403 ? "Not allowed" : "That went wrong";
}

/** A policy as the APIs print it. */
type PolicyJson = Readonly<Record<string, unknown>>;

/** What a policy lets through, a sentence a rule, in the order in which the rules are evaluated. */
export function policyWords(policy: PolicyJson): string[] {
  const list = (key: string) => policy[key] as readonly string[] | null;
  const allowIps = list("allowIps"), auth = list("auth"), methods = list("methods");
  const upgrade = list("upgrade") ?? [], paths = list("paths"), rate = list("rate") ?? [];
  const maxBody = policy.maxBody as number | null, maxStreams = policy.maxStreams as number | null;
  return [
    allowIps === null ? "Visitors from any address." : `Only visitors from ${orList(allowIps)}.`,
    auth === null
      ? "No credential is asked for."
      : `Only with ${orList(auth.map((kind) => KINDS[kind] ?? kind))}.`,
    methods === null
      ? "Any method."
      : `Only ${orList(methods.map((m) => m === "GET" ? "GET (and HEAD)" : m))}.`,
    upgrade.length === 0
      ? "No connection may be upgraded."
      : `Connections may be upgraded to ${orList(upgrade)}.`,
    paths === null ? "Any path." : `Only ${orList(paths.map(pathWords))}.`,
    ...(maxBody === null ? [] : [`Bodies of at most ${sizeWords(maxBody)}.`]),
    ...rate.map(rateWords),
    ...(maxStreams === null ? [] : [`At most ${countWords(maxStreams, "request")} in flight.`]),
    ...(policy.shadow === true ? ["In shadow: what this would refuse is let through and counted."] : []),
  ];
}

const KINDS: Readonly<Record<string, string>> = { basic: "a name and a password", bearer: "a token" };

function pathWords(pattern: string): string {
  return pattern.startsWith("=") ? `exactly ${pattern.slice(1).trim()}` : `${pattern} and what is below it`;
}

const UNITS: Readonly<Record<string, string>> = { s: "second", m: "minute", h: "hour", d: "day" };

function rateWords(rate: string): string {
  const parts = /^(\d+)\/([smhd])(?: burst (\d+))?( per ip)?$/.exec(rate);
  if (parts === null) return `At most ${rate}.`;
  const [, count, unit, burst, perIp] = parts;
  return `At most ${countWords(Number(count), "request")} a ${UNITS[unit]}` +
    `${burst === undefined ? "" : `, ${Number(burst).toLocaleString("en")} at once`}` +
    `${perIp === undefined ? "" : ", for each address by itself"}.`;
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words[words.length - 1]}`;
}
