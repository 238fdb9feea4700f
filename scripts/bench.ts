/**
 * Figures: the target itself, connectd, and whatever else of rathole, bore, chisel, frp and ssh is on PATH.
 * Each round measures every contender in turn, and begins with another one, so that a noisy machine is noisy
 * for all. It reads /proc of other processes, for which Deno wants every permission.
 *
 *     deno task bench [--rounds 5] [--seconds 3] [--only "connectd,frp http"] [--svg FILE] [--json FILE]
 *     deno task bench --sessions 10000
 *     deno task bench --events 2000
 *     deno task bench --reach [--rounds 9]
 *     deno task bench --growth [--rounds 3] [--seconds 2] [--svg FILE]
 */
import { parseArgs } from "node:util";
import { CONTENDERS } from "./bench/contenders.ts";
import type { Tunnel } from "./bench/tunnel.ts";
import { eventLatency } from "./bench/events.ts";
import { curves } from "./bench/curves.ts";
import { growth } from "./bench/growth.ts";
import { besideBulk, download, load, probe, upload } from "./bench/measure.ts";
import { plot } from "./bench/plot.ts";
import { reachBulk } from "./bench/reach.ts";
import { rssMiB, start, stopAll, which } from "./bench/process.ts";
import { idleSessions } from "./bench/sessions.ts";
import { Figures, medians, ratios, VISITORS } from "./bench/table.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string" },
    seconds: { type: "string" },
    only: { type: "string", default: Object.keys(CONTENDERS).join() },
    svg: { type: "string" },
    json: { type: "string" },
    sessions: { type: "string" },
    events: { type: "string" },
    reach: { type: "boolean", default: false },
    growth: { type: "boolean", default: false },
  },
});
const usual = options.growth ? { rounds: "3", seconds: "2" } : { rounds: "5", seconds: "3" };
const rounds = count("rounds", options.rounds ?? usual.rounds);
const seconds = count("seconds", options.seconds ?? usual.seconds);
const sessions = options.sessions === undefined ? null : count("sessions", options.sessions);
const events = options.events === undefined ? null : count("events", options.events);
const wanted = options.only.split(",");
for (const name of wanted) {
  if (CONTENDERS[name] === undefined) {
    refuse(`--only: no contender "${name}"; there are ${Object.keys(CONTENDERS).join(", ")}`);
  }
}
for (const program of ["wrk", "curl"]) if (which(program) === null) refuse(`${program} is not on PATH`);

const folder = Deno.makeTempDirSync({ prefix: "connectd-bench-" });
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    clean();
    Deno.exit(1);
  });
}
let failures = 0;
try {
  console.log(machine());
  if (events !== null) console.log(await eventLatency(events, folder));
  else if (sessions !== null) console.log(await idleSessions(sessions, folder));
  else if (options.reach) console.log(await reachBulk(rounds, folder));
  else if (options.growth) await grow();
  else await compare();
} finally {
  clean();
}
Deno.exit(failures === 0 ? 0 : 1);

async function grow(): Promise<void> {
  const seen = await growth({ rounds, seconds, folder });
  if (options.svg === undefined) return;
  const all = Object.entries(seen).map(([name, steps]) => ({
    name,
    points: steps.map(({ count: at, figures }) => ({
      at,
      value: figures.sides("cpu").reduce((sum, us) => sum + us, 0),
    })),
  }));
  const title = "CPU µs a request, hub + daemon, by how many there are";
  Deno.writeTextFileSync(options.svg, curves(title, `medians of ${rounds} rounds; ${machine()}`, all));
}

async function compare(): Promise<void> {
  const contenders = await startAll();
  const upTo = Math.ceil(
    contenders.length * rounds * (VISITORS.length * (seconds + 1) + 2 * seconds + 5) / 60,
  );
  console.error(`${contenders.length} contenders, ${rounds} rounds: up to ${upTo} minutes`);
  for (const { tunnel, figures } of contenders) {
    tunnel.processes.forEach((process, side) => figures.note(`idle ${side}`, rssMiB(process)));
    await load(tunnel, 64, 1); // Compilers warm up, pools fill.
  }
  const file = `${folder}/upload`;
  Deno.writeFileSync(file, new Uint8Array(100 * 1024 * 1024));
  for (let round = 0; round < rounds; round++) {
    const first = round % contenders.length;
    const turn = [...contenders.slice(first), ...contenders.slice(0, first)];
    for (const visitors of VISITORS) {
      for (const one of turn) await measure(one, `rps ${visitors}`, () => loaded(one, visitors));
    }
    for (const one of turn) await measure(one, "down", () => download(one.tunnel));
    for (const one of turn) await measure(one, "up", () => upload(one.tunnel, file));
    for (const one of turn) await measure(one, "bulk", () => besideBulk(one.tunnel, seconds));
    console.error(`round ${round + 1} of ${rounds} done`);
  }
  for (const { tunnel, figures } of contenders) {
    tunnel.processes.forEach((process, side) => figures.note(`after ${side}`, rssMiB(process)));
  }
  report(contenders.map(({ figures }) => figures));
}

interface Entrant {
  readonly tunnel: Tunnel;
  readonly figures: Figures;
}

/** The target, and every contender that is wanted and comes up. */
async function startAll(): Promise<Entrant[]> {
  const program = new URL("./bench/target.ts", import.meta.url).pathname;
  const { line } = await start("target", [Deno.execPath(), "run", "--allow-net", program], /^target/);
  const port = Number(line.split(" ")[1]);
  const entrants: Entrant[] = [];
  const enter = async (name: string, tunnel: Tunnel) => {
    await probe(tunnel);
    entrants.push({ tunnel, figures: new Figures(name, tunnel.processes.length) });
  };
  await enter("target alone", { port, host: "localhost", processes: [] });
  for (const name of wanted) {
    const missing = CONTENDERS[name].needs.filter((program) => which(program) === null);
    if (missing.length > 0) console.error(`${name}: left out, ${missing.join(" and ")} not on PATH`);
    else {
      try {
        await enter(name, await CONTENDERS[name].begin(port, Deno.makeTempDirSync({ dir: folder })));
      } catch (error) {
        fail(name, error);
      }
    }
  }
  return entrants;
}

async function loaded({ tunnel, figures }: Entrant, visitors: number): Promise<number> {
  // While others were measured it rested: a second that nobody sees brings back what compilers and pools had forgotten.
  await load(tunnel, visitors, 1);
  const { perSecond, p99, errors, cpu } = await load(tunnel, visitors, seconds);
  figures.note(`p99 ${visitors}`, p99);
  figures.note("errors", errors);
  if (visitors === 64) cpu.forEach((us, side) => figures.note(`cpu ${side}`, us));
  return perSecond;
}

/** Notes what `run` gives. One that fails is told and counted, and the others go on. */
async function measure({ figures }: Entrant, what: string, run: () => Promise<number>): Promise<void> {
  let value = NaN;
  try {
    value = await run();
  } catch (error) {
    figures.note("errors", 1);
    fail(`${figures.name}, ${what}`, error);
  }
  figures.note(what, value);
}

function report(all: readonly Figures[]): void {
  console.log(
    `Medians of ${rounds} interleaved rounds of ${seconds} s; everything shares the cores. CPU and RSS:`,
  );
  console.log("public + private side. chisel, frp and ssh encrypt, as they do by default.\n");
  console.log(medians(all) + "\n");
  const ours = all.find(({ name }) => name === "connectd");
  if (ours !== undefined) console.log(ratios(ours, all.filter((figures) => figures !== ours)));
  if (options.json !== undefined) {
    const text = all.map(({ name, seen }) => ({ name, ...Object.fromEntries(seen) }));
    Deno.writeTextFileSync(options.json, JSON.stringify(text, null, 1) + "\n");
  }
  if (options.svg !== undefined) {
    const bars = all.slice(1).map((figures) => ({ name: figures.name, values: figures.values("rps 64") }));
    const title = "Requests a second, 64 keep-alive visitors, 12-octet answers";
    Deno.writeTextFileSync(options.svg, plot(title, `bar: median, ticks: rounds; ${machine()}`, bars));
  }
}

/** What it ran on. */
function machine(): string {
  const cpu = /model name\s*: (.+)/.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "unknown CPU";
  const cores = `${navigator.hardwareConcurrency} cores (${cpu})`;
  return `${cores}, Linux ${Deno.osRelease()}, Deno ${Deno.version.deno}`;
}

function clean(): void {
  stopAll();
  Deno.removeSync(folder, { recursive: true });
}

function count(flag: string, text: string): number {
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : refuse(`--${flag} is a whole number, not "${text}"`);
}

function fail(what: string, error: unknown): void {
  failures++;
  console.error(`${what}: ${error instanceof Error ? error.message : error}`);
}

function refuse(text: string): never {
  console.error(text);
  Deno.exit(2);
}
