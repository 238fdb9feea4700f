/** What declared links cost that nobody visits. */
import { startPair } from "../../../tests/e2e/pair.ts";
import { Rig } from "../../../tests/e2e/rig.ts";
import { held, type Report } from "../campaign.ts";

/** What comes with these is not a link's own. */
const FIRST = 500;

/** A link more may cost so much, in KiB: its name, policy, counters and row. */
const EACH_KIB = 16;

/** What was made in passing, a YAML document and messages, is garbage that nothing makes V8 collect. */
const GARBAGE_MIB = 128;

/** Declares `links` links and holds hub and daemon to what each may cost. */
export async function declaredLinks(rig: Rig, report: Report, links: number): Promise<void> {
  const few = await declared(rig, FIRST), many = await declared(rig, links);
  for (const side of ["hub", "daemon"] as const) {
    const growth = many[side] - few[side], most = (links - FIRST) * EACH_KIB / 1024 + GARBAGE_MIB;
    report.figure(
      `${links} links: ${side} ${many[side].toFixed(0)} MiB, with ${FIRST} ${few[side].toFixed(0)}: ${
        (growth * 1024 / (links - FIRST)).toFixed(1)
      } KiB each, garbage included`,
    );
    if (growth > most) report.breaks(`${links} links: the ${side} grew by ${growth.toFixed(0)} MiB`);
  }
}

/** The MiB of both with so many. */
async function declared(rig: Rig, links: number): Promise<{ hub: number; daemon: number }> {
  const world = new Rig();
  rig.atEnd(() => world[Symbol.asyncDispose]());
  const { hub, daemon } = await startPair(world, linksOf(links));
  const seen = { hub: held(hub.pid).rssMiB, daemon: held(daemon.pid).rssMiB };
  for (const process of [hub, daemon]) await process.kill("SIGKILL");
  return seen;
}

function linksOf(count: number): string {
  return Array.from({ length: count }, (_, i) => `  l${i}: { target: echo, methods: [GET], rate: 1000/m }\n`)
    .join("");
}
