/** One measurement of one tunnel. Every run is bounded in time; loads go to loopback only. */
import { cpuMs, output, rssMiB } from "./process.ts";
import type { Tunnel } from "./contenders.ts";

/** What a load of small requests shows. Times in ms, CPU in µs a request by process. */
export interface Load {
  readonly perSecond: number;
  readonly p99: number;
  readonly errors: number;
  readonly cpu: readonly number[];
}

/** Sends 12-octet requests from `visitors` keep-alive connections for `seconds`, with wrk. */
export async function load(tunnel: Tunnel, visitors: number, seconds: number): Promise<Load> {
  const before = tunnel.processes.map(({ pid }) => cpuMs(pid));
  const text = await output([
    ...["wrk", "-t", String(Math.min(2, visitors)), "-c", String(visitors), "-d", `${seconds}s`, "--latency"],
    ...["-H", `Host: ${tunnel.host}`, `http://127.0.0.1:${tunnel.port}/`],
  ]);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  const failed = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const broken =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1).map(Number) ??
      [];
  return {
    perSecond: requests / seconds,
    p99: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(text)),
    errors: broken.reduce((sum, n) => sum + n, failed),
    cpu: tunnel.processes.map(({ pid }, i) => (cpuMs(pid) - before[i]) * 1000 / Math.max(1, requests)),
  };
}

function milliseconds(match: RegExpExecArray | null): number {
  if (match === null) return NaN;
  return Number(match[1]) * { us: 0.001, ms: 1, s: 1000 }[match[2] as "us" | "ms" | "s"];
}

/** MB/s of one 100 MiB download. */
export async function download(tunnel: Tunnel): Promise<number> {
  return await curl(
    tunnel,
    ["-o", "/dev/null", "-w", "%{speed_download} %{http_code} %{size_download}"],
    "/big",
  );
}

/** MB/s of one 100 MiB upload from `file`. */
export async function upload(tunnel: Tunnel, file: string): Promise<number> {
  return await curl(tunnel, [
    "-o",
    "/dev/null",
    "-T",
    file,
    "-H",
    "Expect:",
    "-w",
    "%{speed_upload} %{http_code} %{size_upload}",
  ], "/sink");
}

async function curl(tunnel: Tunnel, options: string[], path: string): Promise<number> {
  const text = await output([
    "curl",
    "-sS",
    "-m",
    "60",
    "-H",
    `Host: ${tunnel.host}`,
    ...options,
    `http://127.0.0.1:${tunnel.port}${path}`,
  ]);
  const [speed, status, size] = text.split(" ").map(Number);
  if (status !== 200 || size !== 100 * 1024 * 1024) {
    throw new Error(`${tunnel.name} ${path}: status ${status}, ${size} octets`);
  }
  return speed / 1e6;
}

/** p99 in ms of 64 visitors while one bulk download after another runs, and without. */
export async function besideBulk(
  tunnel: Tunnel,
  seconds: number,
): Promise<{ alone: number; beside: number }> {
  const alone = (await load(tunnel, 64, seconds)).p99;
  const stop = performance.now() + seconds * 1000;
  const bulk = (async () => {
    while (performance.now() < stop) await download(tunnel);
  })();
  const beside = (await load(tunnel, 64, seconds)).p99;
  await bulk;
  return { alone, beside };
}

/** Resident MiB of each of the tunnel's processes. */
export function memory(tunnel: Tunnel): number[] {
  return tunnel.processes.map(({ pid }) => rssMiB(pid));
}

/** The middle of `values`; of an even number the upper one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
