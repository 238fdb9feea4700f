/**
 * Many more seeded cases of what the tests prove of a few: no crash, no hang, no growing memory, and every oracle agrees.
 * Prints what failed and how to see it again; exits 1.
 *
 *     deno task fuzz [--seconds 60 | --cases 10000000] [--seed 1] [--only http1,paths] [--jobs 2]
 *
 * Either is for each fuzzer.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { campaign, mib } from "./fuzz/campaign.ts";
import { FUZZERS } from "./fuzz/fuzzers.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    jobs: { type: "string", default: "1" },
  },
});
if (values.cases !== undefined && values.seconds !== undefined) fail("--cases or --seconds, not both");
const cases = values.cases === undefined ? 2 ** 31 - 1 : wholeNumber("cases", values.cases);
const seconds = values.cases === undefined ? wholeNumber("seconds", values.seconds ?? "60") : Infinity;
const seed = wholeNumber("seed", values.seed), jobs = wholeNumber("jobs", values.jobs);
const names = values.only === undefined ? Object.keys(FUZZERS) : values.only.split(",");
for (const name of names) {
  if (!Object.hasOwn(FUZZERS, name)) fail(`--only ${name}: there are ${Object.keys(FUZZERS).join(", ")}`);
}

const terminal = Deno.stderr.isTerminal();
let broken = 0;
const left = [...names];
await Promise.all(Array.from({ length: Math.min(jobs, names.length) }, async () => {
  for (let name = left.shift(); name !== undefined; name = left.shift()) await run(name);
}));
process.exit(broken > 0 ? 1 : 0);

async function run(name: string): Promise<void> {
  const { cases: done, taken, ms, heap, rss, broken: why } = await campaign(
    { name, seed, cases, seconds },
    jobs === 1,
    (done) => show(`${name}: ${done.toLocaleString("en")} cases`),
  );
  show("");
  if (why === null) {
    const rate = Math.round(done / ms * 1000);
    console.log(
      `${name}: ${done} cases hold, ${taken} of them were let through; ${rate} a second, heap ${
        mib(heap)
      } MiB, rss ${mib(rss)} MiB`,
    );
    return;
  }
  broken++;
  console.error(why.why);
  const again = `--seed ${seed + why.from} --cases ${why.cases}`;
  console.error(`${name}: failed; again: deno task fuzz --only ${name} ${again}`);
}

/** The line that a terminal shows while nothing is printed. */
function show(text: string): void {
  if (terminal) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) fail(`--${name} ${text}: a whole number from 1 is due`);
  return Number(text);
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
