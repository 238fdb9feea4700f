/** A world of its own, a crowd in it, and rounds of faults. */
import type { Rig } from "../../../tests/e2e/rig.ts";
import { Random } from "../../../tests/pure/random.ts";
import type { Report } from "../campaign.ts";
import { Crowd } from "./crowd.ts";
import { Namespaces } from "./namespaces.ts";
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

const LISTEN = { hostname: "0.0.0.0", port: 8080 };

/**
 * A hub and a daemon in namespaces of their own, and a wire between them that loses packets and is taken down: nothing may
 * fail while it only loses, and the link is soon back. Left out where that is not permitted.
 */
export async function lossy({ name, seed, rig, report, lanes = 16 }: Stage, rounds: number): Promise<void> {
  const spaces = await Namespaces.make(rig);
  if (spaces === null) return;
  const random = new Random(seed), folder = `${rig.folder}/${name}`;
  Deno.mkdirSync(folder);
  const notes = new Notes(report, `${folder}/notes`);
  const url = `http://${spaces.hubAddress}:${LISTEN.port}`;
  using visitors = new Proxy(() => LISTEN.port, random, spaces.publicAddress);
  const world = new World(rig, notes, folder, (what) => report.breaks(what), {
    listen: LISTEN,
    hubConfig: `version: 1\ndomain: localhost\npublic_url: ${url}\n`,
    hub: `${url}\nplain: true`,
    inside: (role) => spaces.inside(role === "hub" ? spaces.hub : spaces.daemon),
  });
  world.port = visitors.port;
  await world.start();
  const crowd = new Crowd(() => visitors.port, notes, report, seed, lanes);
  const run = new Rounds(world, crowd, report, random);
  const loss = await spaces.lose();
  if (loss === null) report.figure(`${name}: no packet can be lost here: neither netem nor iptables`);
  for (let n = 0; n < rounds; n++) {
    await run.calm(2_000);
    await run.unplugged(
      (up) => spaces.up(up),
      n % 5 === 4 ? 13_000 + random.below(10_000) : random.below(5_000),
    );
  }
  await crowd.leave();
  await world.close();
  tell(name, report, notes, crowd, run);
  if (loss !== null) report.figure(`  ${loss}`);
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
  tell(name, report, notes, crowd, rounds);
}

function tell(name: string, report: Report, notes: Notes, crowd: Crowd, rounds: Rounds): void {
  const { answered, interrupted, longest } = crowd;
  report.figure(`${name}: ${notes.requests} requests, ${answered} answered, ${interrupted} interrupted`);
  for (const [fault, ms] of longest) report.figure(`  ${fault}: longest wait ${(ms / 1000).toFixed(2)} s`);
  rounds.tell();
}
