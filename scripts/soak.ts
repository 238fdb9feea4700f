/**
 * Campaigns that outlast a test: everything at once for hours, memory under stalled bodies, processes that are killed by
 * the hundred, floods. Each owns its processes, sends to loopback alone, prints its figures and what broke, and exits 1 if
 * anything did. They read other processes' /proc, for which Deno wants every permission.
 *
 *     deno task soak [traffic] [--seconds 180 | --rounds 100] [--seed 1]
 */
import { parseArgs } from "node:util";
import { Rig } from "../tests/e2e/rig.ts";
import { type Campaign, Report } from "./soak/campaign.ts";
import { durability } from "./soak/durability.ts";
import { faults } from "./soak/faults.ts";
import { memory } from "./soak/memory.ts";
import { overload } from "./soak/overload.ts";
import { restarts } from "./soak/restarts.ts";
import { systemd } from "./soak/systemd.ts";
import { traffic } from "./soak/traffic.ts";

const CAMPAIGNS: Readonly<Record<string, Campaign>> = {
  traffic,
  durability,
  memory,
  faults,
  overload,
  restarts,
  systemd,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string" },
    rounds: { type: "string" },
    seed: { type: "string", default: "1" },
  },
});
const [name = "traffic", ...more] = positionals, campaign = CAMPAIGNS[name];
if (campaign === undefined || more.length > 0) {
  const known = Object.entries(CAMPAIGNS).map(([name, { about }]) => `  ${name}: ${about}`);
  refuse(`no campaign "${positionals.join(" ")}"; there are\n${known.join("\n")}`);
}
const { usual } = campaign;
const wish = {
  seconds: amount("seconds", values.seconds, "seconds" in usual ? usual.seconds : null),
  rounds: amount("rounds", values.rounds, "rounds" in usual ? usual.rounds : null),
  seed: amount("seed", values.seed, 1),
};
const rig = new Rig(), report = new Report();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.addSignalListener(signal, () => void finish(1));
}
// Whatever hangs, this ends.
setTimeout(() => {
  report.breaks("the campaign did not come to its end");
  void finish();
}, campaign.limitMs(wish));

try {
  await campaign.run(wish, rig, report);
} catch (error) {
  report.breaks(error instanceof Error ? error.stack ?? error.message : String(error));
}
await finish();

async function finish(code?: number): Promise<never> {
  // What ends from here on was ended.
  const broken = [...report.broken];
  await rig[Symbol.asyncDispose]();
  for (const line of broken.slice(0, 30)) console.log(`broken: ${line.slice(0, 1_000)}`);
  console.log(
    broken.length === 0
      ? `${name}: every promise held`
      : `${name}: ${broken.length} broken; again: ${name} --seed ${wish.seed}`,
  );
  Deno.exit(code ?? (broken.length === 0 ? 0 : 1));
}

function amount(flag: string, text: string | undefined, usual: number | null): number {
  if (text === undefined) return usual ?? 0;
  if (usual === null) refuse(`${name} takes no --${flag}`);
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : refuse(`--${flag} is a whole number, not "${text}"`);
}

function refuse(text: string): never {
  console.error(text);
  Deno.exit(2);
}
