/** One measurement of one tunnel. Every run is bounded in time; loads go to loopback only. */
import type { Tunnel } from "./tunnel.ts";
import { cpuMs, output } from "./process.ts";

/** What a load of small requests shows. Times in ms, CPU in µs a request by process. */
export interface Load {
  readonly perSecond: number;
  readonly p99: number;
  readonly errors: number;
  readonly cpu: readonly number[];
}

const BULK = 100 * 1024 * 1024;

/** Throws unless the target's own 12 octets come through. */
export async function probe(tunnel: Tunnel): Promise<void> {
  const text = await curl(tunnel, "/", []);
  if (text !== "hello world\n") throw new Error(`not the target's answer: ${text.slice(0, 200)}`);
}

/** What is asked for where it is not `/` of the tunnel's one host. */
export interface Asked {
  readonly path?: string;
  /** A file of wrk's that makes the requests. */
  readonly script?: string;
}

/** Sends requests from `visitors` keep-alive connections for `seconds`, with wrk. */
export async function load(
  tunnel: Tunnel,
  visitors: number,
  seconds: number,
  { path = "/", script }: Asked = {},
): Promise<Load> {
  const before = tunnel.processes.map(cpuMs);
  const text = await output([
    ...["wrk", "-t", String(Math.min(2, visitors)), "-c", String(visitors), "-d", `${seconds}s`, "--latency"],
    // By itself it calls an answer after 2 s an error; of some thousand visitors at once, each waits that long.
    ...["--timeout", "10s"],
    ...(script === undefined ? [] : ["-s", script]),
    ...["-H", `Host: ${tunnel.host}`, `http://127.0.0.1:${tunnel.port}${path}`],
  ]);
  const [, requests, perSecond] = /(\d+) requests in [^]*Requests\/sec: +([\d.]+)/.exec(text) ?? [];
  const [, p99, unit] = /^ +99% +([\d.]+)(us|ms|s) *$/m.exec(text) ?? [];
  if (p99 === undefined) throw new Error(`wrk told no figures:\n${text}`);
  const errors = [
    /Non-2xx or 3xx responses: (\d+)/,
    ...["connect", "read", "write", "timeout"].map((kind) => RegExp(`Socket errors:.* ${kind} (\\d+)`)),
  ];
  return {
    perSecond: Number(perSecond),
    p99: Number(p99) * { us: 0.001, ms: 1, s: 1000 }[unit as "us" | "ms" | "s"],
    errors: errors.reduce((sum, pattern) => sum + Number(pattern.exec(text)?.[1] ?? 0), 0),
    cpu: tunnel.processes.map((process, i) => (cpuMs(process) - before[i]) * 1000 / Number(requests)),
  };
}

/** MB/s of one 100 MiB download. Throws unless all of it came. */
export async function download(tunnel: Tunnel): Promise<number> {
  const told = "%{size_download} %{speed_download} %{http_code}";
  return speed(await curl(tunnel, "/big", ["-o", "/dev/null", "-w", told]));
}

/** MB/s of one upload of `file`, 100 MiB. Throws unless the target says that all of it came. */
export async function upload(tunnel: Tunnel, file: string): Promise<number> {
  return speed(
    await curl(tunnel, "/sink", ["-T", file, "-H", "Expect:", "-w", "%{speed_upload} %{http_code}"]),
  );
}

async function curl({ host, port }: Tunnel, path: string, options: readonly string[]): Promise<string> {
  const common = ["-sS", "-m", "60", "-H", `Host: ${host}`];
  return await output(["curl", ...common, ...options, `http://127.0.0.1:${port}${path}`]);
}

/** Of `octets that came, octets a second, status`. */
function speed(text: string): number {
  const [octets, perSecond, status] = text.split(/\s+/).map(Number);
  if (octets !== BULK || status !== 200) throw new Error(`not all of 100 MiB came: ${text.slice(0, 200)}`);
  return perSecond / 1e6;
}

/** p99 of 64 visitors while one download after another runs, as a multiple of p99 without. */
export async function besideBulk(tunnel: Tunnel, seconds: number): Promise<number> {
  const alone = await load(tunnel, 64, seconds);
  let over = false;
  const bulk = async () => {
    while (!over) await download(tunnel);
  };
  const [beside] = await Promise.all([load(tunnel, 64, seconds).finally(() => over = true), bulk()]);
  return beside.p99 / alone.p99;
}

/** The middle of `values`, of an even number the upper one; NaN of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
