/** A hub, a daemon and a target, each a process that can be killed and frozen, and whether the link between them serves. */
import type { Process, Rig } from "../../../tests/e2e/rig.ts";
import { Broken, Talk } from "../../../tests/e2e/talk.ts";
import { pause } from "../campaign.ts";
import type { Notes } from "./notes.ts";

export type Role = "hub" | "daemon" | "target";

export const ROLES: readonly Role[] = ["daemon", "hub", "target"];

/** The link's `timeout`. */
export const TIMEOUT_MS = 8_000;

/** Nobody waits longer for a link to serve again. */
const SERVING_MS = 40_000;

/** One probe that finds a way which is dead shall not hold up the next. */
const PROBE_MS = 250;

const CONNECTD = new URL("../../../mod.ts", import.meta.url).pathname;
const SERVICE = new URL("service.ts", import.meta.url).pathname;

/** What differs from three processes that find each other on loopback. */
export interface Where {
  /** hub.yaml. */
  readonly hubConfig: string;
  /** Where the hub listens. */
  readonly listen: { readonly hostname: string; readonly port: number };
  /** The hub as the daemon's file names it, in the place of that on loopback. */
  readonly hub: string;
  /** What starts a program where `role` is to run. */
  inside(role: Role): readonly string[];
}

export class World {
  readonly #processes: Partial<Record<Role, Process>> = {};
  readonly #ended = new Set<Process>();
  /** Of the hub. */
  port = 0;
  #targetPort = 0;
  /** Where the daemon dials; null: at the hub itself. */
  #via: number | null = null;

  constructor(
    readonly rig: Rig,
    readonly notes: Notes,
    /** Where its files and states are. */
    readonly folder: string,
    private readonly breaks: (what: string) => void,
    private readonly where: Partial<Where> = {},
  ) {}

  /** `via`: given the hub's port, the one that the daemon dials. */
  async start(via: ((hub: number) => number | Promise<number>) | null = null): Promise<void> {
    Deno.writeTextFileSync(`${this.folder}/hub.yaml`, this.where.hubConfig ?? "version: 1\n");
    await Promise.all([this.begin("hub"), this.begin("target")]);
    const made = await this.rig.run(["token", "create", "--scope", "daemon", "--state", this.#state("hub")]);
    Deno.writeTextFileSync(`${this.folder}/token`, made.stdout);
    this.#via = via === null ? null : await via(this.port);
    const lines = [
      `version: 1\nhub: ${
        this.where.hub ?? `http://localhost:${this.#via ?? this.port}`
      }\ntoken_file: ./token\nlinks:`,
      `  steady:\n    target: localhost:${this.#targetPort}\n    subdomain: steady`,
      `    timeout: ${TIMEOUT_MS / 1_000}s\n`,
    ];
    Deno.writeTextFileSync(`${this.folder}/links.yaml`, lines.join("\n"));
    await this.begin("daemon");
    await this.serves();
  }

  process(role: Role): Process {
    return this.#processes[role]!;
  }

  /** Starts one where it was before; it is there when this resolves. */
  async begin(role: Role): Promise<void> {
    const process = this.#processes[role] = this.#launch(role);
    void process.ended().then(({ code, stderr }) => {
      if (this.#ended.has(process)) return;
      this.breaks(`the ${role} ended by itself with ${code}: ${stderr.slice(-1_000)}`);
    });
    const { hub, port } = await process.ready<{ hub: string; port: number }>();
    if (role === "hub" && this.where.listen === undefined) this.port = Number(new URL(hub).port);
    if (role === "target") this.#targetPort = port;
  }

  /** Kills it, or asks it to end; resolves when it has. */
  async end(role: Role, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const process = this.process(role);
    this.#ended.add(process);
    const { code } = await process.kill(signal);
    if (signal === "SIGTERM" && code !== 0) {
      this.breaks(`the ${role} was asked to end, and ended with ${code}`);
    }
  }

  /** Ends all of it. */
  async close(): Promise<void> {
    for (const role of ["daemon", "hub", "target"] as const) await this.end(role, "SIGKILL");
    this.notes.close();
  }

  /** Resolves when a request is answered; returns the ms until then. Throws Broken. */
  async serves(): Promise<number> {
    const begun = performance.now();
    while (performance.now() - begun < SERVING_MS) {
      if (await this.probe(PROBE_MS)) return performance.now() - begun;
      await pause(10);
    }
    throw new Broken(`the link did not serve within ${SERVING_MS / 1000} s`);
  }

  /** Whether a request of its own connection has its 200 within `ms`. */
  async probe(ms: number): Promise<boolean> {
    return (await this.answer(ms)).startsWith("HTTP/1.1 200 ");
  }

  /** The first line of what a request of its own connection is answered within `ms`, or what came instead. */
  async answer(ms: number): Promise<string> {
    let talk: Talk | null = null;
    const asked = (async () => {
      talk = await Talk.to(this.port);
      const number = this.notes.send("GET");
      await talk.write(`GET /sum/${number} HTTP/1.1\r\nHost: steady.localhost:${this.port}\r\n\r\n`);
      return (await talk.head())?.first ?? "an end of the connection";
    })().catch(({ message }: Error) => message);
    const late = Promise.withResolvers<string>(), timer = setTimeout(() => late.resolve("nothing"), ms);
    try {
      return await Promise.race([asked, late.promise]);
    } finally {
      clearTimeout(timer);
      (talk as Talk | null)?.close();
    }
  }

  #launch(role: Role): Process {
    const run = ["run", "--no-prompt", "--allow-net", "--allow-read", "--allow-write", "--allow-env"];
    const { listen, inside } = this.where;
    const [program, ...args] = [
      ...(inside?.(role) ?? []),
      ...[Deno.execPath(), ...run],
      ...(role === "target" ? [SERVICE, String(this.#targetPort), this.notes.path] : [
        CONNECTD,
        ...this.#arguments(role, listen?.hostname ?? "127.0.0.1"),
        "--state",
        this.#state(role),
        "--json",
      ]),
    ];
    return this.rig.spawn(program, args);
  }

  #arguments(role: "hub" | "daemon", hostname: string): string[] {
    const port = this.where.listen?.port ?? this.port;
    return role === "hub"
      ? ["hub", "--config", `${this.folder}/hub.yaml`, "--listen", `${hostname}:${port}`]
      : ["run", "--config", `${this.folder}/links.yaml`, "--control", "127.0.0.1:0"];
  }

  #state(role: Role): string {
    return `${this.folder}/${role}`;
  }
}
