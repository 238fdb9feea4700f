/**
 * A hub, a daemon and a target that are killed, frozen and cut off from each other at any moment under load: no unsafe
 * request reaches the target twice, nobody waits longer than promised, and the link is soon back.
 */
import type { Rig } from "../../tests/e2e/rig.ts";
import type { Campaign, Report } from "./campaign.ts";
import type { Outage } from "./faults/rounds.ts";
import { lossy, stage } from "./faults/stage.ts";
import { ROLES } from "./faults/world.ts";

export const faults: Campaign = {
  about: "daemon, hub and target killed and frozen, the network between them away",
  usual: { rounds: 100 },
  limitMs: ({ rounds }) => 600_000 + rounds * 60_000,
  async run({ rounds, seed }, rig, report) {
    await kills(rounds, seed, rig, report);
    await freezes(rounds, seed, rig, report);
    await outages(rounds, seed, rig, report);
    await lossy({ name: "lossy", seed, rig, report }, Math.ceil(rounds / 5));
  },
};

/** Each of them killed `rounds` times; away so long, at times, that visitors wait for it in vain. */
async function kills(rounds: number, seed: number, rig: Rig, report: Report): Promise<void> {
  await stage({ name: "kills", seed, rig, report }, async (run, random) => {
    for (let n = 0; n < rounds; n++) {
      for (const role of ROLES) await run.kill(role, random.below(8) === 0 ? 8_000 : 1_500);
    }
  });
}

/** Mostly for a moment; some longer than a session lives without a sign of life. */
async function freezes(rounds: number, seed: number, rig: Rig, report: Report): Promise<void> {
  await stage({ name: "freezes", seed, rig, report }, async (run, random) => {
    for (let n = 0; n < Math.ceil(rounds / 3); n++) {
      for (const role of ROLES) {
        await run.freeze(
          role,
          n % 8 === 7 || n === 0 ? 12_500 + random.below(1_500) : 50 + random.below(3_000),
        );
      }
    }
  });
}

const OUTAGES: readonly Outage[] = ["refuse", "stall", "lose"];

/** Of up to five seconds, now and then of up to a minute; in a run of many rounds longer ones, too. */
async function outages(rounds: number, seed: number, rig: Rig, report: Report): Promise<void> {
  await stage({ name: "outages", seed, rig, report, apart: true }, async (run, random) => {
    for (let n = 0; n < rounds; n++) {
      await run.cut();
      if (n % 4 === 0) await run.halfDead();
      await run.bad(random.of(["delay", "slice"]), 500);
      await run.outage(random.of(OUTAGES), random.below(5_000));
      if (n % 10 === 5) await run.outage(OUTAGES[Math.floor(n / 10) % 3], 5_000 + random.below(25_000));
      if (n % 50 === 49) await run.outage(OUTAGES[Math.floor(n / 50) % 3], 61_000 + random.below(20_000));
    }
  });
}
