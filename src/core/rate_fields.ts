/** What 429 says of rates, in the fields of draft-ietf-httpapi-ratelimit-headers. */
import type { Field } from "./errors.ts";
import type { Wait } from "./limit.ts";
import type { Rate } from "./units.ts";

/** Retry-After, RateLimit-Policy and RateLimit; `nameOf`: what the rate at a place in the list is called. */
export function rateFields(
  rates: readonly Rate[],
  { index, ms }: Wait,
  nameOf: (index: number) => string,
): Field[] {
  const seconds = Math.ceil(ms / 1000);
  const policies = rates.map(({ count, perMs }, i) => `"${nameOf(i)}";q=${count};w=${perMs / 1000}`);
  return [
    ["Retry-After", String(seconds)],
    ["RateLimit-Policy", policies.join(", ")],
    ["RateLimit", `"${nameOf(index)}";r=0;t=${seconds}`],
  ];
}
