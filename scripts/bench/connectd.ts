/** connectd as it is started for a benchmark: hub and daemon apart, and in one process. */
import type { Tunnel } from "./tunnel.ts";
import { output, type Running, start } from "./process.ts";

/** A hub, and what a daemon needs to dial it. */
export interface BenchHub {
  readonly process: Running;
  readonly url: string;
  readonly tokenFile: string;
}

const MAIN = new URL("../../mod.ts", import.meta.url).pathname;
const GRANTS = ["--no-prompt", "--allow-net", "--allow-read", "--allow-write", "--allow-env"];
const connectd = (runtime: readonly string[] = []) => [Deno.execPath(), "run", ...runtime, ...GRANTS, MAIN];

/** What stands before the verb. */
export const connectdPath = (): string[] => connectd();

const READY = /"ready":true/;

/** How a hub is started other than usual: flags of Deno's, lines of hub.yaml. */
export interface HubOptions {
  readonly runtime?: readonly string[];
  readonly config?: readonly string[];
}

/** Starts a hub with its state in `folder`, and makes a daemon's token for it. */
export async function startHub(folder: string, { runtime, config = [] }: HubOptions = {}): Promise<BenchHub> {
  const state = ["--state", `${folder}/hub`, "--json"], file = `${folder}/hub.yaml`;
  Deno.writeTextFileSync(file, ["version: 1", ...config].join("\n") + "\n");
  const args = ["hub", "--config", file, "--listen", "127.0.0.1:0", ...state], tokenFile = `${folder}/token`;
  const process = await start("hub", [...connectd(runtime), ...args], READY);
  const made = await output([...connectd(), "token", "create", "--scope", "daemon", ...state]);
  Deno.writeTextFileSync(tokenFile, JSON.parse(made).token, { mode: 0o600 });
  return { process, url: JSON.parse(process.line).hub, tokenFile };
}

/** Flags of Deno's for each side. */
export interface Runtimes {
  readonly hub?: readonly string[];
  readonly daemon?: readonly string[];
}

export async function twoProcesses(port: number, folder: string, runtimes: Runtimes = {}): Promise<Tunnel> {
  const hub = await startHub(folder, { runtime: runtimes.hub });
  const daemon = await startDaemon(folder, [...dialling(hub), ...benchLink(port)], runtimes.daemon);
  return tunnel(hub.url, [hub.process, daemon]);
}

export async function embedded(port: number, folder: string): Promise<Tunnel> {
  const daemon = await startDaemon(folder, ["listen: 127.0.0.1:0", ...benchLink(port)]);
  return tunnel(JSON.parse(daemon.line).hub, [daemon]);
}

/** Lines of links.yaml that lead to `hub`. */
export function dialling({ url, tokenFile }: BenchHub): string[] {
  return [`hub: ${url}`, `token_file: ${tokenFile}`];
}

/** One link, whose policy has a rule of each cheap kind: what they cost is in the figures. */
function benchLink(port: number): string[] {
  return [
    ...["links:", "  bench:", `    target: localhost:${port}`, "    subdomain: bench"],
    ...["    methods: [GET, PUT]", "    paths: [/]", "    rate: 100000000/m", "    allow_ips: [127.0.0.0/8]"],
  ];
}

/** Starts a daemon on a links.yaml of these `lines`, with it and its state in `folder`. */
export async function startDaemon(
  folder: string,
  lines: readonly string[],
  runtime?: readonly string[],
): Promise<Running> {
  const file = `${folder}/links.yaml`, state = ["--state", `${folder}/daemon`, "--json"];
  Deno.writeTextFileSync(file, ["version: 1", "control: 127.0.0.1:0", ...lines].join("\n") + "\n");
  return await start("daemon", [...connectd(runtime), "run", "--config", file, ...state], READY);
}

function tunnel(url: string, processes: readonly Running[]): Tunnel {
  return { port: Number(new URL(url).port), host: "bench.localhost", processes };
}
