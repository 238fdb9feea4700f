/** Bulk through `reach` beside bulk through a link: the same client, hub, daemon and target, taken in turns. */
import { connectdPath, dialling, startDaemon, startHub } from "./connectd.ts";
import { download, median, probe, upload } from "./measure.ts";
import { cpuMs, output, type Running, start } from "./process.ts";

const BULK_MIB = 100;

/** Downloads and uploads 100 MiB each way, `rounds` times in turns, and says the rates and the median of their ratios. */
export async function reachBulk(rounds: number, folder: string): Promise<string> {
  const program = new URL("./target.ts", import.meta.url).pathname;
  const { line } = await start("target", [Deno.execPath(), "run", "--allow-net", program], /^target/);
  const port = Number(line.split(" ")[1]);
  const hub = await startHub(folder);
  const daemon = await startDaemon(folder, [
    ...dialling(hub),
    ...["services:", `  bulk: { target: "localhost:${port}", access: private }`],
    ...["links:", `  bench: { target: "localhost:${port}", subdomain: bench }`],
  ]);
  const token = `${folder}/member`;
  const made = await output([
    ...connectdPath(),
    ...["token", "create", "--scope", "member", "--state", `${folder}/hub`, "--json"],
  ]);
  Deno.writeTextFileSync(token, JSON.parse(made).token, { mode: 0o600 });
  const flags = ["--hub", hub.url, "--token-file", token, "--port", "0", "--json"];
  const member = await start("member", [...connectdPath(), "reach", "bulk", ...flags], /"ready":true/);
  const link = {
    port: Number(new URL(hub.url).port),
    host: "bench.localhost",
    processes: [hub.process, daemon],
  };
  const reach = {
    port: JSON.parse(member.line).port as number,
    host: "localhost",
    processes: [hub.process, daemon, member],
  };
  const file = `${folder}/upload`;
  Deno.writeFileSync(file, new Uint8Array(BULK_MIB * 1024 * 1024));
  for (const tunnel of [link, reach]) await probe(tunnel);
  const seen = { down: pairs(), up: pairs() };
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const ways = round % 2 === 0 ? ["link", "reach"] as const : ["reach", "link"] as const;
    for (const way of ways) {
      const tunnel = way === "link" ? link : reach;
      const down = await costOf(tunnel.processes, () => download(tunnel));
      const up = await costOf(tunnel.processes, () => upload(tunnel, file));
      if (round === 0) continue;
      seen.down[way].push(down);
      seen.up[way].push(up);
    }
  }
  return [
    `${rounds} times ${BULK_MIB} MiB by each way: MB/s (median), and CPU ms of hub + daemon (+ member)`,
    ...Object.entries(seen).flatMap(([direction, { link, reach }]) => [
      `${direction} by link:  ${said(link)}`,
      `${direction} by reach: ${said(reach)}`,
      `${direction}: reach ÷ link ${median(reach.map(({ rate }, i) => rate / link[i].rate)).toFixed(2)}`,
    ]),
  ].join("\n");
}

interface Cost {
  readonly rate: number;
  readonly cpu: readonly number[];
}

function pairs(): Record<"link" | "reach", Cost[]> {
  return { link: [], reach: [] };
}

async function costOf(processes: readonly Running[], run: () => Promise<number>): Promise<Cost> {
  const before = processes.map(cpuMs);
  const rate = await run();
  return { rate, cpu: processes.map((process, i) => cpuMs(process) - before[i]) };
}

function said(costs: readonly Cost[]): string {
  const cpu = costs[0].cpu.map((_, side) => Math.round(median(costs.map(({ cpu }) => cpu[side]))));
  return `${Math.round(median(costs.map(({ rate }) => rate)))} MB/s, ${cpu.join(" + ")} ms`;
}
