/** Requests of each link by minute and by hour, taken once a minute from what is counted anyway: a request pays nothing for it. */
import type { Clock } from "../clock.ts";
import type { HubLink } from "./link.ts";

export const MINUTES = 60;
const HOURS = 24;
const MINUTE_MS = 60_000;

/** What `code` stands for where a request was handed to the daemon. */
export const HANDED = "handed to the daemon";

/** Of one link and one code, in rings. */
interface Ring {
  readonly minutes: Uint32Array;
  readonly hours: Uint32Array;
  /** The counter as it was when it was looked at last. */
  seen: number;
}

/** Requests of a link by code, in the last hour and the last day. */
export interface CodeCount {
  readonly code: string;
  readonly hour: number;
  readonly day: number;
}

/** The traffic of a hub's links, as far back as a day, and no longer than the hub runs. Links without any ask for no memory. */
export class Traffic {
  readonly #links = new Map<HubLink, Map<string, Ring>>();
  #minute = 0;
  #nextAt: number;

  constructor(private readonly clock: Pick<Clock, "mono">, private readonly all: () => Iterable<HubLink>) {
    this.#nextAt = clock.mono() + MINUTE_MS;
  }

  /** To be called more often than once a minute. */
  look(): void {
    const now = this.clock.mono();
    if (now < this.#nextAt) return;
    this.#take();
    // A machine that slept missed minutes; of more than a day nothing is left.
    const passed = 1 + Math.floor((now - this.#nextAt) / MINUTE_MS);
    this.#nextAt += passed * MINUTE_MS;
    for (let i = 0; i < Math.min(passed, HOURS * MINUTES); i++) this.#turn();
    if (passed > HOURS * MINUTES) this.#minute += passed - HOURS * MINUTES;
    this.#forget();
  }

  /** Requests by minute, the oldest first, the present minute last; null: none in the last hour. */
  minutes(link: HubLink): Uint32Array | null {
    this.#takeOf(link);
    const rings = this.#links.get(link);
    if (rings === undefined) return null;
    const sums = new Uint32Array(MINUTES), from = this.#minute + 1;
    let any = 0;
    for (const { minutes } of rings.values()) {
      for (let i = 0; i < MINUTES; i++) any |= sums[i] += minutes[(from + i) % MINUTES];
    }
    return any === 0 ? null : sums;
  }

  /** Requests in the last hour. */
  hour(link: HubLink): number {
    this.#takeOf(link);
    return this.#links.get(link)?.values().reduce((sum, { minutes }) => sum + total(minutes), 0) ?? 0;
  }

  /** By code, what was handed on first. */
  codes(link: HubLink): CodeCount[] {
    this.#takeOf(link);
    const rings = this.#links.get(link)?.entries().toArray() ?? [];
    return rings.map(([code, { minutes, hours }]) => ({ code, hour: total(minutes), day: total(hours) }))
      .sort((a, b) => a.code === HANDED ? -1 : b.code === HANDED ? 1 : b.day - a.day);
  }

  #take(): void {
    for (const link of this.all()) this.#takeOf(link);
  }

  #takeOf(link: HubLink): void {
    const { allowed, denied } = link.counters;
    if (allowed > 0) this.#add(link, HANDED, allowed);
    for (const code in denied) this.#add(link, code, denied[code as keyof typeof denied]!);
  }

  #add(link: HubLink, code: string, count: number): void {
    let rings = this.#links.get(link);
    if (rings === undefined) this.#links.set(link, rings = new Map());
    let ring = rings.get(code);
    if (ring === undefined) {
      rings.set(
        code,
        ring = {
          minutes: new Uint32Array(MINUTES),
          hours: new Uint32Array(HOURS),
          seen: 0,
        },
      );
    }
    const fresh = count - ring.seen;
    ring.seen = count;
    ring.minutes[this.#minute % MINUTES] += fresh;
    ring.hours[Math.floor(this.#minute / MINUTES) % HOURS] += fresh;
  }

  #turn(): void {
    const minute = ++this.#minute, hourBegins = minute % MINUTES === 0;
    for (const rings of this.#links.values()) {
      for (const { minutes, hours } of rings.values()) {
        minutes[minute % MINUTES] = 0;
        if (hourBegins) hours[minute / MINUTES % HOURS] = 0;
      }
    }
  }

  /** A name that changed hands has another link; the old one is nobody's any more. */
  #forget(): void {
    const alive = new Set(this.all());
    for (const link of this.#links.keys()) {
      if (!alive.has(link)) this.#links.delete(link);
    }
  }
}

function total(ring: Uint32Array): number {
  return ring.reduce((sum, n) => sum + n, 0);
}
