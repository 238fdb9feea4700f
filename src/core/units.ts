/** Durations, sizes and rates as links.yaml writes them. What can not be read throws a SyntaxError that quotes it. */

/** So many requests in a span of time, a bucket's size, and whether every client address has a bucket of its own. */
export interface Rate {
  readonly count: number;
  readonly perMs: number;
  readonly burst: number;
  readonly perIp: boolean;
}

/** `text` as messages show it: in quotes, on one line, cut where it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? text.slice(0, 100) + "…" : text);
}

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** Some 2,700 years: a time that far from now can still be written as RFC 3339, which has four digits for a year. */
const LONGEST = 1_000_000 * DAY;

const DURATION = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const DURATION_UNITS = [7 * DAY, DAY, HOUR, MINUTE, SECOND, 1];

/** Reads `90s`, `1h30m`, `2w`: whole numbers, units from large to small. Milliseconds; null for `never`. */
export function parseDuration(text: string): number | null {
  if (text === "never") return null;
  if (text === "") throw new SyntaxError("a duration is empty");
  const parts = DURATION.exec(text);
  if (parts === null) {
    throw new SyntaxError(
      `${quote(text)} is no duration: write whole numbers with w, d, h, m, s, ms, as in 1h30m`,
    );
  }
  const ms = DURATION_UNITS.reduce((sum, unit, i) => sum + Number(parts[i + 1] ?? 0) * unit, 0);
  if (ms > LONGEST) throw new SyntaxError(`${quote(text)} is longer than 1000000d`);
  return ms;
}

/** `1d12h`, in d h m s ms; `never` for null. */
export function printDuration(ms: number | null): string {
  if (ms === null) return "never";
  let rest = ms, text = "";
  for (const [unit, name] of [[DAY, "d"], [HOUR, "h"], [MINUTE, "m"], [SECOND, "s"], [1, "ms"]] as const) {
    const n = Math.floor(rest / unit);
    if (n > 0) text += n + name;
    rest -= n * unit;
  }
  return text === "" ? "0s" : text;
}

const SIZE_UNITS: ReadonlyMap<string | undefined, number> = new Map([
  [undefined, 1],
  ["B", 1],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["TiB", 2 ** 40],
  ["KB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["TB", 1e12],
]);

/** Reads `10MiB` (1024) or `10MB` (1000) into bytes; a bare number is bytes. */
export function parseSize(text: string): number {
  if (text === "") throw new SyntaxError("a size is empty");
  const parts = /^(\d+)(?:([KMGT]i?)?B)?$/.exec(text);
  if (parts === null) {
    throw new SyntaxError(
      `${quote(text)} is no size: write a whole number with B, KiB, MiB, GiB, TiB or KB, MB, GB, TB`,
    );
  }
  const unit = parts[0].slice(parts[1].length);
  const bytes = Number(parts[1]) * SIZE_UNITS.get(unit === "" ? undefined : unit)!;
  if (!Number.isSafeInteger(bytes)) throw new SyntaxError(`${quote(text)} is more bytes than can be counted`);
  return bytes;
}

/** The largest of TiB, GiB, MiB, KiB, B that leaves a whole number. */
export function printSize(bytes: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const size = SIZE_UNITS.get(unit)!;
    if (bytes >= size && bytes % size === 0) return bytes / size + unit;
  }
  return bytes + "B";
}

const RATE = /^(\d+)(?:\/([smhd]))?((?: burst \d+| per ip)*)$/;
const RATE_UNITS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/** Reads `100/m`, `10/s burst 20`, `1000/d per ip`; a bare number is per minute. The burst is the number unless said. */
export function parseRate(text: string | number): Rate {
  const written = String(text);
  if (written === "") throw new SyntaxError("a rate is empty");
  const parts = RATE.exec(written);
  const options = parts?.[3] ?? "";
  if (parts === null || options.split(" burst ").length > 2 || options.split(" per ip").length > 2) {
    throw new SyntaxError(
      `${quote(written)} is no rate: write 100/m (or /s, /h, /d), then "burst 20", "per ip"`,
    );
  }
  const count = Number(parts[1]);
  const burst = Number(/burst (\d+)/.exec(options)?.[1] ?? count);
  for (const n of [count, burst]) {
    if (n === 0) throw new SyntaxError(`${quote(written)} would admit nothing`);
    if (!Number.isSafeInteger(n)) throw new SyntaxError(`${quote(written)} is more than can be counted`);
  }
  return { count, perMs: RATE_UNITS[parts[2] ?? "m"], burst, perIp: options.includes(" per ip") };
}

/** The canonical form: a burst that is the default is left out. */
export function printRate({ count, perMs, burst, perIp }: Rate): string {
  const unit = Object.keys(RATE_UNITS).find((name) => RATE_UNITS[name] === perMs);
  return `${count}/${unit}${burst === count ? "" : ` burst ${burst}`}${perIp ? " per ip" : ""}`;
}

/** True for the spans that a rate can be written in: a second, a minute, an hour, a day. */
export function isRateSpan(perMs: unknown): boolean {
  return Object.values(RATE_UNITS).includes(perMs as number);
}
