/** A hub and a daemon, the honest visitors who are there all the time, and the attackers who come and go. */
import { eventually, type Process, type Rig } from "../../../tests/e2e/rig.ts";
import { held } from "../campaign.ts";
import type { Ground } from "./ground.ts";

const HERE = new URL(".", import.meta.url).pathname;

export const HONEST = 64;
/** So long an honest visitor thinks before it asks again, in ms: all together ask a thousand times a second. */
const THINKING_MS = 50;

/** Number of their address; attackers have those from 1. */
const HONEST_ADDRESS = 250;

/** What the honest visitors saw in a while. Times in ms. */
export interface Seen {
  readonly requests: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  readonly errors: readonly string[];
}

/** What attackers say of themselves. */
export interface Told {
  readonly open: number;
  readonly made: number;
  readonly answers: Readonly<Record<string, number>>;
}

export class Stage {
  hub!: Process;
  daemon!: Process;
  port = 0;
  #control = "";
  #honest!: Process;
  /** Characters of what they printed that were looked at. */
  #read = 0;

  /** `descriptors`: how many the hub and the daemon may have; null: as many as this process. */
  constructor(
    private readonly rig: Rig,
    private readonly ground: Ground,
    private readonly targetPort: number,
    private readonly name: string,
    private readonly descriptors: number | null,
  ) {}

  async start(): Promise<void> {
    const { rig, ground } = this, state = this.#path("hub");
    const listen = ground.foreign ? "0.0.0.0:0" : "127.0.0.1:0";
    this.hub = this.#connectd(["hub", "--listen", listen, "--state", state, "--json"]);
    const { hub: url } = await this.hub.ready<{ hub: string }>();
    this.port = Number(new URL(url).port);
    const made = await rig.run(["token", "create", "--scope", "admin", "--state", state]);
    rig.file(`${this.name}.token`, made.stdout);
    const link = (name: string, more = "") =>
      `  ${name}:\n    target: 127.0.0.1:${this.targetPort}\n    subdomain: ${name}\n${more}`;
    rig.file(
      `${this.name}.yaml`,
      `version: 1\nhub: http://localhost:${this.port}\ntoken_file: ./${this.name}.token\nlinks:\n` +
        link("demo") + link("metered", "    rate: 100/s per ip\n"),
    );
    await this.startDaemon();
    this.#honest = this.#spawn("honest.ts", [
      ground.callee(HONEST_ADDRESS),
      ...[this.port, HONEST, THINKING_MS].map(String),
    ]);
    await this.#honest.until(() => this.#honest.stdout.includes("\n"));
    this.look();
  }

  async startDaemon(): Promise<void> {
    this.daemon = this.#connectd([
      ...["run", "--config", `${this.rig.folder}/${this.name}.yaml`, "--state", this.#path("daemon")],
      ...["--control", "127.0.0.1:0", "--json"],
    ]);
    this.#control = (await this.daemon.ready<{ control: string }>()).control;
  }

  async end(): Promise<void> {
    for (const process of [this.#honest, this.daemon, this.hub]) await process.kill("SIGKILL");
  }

  /** What the honest visitors saw since this was asked last; up to a second is missing. */
  look(): Seen {
    const end = this.#honest.stdout.lastIndexOf("\n") + 1;
    const lines = this.#honest.stdout.slice(this.#read, end).split("\n").slice(0, -1);
    this.#read = end;
    const told = lines.map((line) => JSON.parse(line) as { times: number[]; errors: string[] });
    const times = told.flatMap(({ times }) => times).sort((a, b) => a - b);
    const at = (share: number) =>
      (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0) / 10;
    return {
      requests: times.length,
      p50: at(0.5),
      p99: at(0.99),
      most: at(1),
      errors: told.flatMap(({ errors }) => errors),
    };
  }

  /** Attackers of `kind`, with `addresses` of their own; `told` is what they said last. */
  attack(kind: string, count: number, addresses: number): { process: Process; told(): Told } {
    const hosts = Array.from({ length: addresses }, (_, i) => this.ground.callee(i + 1));
    const process = this.#spawn("attacker.ts", [kind, String(count), String(this.port), ...hosts]);
    return {
      process,
      told: () => JSON.parse(process.stdout.trimEnd().split("\n").at(-1) || NOTHING),
    };
  }

  held(): Record<"hub" | "daemon", ReturnType<typeof held>> {
    return { hub: held(this.hub.pid), daemon: held(this.daemon.pid) };
  }

  /** Begins to watch; what is returned tells which part of the machine has been at work for nobody here since. */
  others(...more: Process[]): () => number {
    const pids = [Deno.pid, ...[this.hub, this.daemon, this.#honest, ...more].map(({ pid }) => pid)];
    const before = cpu(pids);
    return () => {
      const now = cpu(pids);
      return (now.busy - before.busy - (now.ours - before.ours)) / (now.all - before.all);
    };
  }

  /** Requests that hub and daemon count as open. */
  async open(): Promise<number> {
    const lists = await Promise.all([this.atHub<Links>("/v1/links"), this.atDaemon<Links>("/v1/links")]);
    return lists.flatMap(({ items }) => items).reduce((sum, { counters }) => sum + counters.open, 0);
  }

  /** Throws where the answer is no 200. */
  async atHub<T>(path: string): Promise<T> {
    return await ask(
      `http://127.0.0.1:${this.port}${path}`,
      `${this.rig.folder}/${this.name}.token`,
      "localhost",
    );
  }

  async atDaemon<T>(path: string): Promise<T> {
    return await ask(
      `http://${this.#control}${path}`,
      `${this.#path("daemon")}/control.token`,
      this.#control,
    );
  }

  /** Everything that looks after hub and daemon answers. */
  async inCharge(): Promise<void> {
    for (const path of ["/healthz", "/readyz", "/v1/sessions"]) await this.atHub(path);
    for (const path of ["/healthz", "/v1/status"]) await this.atDaemon(path);
  }

  /** The daemon has its sessions. */
  async connected(): Promise<void> {
    await eventually(
      () => this.atHub<{ items: unknown[] }>("/v1/sessions"),
      ({ items }) => items.length === 2,
    );
  }

  #path(of: string): string {
    return `${this.rig.folder}/${this.name}-${of}`;
  }

  #connectd(args: readonly string[]): Process {
    return this.descriptors === null
      ? this.rig.connectd(args)
      : this.rig.connectdWithin(this.descriptors, args);
  }

  #spawn(script: string, args: readonly string[]): Process {
    const command = [Deno.execPath(), "run", "--no-prompt", "--allow-net", HERE + script, ...args];
    const [program, ...rest] = [...this.ground.prefix, ...command];
    return this.rig.spawn(program, rest);
  }
}

interface Links {
  readonly items: readonly { readonly counters: { readonly open: number } }[];
}

const NOTHING = '{"open":0,"made":0,"answers":{}}';

/** Ticks of all cores, those at work, and those of `pids`. */
function cpu(pids: readonly number[]): { all: number; busy: number; ours: number } {
  const ticks = Deno.readTextFileSync("/proc/stat").split("\n")[0].split(/ +/).slice(1, 9).map(Number);
  const all = sum(ticks);
  // The fourth and the fifth are idle ones.
  const ours = pids.map((pid) => Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" "))
    .map((fields) => Number(fields[11]) + Number(fields[12]));
  return { all, busy: all - ticks[3] - ticks[4], ours: sum(ours) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}

/** With curl, a connection of its own for each. */
async function ask<T>(url: string, tokenFile: string, host: string): Promise<T> {
  const token = Deno.readTextFileSync(tokenFile).trim();
  const headers = ["-H", `Authorization: Bearer ${token}`, "-H", `Host: ${host}`];
  const output = await new Deno.Command("curl", {
    args: ["-sS", "-f", "-m", "10", ...headers, url],
    stdin: "null",
  })
    .output();
  if (!output.success) throw new Error(`${url}: ${new TextDecoder().decode(output.stderr).trim()}`);
  return JSON.parse(new TextDecoder().decode(output.stdout)) as T;
}
