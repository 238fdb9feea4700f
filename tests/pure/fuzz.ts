/** Seeded cases, in number: what tests and campaigns run alike. */
import { Random } from "./random.ts";

/** One case: throws where something does not hold; true where its input was let through. */
export type Case = (random: Random) => boolean | Promise<boolean>;

/** Runs `cases` of them, each with a seed of its own from `seed` on; how many were let through. */
export async function taken(run: Case, cases: number, seed = 1): Promise<number> {
  let count = 0;
  for (let i = 0; i < cases; i++) {
    const result = run(new Random(seed + i));
    if (typeof result === "boolean" ? result : await result) count++;
  }
  return count;
}
