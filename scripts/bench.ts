/**
 * Figures: the target itself, connectd and whatever else of rathole, bore, chisel, frp and ssh is on PATH, side by side.
 * Rounds are interleaved (each contender once a round, in turn), so that a noisy machine is noisy for all; medians are shown.
 *
 *     deno task bench [--rounds 5] [--seconds 3] [--only connectd,rathole] [--svg docs/bench.svg] [--json FILE]
 */
import { parseArgs } from "node:util";
import { CONTENDERS, type Tunnel } from "./bench/contenders.ts";
import { besideBulk, download, load, median, memory, upload } from "./bench/measure.ts";
import { start, stopAll, which } from "./bench/process.ts";
import { plot } from "./bench/plot.ts";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    only: { type: "string" },
    svg: { type: "string" },
    json: { type: "string" },
  },
});
const rounds = Number(options.rounds), seconds = Number(options.seconds);

if (which("wrk") === null || which("curl") === null) {
  console.error("bench needs wrk and curl on PATH (Debian: apt-get install wrk curl)");
  Deno.exit(1);
}

const VISITORS = [1, 64, 256];
const folder = Deno.makeTempDirSync({ prefix: "connectd-bench-" });
try {
  await run();
} finally {
  await stopAll();
  Deno.removeSync(folder, { recursive: true });
}

async function run(): Promise<void> {
  const target = await start("target", [
    "deno",
    "run",
    "--allow-net",
    new URL("./bench/target.ts", import.meta.url).pathname,
  ], /^target/);
  const port = Number(target.line.split(" ")[1]);
  const tunnels: Tunnel[] = [{ name: "target alone", port, host: "localhost", processes: [] }];
  for (const [name, begin] of Object.entries(CONTENDERS)) {
    if (options.only !== undefined && !options.only.split(",").includes(name)) continue;
    const tunnel = await begin(port, Deno.makeTempDirSync({ dir: folder }));
    if (tunnel === null) console.error(`${name}: not on PATH, left out`);
    else tunnels.push(tunnel);
  }
  const file = `${folder}/upload`;
  Deno.writeFileSync(file, new Uint8Array(100 * 1024 * 1024));

  const idle = tunnels.map(memory);
  const seen = tunnels.map(() => new Map<string, number[]>());
  const note = (i: number, what: string, value: number) =>
    seen[i].set(what, [...(seen[i].get(what) ?? []), value]);
  for (const tunnel of tunnels) await load(tunnel, 64, 1);
  for (let round = 1; round <= rounds; round++) {
    for (const visitors of VISITORS) {
      for (const [i, tunnel] of tunnels.entries()) {
        const result = await load(tunnel, visitors, seconds);
        note(i, `rps ${visitors}`, result.perSecond);
        note(i, `p99 ${visitors}`, result.p99);
        note(i, "errors", result.errors);
        if (visitors === 64) result.cpu.forEach((us, side) => note(i, `cpu ${side}`, us));
      }
    }
    for (const [i, tunnel] of tunnels.entries()) note(i, "down", await download(tunnel));
    for (const [i, tunnel] of tunnels.entries()) note(i, "up", await upload(tunnel, file));
    for (const [i, tunnel] of tunnels.entries()) {
      const { alone, beside } = await besideBulk(tunnel, Math.min(2, seconds));
      note(i, "bulk", beside / alone);
    }
    console.error(`round ${round} of ${rounds} done`);
  }

  const figure = (i: number, what: string) => median(seen[i].get(what) ?? [NaN]);
  const whole = (value: number) => Number.isNaN(value) ? "–" : Math.round(value).toLocaleString("en-US");
  const fine = (value: number) => Number.isNaN(value) ? "–" : value.toFixed(1);
  const rows = tunnels.map((tunnel, i) => {
    const rss = memory(tunnel);
    return [
      tunnel.name,
      ...VISITORS.map((visitors) => whole(figure(i, `rps ${visitors}`))),
      fine(figure(i, "p99 64")),
      whole(figure(i, "down")),
      whole(figure(i, "up")),
      fine(figure(i, "bulk")),
      tunnel.processes.map((_, side) => fine(figure(i, `cpu ${side}`))).join(" + ") || "–",
      tunnel.processes.map((_, side) => `${whole(idle[i][side])}→${whole(rss[side])}`).join(" + ") || "–",
      whole((seen[i].get("errors") ?? []).reduce((sum, n) => sum + n, 0)),
    ];
  });
  const head = [
    ...["", "req/s, 1 visitor", "64", "256", "p99 ms at 64", "100 MiB down MB/s", "up MB/s"],
    ...["p99 beside bulk ÷ alone", "CPU µs/request, public + private side", "RSS MiB idle→after", "errors"],
  ];
  console.log(machine());
  console.log(`| ${head.join(" | ")} |\n|${head.map((_, i) => i === 0 ? "---|" : "---:|").join("")}`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
  if (options.json !== undefined) {
    const all = tunnels.map((tunnel, i) => ({ name: tunnel.name, ...Object.fromEntries(seen[i]) }));
    Deno.writeTextFileSync(options.json, JSON.stringify(all, null, 1));
  }
  if (options.svg !== undefined) {
    const bars = tunnels.slice(1).map((tunnel, i) => ({
      name: tunnel.name,
      values: seen[i + 1].get("rps 64") ?? [],
    }));
    Deno.writeTextFileSync(options.svg, plot("Requests a second, 64 visitors, 12-octet answers", bars));
  }
}

/** What it ran on, for the line above the table. */
function machine(): string {
  const cpu = /model name\s*: (.+)/.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "unknown CPU";
  return `${navigator.hardwareConcurrency} cores (${cpu}), Linux ${Deno.osRelease()}, Deno ${Deno.version.deno}; ` +
    `load generator, target and tunnels share them; medians of ${rounds} interleaved rounds of ${seconds} s\n`;
}
