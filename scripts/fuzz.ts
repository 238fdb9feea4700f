/**
 * Many more seeded cases of what the tests prove of a few. Prints what failed and how to see it again; exits 1.
 *
 *     deno run --no-prompt scripts/fuzz.ts [--cases 1000000] [--seed 1] [--only http1]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { headersCase } from "../tests/contract/headers_fuzz.ts";
import { requestCase, responseCase } from "../tests/contract/http1_fuzz.ts";
import { Random } from "../tests/pure/random.ts";

/** One case: throws where something does not hold; true where its input was let through. */
type Case = (random: Random) => boolean;

const FUZZERS: Readonly<Record<string, Case>> = {
  http1: requestCase,
  responses: responseCase,
  headers: headersCase,
};

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const cases = wholeNumber("cases", values.cases), seed = wholeNumber("seed", values.seed);
const names = values.only === undefined ? Object.keys(FUZZERS) : [values.only];

for (const name of names) {
  const run = FUZZERS[name];
  if (run === undefined) fail(`--only ${name}: there are ${Object.keys(FUZZERS).join(", ")}`);
  let taken = 0;
  // Each case has a seed of its own, so that one of them can be run again alone.
  for (let i = 0; i < cases; i++) {
    try {
      if (run(new Random(seed + i))) taken++;
    } catch (error) {
      console.error(error);
      fail(`${name}: failed; again: --only ${name} --seed ${seed + i} --cases 1`);
    }
  }
  console.log(`${name}: ${cases} cases hold, ${taken} of them were let through`);
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) fail(`--${name} ${text}: a whole number is due`);
  return Number(text);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
