/**
 * A hub, a daemon and a target for minutes on end, and everything at once: visitors of all manners, reloads, revocations,
 * processes that are killed. What a visitor got and what the target saw is held to what was sent; at the end nothing may
 * be open, and memory and files are what they were. Prints what broke and exits 1. It reads other processes' /proc, for
 * which Deno wants every permission.
 *
 *     deno task soak [--seconds 180] [--seed 1]
 */
import { parseArgs } from "node:util";
import { Random } from "../tests/pure/random.ts";
import { Broken } from "../tests/e2e/talk.ts";
import { Ledger } from "./soak/ledger.ts";
import { DEEDS, PLUGS, renew } from "./soak/operator.ts";
import { Target, trap } from "./soak/target.ts";
import { pause, type Place } from "./soak/visitor.ts";
import { VISITS } from "./soak/visits.ts";
import { FLEETING, type LinkSeen, World } from "./soak/world.ts";

/** Visitors at a time. */
const LANES = 24;

/** Nobody is left waiting longer, in ms: slow visits take 10 s on an idle machine, those of a killed process 6 s more. */
const VISIT_MS = 60_000;

/** A target's connections idle for 4 s in the pool, and wheels turn by 200 ms. */
const REST_MS = 6_000;

/**
 * So much may a process grow between the middle and the end. What V8 puts off collecting was seen to differ by 43 MiB from
 * one rest to the next, with 160 visitors; a leak of 2 KiB a request is more than this in five minutes.
 */
const GROWTH_MIB = 64;

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "180" }, seed: { type: "string", default: "1" } },
});
const seconds = count("seconds", values.seconds), seed = count("seed", values.seed);
const ledger = new Ledger(), world = new World(ledger), done = new Map<string, number>();
const targets = [new Target(ledger), trap(ledger)];
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.addSignalListener(signal, () => void finish(1));
}
// Whatever hangs, this ends.
const watchdog = setTimeout(() => {
  ledger.breaks("the campaign did not come to its end");
  void finish(report());
}, (seconds + 240) * 1_000);

try {
  await world.start({ steady: targets[0].port, trap: targets[1].port });
  await campaign(0, seconds / 10, DEEDS.slice(0, 1));
  const idle = await rested();
  await campaign(1, seconds * 0.45, [...DEEDS, ...PLUGS], PLUGS);
  const middle = await rested();
  await campaign(2, seconds * 0.45, DEEDS);
  const end = await rested();
  for (const side of ["hub", "daemon"] as const) {
    const growth = end[side].rssMiB - middle[side].rssMiB;
    console.log(
      `${side}: ${middle[side].rssMiB.toFixed(0)} MiB in the middle, ${
        end[side].rssMiB.toFixed(0)
      } MiB at the end; ` +
        `${idle[side].files} files when idle, ${end[side].files} at the end`,
    );
    if (growth > GROWTH_MIB) ledger.breaks(`the ${side} grew by ${growth.toFixed(0)} MiB`);
    if (end[side].files > idle[side].files) {
      ledger.breaks(`the ${side} has ${end[side].files} files open, ${idle[side].files} when idle`);
    }
  }
} catch (error) {
  ledger.breaks(error instanceof Error ? error.stack ?? error.message : String(error));
}
clearTimeout(watchdog);
await finish(report());

/** Visits and deeds at random for so long, until all of them are over; one after the other `first`. */
async function campaign(
  phase: number,
  seconds: number,
  deeds: typeof DEEDS,
  first: typeof DEEDS = [],
): Promise<void> {
  const until = performance.now() + seconds * 1_000;
  const progress = setInterval(() => {
    if (!Deno.stderr.isTerminal()) return;
    const left = Math.max(0, (until - performance.now()) / 1000).toFixed(0);
    console.error(
      `${ledger.requests} requests, ${mib(ledger.octets)}, ${ledger.broken.length} broken, ${left} s left`,
    );
  }, 5_000);
  await Promise.all([
    operate(new Random(seed + phase), until, deeds, first),
    ...Array.from(
      { length: LANES },
      (_, lane) => visit(new Random(1_000 * seed + 100 * phase + lane), until),
    ),
  ]);
  clearInterval(progress);
}

async function visit(random: Random, until: number): Promise<void> {
  const place: Place = { port: world.port, ledger, fleeting: FLEETING };
  const kinds = VISITS.flatMap((kind) => Array.from({ length: kind[2] }, () => kind));
  while (performance.now() < until) {
    const [name, run] = random.of(kinds), { era } = world;
    try {
      await within(run(place, random));
      tick(name);
    } catch (error) {
      const disturbed = era % 2 === 1 || era !== world.era;
      if (error instanceof Broken || !disturbed) ledger.breaks(`${name}: ${error}`);
      else tick("interrupted");
      // A killed hub refuses connections: no use in asking without a pause.
      await pause(50);
    }
  }
}

async function within(visit: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Broken(`still waiting after ${VISIT_MS / 1000} s`)), VISIT_MS);
  });
  await Promise.race([visit, late]).finally(() => clearTimeout(timer));
}

/** Does `first`, then whatever of `deeds`. */
async function operate(
  random: Random,
  until: number,
  deeds: typeof DEEDS,
  first: typeof DEEDS,
): Promise<void> {
  for (let n = 0; n < first.length || performance.now() < until; n++) {
    const [name, deed] = first[n] ?? random.of(deeds);
    try {
      await deed(world, random);
      tick(name);
    } catch (error) {
      ledger.breaks(`${name}: ${error}`);
    }
    await pause(random.below(1_500));
  }
}

/** All is as it was at first, nobody visits: nothing is open. Returns what the processes hold then. */
async function rested(): Promise<Record<"hub" | "daemon", { rssMiB: number; files: number }>> {
  for (const name of FLEETING) world.present.add(name);
  await world.reload();
  for (const name of FLEETING) {
    if ((await world.atDaemon<LinkSeen>("GET", `/v1/links/${name}`)).body.state === "revoked") {
      await renew(world, name);
    }
  }
  await world.eventually("no request is open at the daemon", async () => {
    const { body } = await world.atDaemon<{ items: LinkSeen[] }>("GET", "/v1/links");
    return body.items.every(({ counters }) => counters.open === 0);
  });
  await world.eventually("no request is open at the hub", async () => {
    const { items } = await world.atHub<{ items: LinkSeen[] }>("GET", "/v1/links");
    return items.every(({ counters }) => counters.open === 0);
  });
  await pause(REST_MS);
  await world.eventually(
    "no connection to a target is open",
    () => Promise.resolve(targets.every((t) => t.open === 0)),
  );
  return { hub: held(world.hub.pid), daemon: held(world.daemon.pid) };
}

function held(pid: number): { rssMiB: number; files: number } {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return { rssMiB: Number(kib) / 1024, files: [...Deno.readDirSync(`/proc/${pid}/fd`)].length };
}

function report(): number {
  for (const line of world.complaints()) ledger.breaks(line);
  const counts = [...done].sort(([a], [b]) => a < b ? -1 : 1).map(([name, n]) => `${name} ${n}`).join(", ");
  console.log(`${ledger.requests} requests, ${mib(ledger.octets)} of bodies: ${counts}`);
  for (const line of ledger.broken.slice(0, 30)) console.log(`broken: ${line.slice(0, 1_000)}`);
  console.log(
    ledger.broken.length === 0
      ? "every promise held"
      : `${ledger.broken.length} broken; again: --seed ${seed}`,
  );
  return ledger.broken.length === 0 ? 0 : 1;
}

async function finish(code: number): Promise<never> {
  await world.rig[Symbol.asyncDispose]();
  Deno.exit(code);
}

function tick(name: string): void {
  done.set(name, (done.get(name) ?? 0) + 1);
}

function mib(octets: number): string {
  return `${(octets / 1024 / 1024).toFixed(0)} MiB`;
}

function count(flag: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  console.error(`--${flag} is a whole number, not "${text}"`);
  Deno.exit(2);
}
