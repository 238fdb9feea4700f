/** A world of its own, a crowd in it, and rounds of faults. */
import type { Rig } from "../../../tests/e2e/rig.ts";
import { Random } from "../../../tests/pure/random.ts";
import type { Report } from "../campaign.ts";
import { Crowd } from "./crowd.ts";
import { Notes } from "./notes.ts";
import { Proxy } from "./proxy.ts";
import { Rounds } from "./rounds.ts";
import { World } from "./world.ts";

export interface Stage {
  /** Also of its folder in the rig's. */
  readonly name: string;
  readonly seed: number;
  readonly rig: Rig;
  readonly report: Report;
  /** A proxy stands between daemon and hub. */
  readonly apart?: boolean;
  /** Visitors at a time. */
  readonly lanes?: number;
}

/** Runs `act` under load and tells what was seen. */
export async function stage(
  { name, seed, rig, report, apart = false, lanes = 16 }: Stage,
  act: (run: Rounds, random: Random) => Promise<void>,
): Promise<void> {
  const random = new Random(seed), folder = `${rig.folder}/${name}`;
  Deno.mkdirSync(folder);
  const notes = new Notes(report, `${folder}/notes`);
  const world = new World(rig, notes, folder, (what) => report.breaks(what));
  using proxy = new Proxy(() => world.port, random);
  await world.start(apart ? () => proxy.port : null);
  const crowd = new Crowd(() => world.port, notes, report, seed, lanes);
  const rounds = new Rounds(world, crowd, report, random, proxy);
  await act(rounds, random);
  await crowd.leave();
  await world.close();
  const { answered, interrupted, longest } = crowd;
  report.figure(`${name}: ${notes.requests} requests, ${answered} answered, ${interrupted} interrupted`);
  for (const [fault, ms] of longest) report.figure(`  ${fault}: longest wait ${(ms / 1000).toFixed(2)} s`);
  rounds.tell();
}
