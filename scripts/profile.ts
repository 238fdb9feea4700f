/**
 * Where a request's time goes: the load of the benchmark through a hub and a daemon, one of them under V8's CPU profiler;
 * then what the kernel did for it. `--cpuprofile` keeps what DevTools and editors open, `--svg` a flame graph. It reads
 * /proc of other processes, for which Deno wants every permission.
 *
 *     deno task profile [--side hub|daemon] [--seconds 5] [--visitors 64] [--path / | /big] [--svg FILE] [--cpuprofile FILE]
 */
import { parseArgs } from "node:util";
import { twoProcesses } from "./bench/connectd.ts";
import type { Tunnel } from "./bench/tunnel.ts";
import { load, probe } from "./bench/measure.ts";
import { freePort, start, stopAll, which } from "./bench/process.ts";
import { systemCalls, used } from "./profile/counters.ts";
import { callTree, type CpuProfile, rooms, selves } from "./profile/cpu_profile.ts";
import { flame } from "./profile/flame.ts";
import { Inspector } from "./profile/inspector.ts";

/** Functions that are listed, and system calls. */
const FUNCTIONS = 40, CALLS = 12;

/** Compilers have come to rest after so long, in seconds. */
const WARM = 3;

const { values: options } = parseArgs({
  options: {
    side: { type: "string", default: "hub" },
    seconds: { type: "string", default: "5" },
    visitors: { type: "string", default: "64" },
    path: { type: "string", default: "/" },
    svg: { type: "string" },
    cpuprofile: { type: "string" },
  },
});
const { side, path } = options;
if (side !== "hub" && side !== "daemon") refuse(`--side is hub or daemon, not "${side}"`);
const seconds = count("seconds", options.seconds), visitors = count("visitors", options.visitors);
if (which("wrk") === null) refuse("wrk is not on PATH");

const folder = Deno.makeTempDirSync({ prefix: "connectd-profile-" });
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    clean();
    Deno.exit(1);
  });
}
try {
  const inspector = freePort();
  const program = new URL("./bench/target.ts", import.meta.url).pathname;
  const { line } = await start("target", [Deno.execPath(), "run", "--allow-net", program], /^target/);
  const runtimes = { [side]: [`--inspect=127.0.0.1:${inspector}`] };
  const tunnel = await twoProcesses(Number(line.split(" ")[1]), folder, runtimes);
  await probe(tunnel);
  await load(tunnel, visitors, WARM, { path });
  await profiled(tunnel, inspector);
  await counted(tunnel);
} finally {
  clean();
}
Deno.exit(0);

/** What V8 sees, in the middle of a load. */
async function profiled(tunnel: Tunnel, port: number): Promise<void> {
  using inspector = await Inspector.at(port);
  const [{ perSecond, p99, cpu, errors }, seen] = await Promise.all([
    load(tunnel, visitors, seconds + 1, { path }),
    new Promise((begin) => setTimeout(begin, 500)).then(() => inspector.profile(seconds * 1_000)),
  ]);
  const requests = perSecond * seconds;
  console.log(
    `${side}, ${visitors} visitors of ${path}, profiled: ${perSecond.toFixed(0)} requests/s, p99 ${
      p99.toFixed(1)
    } ms, ${errors} errors, CPU hub + daemon ${cpu.map((us) => us.toFixed(1)).join(" + ")} µs a request\n`,
  );
  tell(seen, requests);
  if (options.cpuprofile !== undefined) Deno.writeTextFileSync(options.cpuprofile, JSON.stringify(seen));
  if (options.svg !== undefined) {
    const title = `${side}: ${visitors} visitors of ${path}, ${
      perSecond.toFixed(0)
    } requests/s while profiled`;
    Deno.writeTextFileSync(options.svg, flame(title, callTree(seen), requests));
  }
}

/**
 * By room and by function: share of the busy time of its main thread, and µs for each request. V8 samples by the clock on
 * the wall: where others have the cores too, the µs are more than the CPU used.
 */
function tell(seen: CpuProfile, requests: number): void {
  const all = selves(seen), busy = all.reduce((sum, { us }) => sum + us, 0);
  const row = (us: number, what: string) =>
    console.log(
      `${(us / busy * 100).toFixed(1).padStart(6)} % ${(us / requests).toFixed(2).padStart(8)}  ${what}`,
    );
  console.log("  self  µs/request");
  for (const { name, us } of rooms(all)) row(us, name);
  console.log();
  for (const { name, place, us } of all.slice(0, FUNCTIONS)) row(us, `${name}  ${place}`);
}

/** What the kernel sees: a load undisturbed, and a load that is traced. */
async function counted(tunnel: Tunnel): Promise<void> {
  const process = tunnel.processes[side === "hub" ? 0 : 1];
  const before = used(process), { perSecond } = await load(tunnel, visitors, seconds, { path });
  const after = used(process), requests = perSecond * seconds;
  const each = (what: keyof typeof after, scale = 1) =>
    ((after[what] - before[what]) * scale / requests).toFixed(2);
  console.log(
    `\nnot profiled: ${perSecond.toFixed(0)} requests/s; a request costs ${
      each("userMs", 1_000)
    } µs of user and ${each("systemMs", 1_000)} µs of system time, ${each("slept")} sleeps and ${
      each("preempted")
    } preemptions of a thread`,
  );
  let traced = 0;
  const calls = await systemCalls(process, async () => {
    traced = (await load(tunnel, visitors, seconds, { path })).perSecond * seconds;
  });
  if (calls === null) return;
  console.log("\ntraced: system calls a request, and those that failed");
  for (
    const [name, { calls: n, failed }] of [...calls].sort(([, a], [, b]) => b.calls - a.calls).slice(0, CALLS)
  ) {
    console.log(
      `${(n / traced).toFixed(3).padStart(10)} ${(failed / traced).toFixed(3).padStart(8)}  ${name}`,
    );
  }
}

function clean(): void {
  stopAll();
  Deno.removeSync(folder, { recursive: true });
}

function count(flag: string, text: string): number {
  return /^[1-9]\d{0,3}$/.test(text) ? Number(text) : refuse(`--${flag} is a whole number, not "${text}"`);
}

function refuse(text: string): never {
  console.error(text);
  Deno.exit(2);
}
