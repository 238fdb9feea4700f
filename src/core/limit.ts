/**
 * Rate limits as buckets of tokens, by the generic cell rate algorithm: a bucket is one number, the time at which it
 * would be full again.
 *
 * That time is kept in units of 1/count ms, where one request is worth exactly `perMs` and all sums are of whole
 * numbers: a visitor at exactly the rate is never refused, none is admitted early. (Whole up to 2⁵³; a rate of a
 * million a second gets there after 100 days of uptime, and is from then on right to a nanosecond.)
 */
import { rateKey } from "./address.ts";
import { Recent } from "./recent.ts";
import { parseRate, printRate, type Rate } from "./units.ts";

/** Which rate refuses longest, by its place in the list, and for how many ms. */
export interface Wait {
  readonly index: number;
  readonly ms: number;
}

/** How full a bucket is: requests that would be admitted at once, and ms until the next one is. */
export interface Level {
  readonly rate: Rate;
  readonly left: number;
  readonly waitMs: number;
}

/** What is kept over a restart, as JSON: per rate what its buckets lack, in its own units of 1/count ms. */
export interface SavedBuckets {
  readonly rates: readonly string[];
  readonly shared: readonly number[];
  readonly keys: readonly (readonly [key: string, lacks: readonly number[]])[];
}

/** Addresses a link remembers; the one that was idle longest goes first. */
export const MAX_KEYS = 10_000;

/** A shorter window is full again before a restart is over. */
const KEPT_MS = 3_600_000;

const NONE: readonly Rate[] = [];

/** The buckets of one link: one for each shared rate, and for each address one for each rate that is `per ip`. */
export class Buckets {
  #rates: readonly Rate[] = NONE;
  #perIp = false;
  #shared: number[] = [];
  /** Who is refused counts as seen, too: an address that hammers is not idle. */
  #keys = new Recent<number[]>(MAX_KEYS);
  /** Requests admitted so far: who saves the buckets sees whether there is anything new. */
  spent = 0;

  /**
   * Asks every rate for one request from `address` at `nowMs` of a clock that only goes forward. Null: all admit it, and
   * with `spend` each has given a token. Else none has, and the longest wait is told.
   */
  take(rates: readonly Rate[], address: string, nowMs: number, spend: boolean): Wait | null {
    if (rates !== this.#rates) this.#retune(rates, nowMs);
    const key = this.#perIp ? rateKey(address) : "";
    const own = this.#perIp ? this.#keys.use(key) : undefined;
    const wait = this.#wait(own, nowMs);
    if (wait === null && spend) this.#spend(key, own, nowMs);
    return wait;
  }

  /** What `take` would say. Nothing is counted, and nobody counts as seen. */
  foresee(rates: readonly Rate[], address: string, nowMs: number): Wait | null {
    if (rates !== this.#rates) this.#retune(rates, nowMs);
    return this.#wait(this.#perIp ? this.#keys.peek(rateKey(address)) : undefined, nowMs);
  }

  #wait(own: number[] | undefined, nowMs: number): Wait | null {
    const rates = this.#rates, shared = this.#shared;
    let index = -1, longest = 0;
    for (let i = 0; i < rates.length; i++) {
      const rate = rates[i];
      const full = rate.perIp ? (own === undefined ? 0 : own[i]) : shared[i];
      const ms = (full - (rate.burst - 1) * rate.perMs - nowMs * rate.count) / rate.count;
      if (ms > longest) [index, longest] = [i, ms];
    }
    return index < 0 ? null : { index, ms: longest };
  }

  /** How full the buckets of `address` are; nothing is counted. */
  levels(rates: readonly Rate[], address: string, nowMs: number): Level[] {
    if (rates !== this.#rates) this.#retune(rates, nowMs);
    const own = this.#keys.peek(rateKey(address));
    return rates.map((rate, i) => {
      const full = (rate.perIp ? own?.[i] : this.#shared[i]) ?? 0;
      const lacks = Math.max(0, full - nowMs * rate.count);
      const left = Math.max(0, Math.floor(rate.burst - lacks / rate.perMs));
      return { rate, left, waitMs: Math.max(0, lacks - (rate.burst - 1) * rate.perMs) / rate.count };
    });
  }

  /** What a restart must not forget, of windows of an hour and more; null: nothing. */
  save(nowMs: number): SavedBuckets | null {
    const kept = this.#rates.flatMap((rate, i) => rate.perMs >= KEPT_MS ? [i] : []);
    const lacks = (full: readonly number[]) =>
      kept.map((i) => Math.max(0, full[i] - nowMs * this.#rates[i].count));
    const shared = lacks(this.#shared);
    const keys: [string, number[]][] = [];
    for (const [key, full] of this.#keys.entries()) {
      const own = lacks(full);
      if (own.some((n) => n > 0)) keys.push([key, own]);
    }
    if (keys.length === 0 && shared.every((n) => n === 0)) return null;
    return { rates: kept.map((i) => printRate(this.#rates[i])), shared, keys };
  }

  /** The buckets that were saved `elapsedMs` ago. Throws a SyntaxError when a rate can not be read. */
  static restore(saved: SavedBuckets, nowMs: number, elapsedMs: number): Buckets {
    const buckets = new Buckets();
    const rates = saved.rates.map(parseRate);
    // A clock that was set back must not make the wait longer.
    const passed = Math.max(0, elapsedMs);
    const full = (lacks: readonly number[]) =>
      rates.map((rate, i) => Math.max(0, lacks[i] + (nowMs - passed) * rate.count));
    buckets.#use(rates);
    buckets.#shared = full(saved.shared);
    for (const [key, lacks] of saved.keys) buckets.#keys.add(key, full(lacks));
    return buckets;
  }

  #spend(key: string, known: number[] | undefined, nowMs: number): void {
    const rates = this.#rates;
    const own = this.#perIp ? known ?? this.#admit(key) : this.#shared;
    for (let i = 0; i < rates.length; i++) {
      const { perIp, count, perMs } = rates[i];
      const buckets = perIp ? own : this.#shared;
      buckets[i] = Math.max(buckets[i], nowMs * count) + perMs;
    }
    this.spent++;
  }

  #admit(key: string): number[] {
    const own = this.#rates.map(() => 0);
    this.#keys.add(key, own);
    return own;
  }

  #use(rates: readonly Rate[]): void {
    this.#rates = rates;
    this.#perIp = rates.some((rate) => rate.perIp);
  }

  /** Goes on with other rates: what was used up under the old ones stays used up, as far as the new buckets are deep. */
  #retune(rates: readonly Rate[], nowMs: number): void {
    const old = this.#rates;
    const heirs = inherit(old, rates);
    const convert = (full: readonly number[]) =>
      rates.map((rate, i) => {
        const from = heirs[i];
        if (from === null) return 0;
        const lacks = Math.max(0, full[from] - nowMs * old[from].count) / old[from].perMs * rate.perMs;
        return nowMs * rate.count + Math.min(lacks, rate.burst * rate.perMs);
      });
    this.#use(rates);
    this.#shared = convert(this.#shared);
    const keys = this.#keys;
    this.#keys = new Recent(MAX_KEYS);
    if (!heirs.some((from) => from !== null && old[from].perIp)) return;
    for (const [key, full] of keys.entries()) this.#keys.add(key, convert(full));
  }
}

/** For each new rate the place of the old one whose count it carries on: the same, of the same span, or of the same kind. */
function inherit(old: readonly Rate[], rates: readonly Rate[]): (number | null)[] {
  const heirs: (number | null)[] = rates.map(() => null);
  const alike: ((a: Rate, b: Rate) => boolean)[] = [
    (a, b) => printRate(a) === printRate(b),
    (a, b) => a.perMs === b.perMs,
    () => true,
  ];
  for (const like of alike) {
    rates.forEach((rate, i) => {
      if (heirs[i] !== null) return;
      const from = old.findIndex((was, j) =>
        was.perIp === rate.perIp && like(was, rate) && !heirs.includes(j)
      );
      if (from >= 0) heirs[i] = from;
    });
  }
  return heirs;
}
