/** Wrong tokens and wrong codes: so many a minute from one address, and then it has to wait. */
import type { Clock } from "../clock.ts";
import { Buckets } from "../core/limit.ts";
import { rateFields } from "../core/rate_fields.ts";
import type { Rate } from "../core/units.ts";
import { ApiProblem } from "../api/problem.ts";

const MINUTE_MS = 60_000;

/**
 * Each address, or /64 of IPv6. Nobody guesses a token; the rate keeps the noise and the work within bounds, and
 * tells a program that is set up wrongly to slow down.
 */
const TOKENS: readonly Rate[] = [{ count: 30, perMs: MINUTE_MS, burst: 30, perIp: true }];

/**
 * Codes that people type are short: 20⁸. All addresses together try 600 in the ten minutes that one is good, which meets
 * one of a thousand that wait with a chance of 1 in 40,000.
 */
const CODES: readonly Rate[] = [
  { count: 10, perMs: MINUTE_MS, burst: 10, perIp: true },
  { count: 60, perMs: MINUTE_MS, burst: 60, perIp: false },
];

/** The failures of a hub. Memory is bounded: what is idle longest is forgotten first. */
export class Failures {
  readonly #tokens = new Buckets();
  readonly #codes = new Buckets();

  constructor(private readonly clock: Clock) {}

  /**
   * A wrong token came from `address`: what it is to be told once there were too many, else null. It is asked for wrong
   * ones alone: a right one gets in whatever others behind the same address do, and they can not lock a daemon out.
   */
  wrongToken(address: string): ApiProblem | null {
    const wait = this.#tokens.take(TOKENS, address, this.clock.mono(), true);
    if (wait === null) return null;
    return new ApiProblem(
      429,
      "rate_limited",
      "Too many wrong tokens came from this address: wait, and show a valid one.",
      rateFields(TOKENS, wait, () => "tokens"),
    );
  }

  /** Throws ApiProblem where so many wrong codes came that none is looked at: a guess must not be answered. */
  checkCodes(address: string): void {
    const wait = this.#codes.foresee(CODES, address, this.clock.mono());
    if (wait === null) return;
    throw new ApiProblem(
      429,
      "rate_limited",
      "Too many wrong codes were tried: wait, and look at the code again.",
      rateFields(CODES, wait, (i) => i === 0 ? "codes" : "all-codes"),
    );
  }

  /** A code came from `address` that nobody waits with. */
  wrongCode(address: string): void {
    this.#codes.take(CODES, address, this.clock.mono(), true);
  }
}
