/** What the trails have to say of each change that was acknowledged. */
import type { Role } from "./world.ts";

/** A record as the API prints it. */
interface RecordSeen {
  readonly at: string;
  readonly type: string;
  readonly subject: string;
}

/** One that has to be there. `at`: when, as the answer said; null: it says nothing of it. */
interface Expected {
  readonly who: Role;
  readonly type: string;
  readonly subject: string;
  readonly at: string | null;
}

/** A change and its record are of the same turn, whose clock may go on by so much, in ms. */
const TURN_MS = 100;

export class ExpectedRecords {
  readonly #all: Expected[] = [];

  expect(who: Role, type: string, subject: string, at: string | null = null): void {
    this.#all.push({ who, type, subject, at });
  }

  count(who: Role): number {
    return this.#all.filter((one) => one.who === who).length;
  }

  /** Those that are not among `seen`, the trail of `who`. */
  missing(who: Role, seen: readonly RecordSeen[]): string[] {
    const times = new Map<string, number[]>();
    for (const { type, subject, at } of seen) {
      const key = `${type} ${subject}`, known = times.get(key);
      if (known === undefined) times.set(key, [Date.parse(at)]);
      else known.push(Date.parse(at));
    }
    const own = this.#all.filter((one) => one.who === who);
    return own.filter(({ type, subject, at }) => {
      const found = times.get(`${type} ${subject}`) ?? [];
      return !(at === null ? found.length > 0 : found.some((time) => isNear(time, Date.parse(at))));
    }).map(({ type, subject, at }) =>
      `the trail of the ${who} has no ${type} of ${subject}${at === null ? "" : ` at ${at}`}`
    );
  }
}

function isNear(time: number, at: number): boolean {
  return Math.abs(time - at) <= TURN_MS;
}
