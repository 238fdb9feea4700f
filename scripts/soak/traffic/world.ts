/** A hub and a daemon as two processes, the file between them, and what happens to them. */
import type { Process, Rig } from "../../../tests/e2e/rig.ts";
import { Broken } from "../../../tests/e2e/talk.ts";
import { pause } from "../campaign.ts";
import type { Ledger } from "./ledger.ts";

/** Links that come and go. */
export const FLEETING = ["one", "two", "three", "four", "five", "six"];

/** How long something that follows from what was done may take, in ms: two busy cores are no broken promise. */
const DUE_MS = 20_000;

/** Ports of the targets. */
export interface Ports {
  readonly steady: number;
  readonly trap: number;
}

/** One link as the control API and the hub print it. */
export interface LinkSeen {
  readonly name: string;
  readonly id: string;
  readonly state: string;
  readonly counters: { readonly open: number; readonly allowed: number };
}

export class World {
  hub!: Process;
  daemon!: Process;
  port = 0;
  /** Changes whenever something begins that visitors of any link may notice; odd until it is over. */
  era = 0;
  /** What stands in the file. */
  rate = 1_000_000;
  readonly present = new Set(FLEETING);
  #ports!: Ports;
  #admin = "";
  #token = { id: "", token: "" };
  #control = "";
  /** Everything that was ever started. */
  readonly #all: { readonly name: string; readonly process: Process }[] = [];

  readonly #killed = new Set<Process>();

  constructor(readonly rig: Rig, readonly ledger: Ledger) {}

  async start(ports: Ports): Promise<void> {
    this.#ports = ports;
    await this.#startHub(0);
    const made = await this.rig.run([
      "token",
      "create",
      "--scope",
      "admin",
      "--state",
      this.#state("hub"),
      "--json",
    ]);
    this.#admin = JSON.parse(made.stdout).token;
    await this.#makeToken();
    await this.#startDaemon();
  }

  /** Visitors may be cut or find nobody until `act` is done and the link `steady` answers. */
  async disturb(act: () => Promise<void>): Promise<void> {
    this.era++;
    await act();
    await this.eventually("the link answers again", async () => (await this.ask("steady")).status === 502);
    this.era++;
  }

  async killDaemon(): Promise<void> {
    await this.#kill(this.daemon);
    await this.#startDaemon();
  }

  async killHub(): Promise<void> {
    await this.#kill(this.hub);
    await this.#startHub(this.port);
  }

  /** Takes the daemon's token away; its sessions end. Then it gets another one. */
  async revokeToken(): Promise<void> {
    await this.atHub("DELETE", `/v1/tokens/${this.#token.id}`);
    await this.eventually(
      "the sessions of a revoked token end",
      async () => (await this.atHub<{ items: unknown[] }>("GET", "/v1/sessions")).items.length === 0,
    );
    await this.#makeToken();
    await this.reload();
  }

  /** Frozen shorter than anybody minds. */
  async freeze(which: Process, ms: number): Promise<void> {
    which.signal("SIGSTOP");
    await pause(ms);
    which.signal("SIGCONT");
  }

  /** Writes the file as it should be now, and has the daemon take it. */
  async reload(): Promise<void> {
    this.#write();
    const { status, body } = await this.atDaemon<{ applied: boolean }>("POST", "/v1/reload");
    if (status !== 200 || !body.applied) throw new Broken(`a reload of a good file: ${JSON.stringify(body)}`);
  }

  /** A file with a mistake is refused. */
  async reloadBadly(): Promise<void> {
    this.#write("  worst:\n    target: [\n");
    const { status, body } = await this.atDaemon("POST", "/v1/reload");
    if (status !== 422) throw new Broken(`a reload of a bad file: ${status} ${JSON.stringify(body)}`);
    this.#write();
  }

  async atDaemon<T>(method: string, path: string): Promise<{ status: number; body: T }> {
    const token = Deno.readTextFileSync(`${this.#state("daemon")}/control.token`).trim();
    return await call<T>(`http://${this.#control}${path}`, method, token);
  }

  async atHub<T>(method: string, path: string, json?: unknown): Promise<T> {
    return (await call<T>(`http://127.0.0.1:${this.port}${path}`, method, this.#admin, json)).body;
  }

  /** Whether `link` serves: its target goes without an answer, which is a 502. */
  async ask(link: string, admitted = true): Promise<{ status: number; code: string }> {
    const url = `http://${link}.localhost:${this.port}/die/${this.ledger.send("GET", admitted)}`;
    const args = ["-sS", "-m", "20", "-w", "\n%{http_code}", url];
    const output = await new Deno.Command("curl", { args, stdin: "null", stderr: "null" }).output();
    const lines = new TextDecoder().decode(output.stdout).trim().split("\n");
    const code = /"code":"([a-z_]+)"/.exec(lines[0])?.[1] ?? "";
    return { status: Number(lines.at(-1)), code };
  }

  /** Throws Broken where `holds` does not come true. */
  async eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (const begin = performance.now(); performance.now() - begin < DUE_MS;) {
      if (await holds().catch(() => false)) return;
      await pause(100);
    }
    throw new Broken(`in vain for ${DUE_MS / 1000} s: ${what}`);
  }

  /** Lines on anybody's stderr that are no log below `error`. */
  complaints(): string[] {
    return this.#all.flatMap(({ name, process }) =>
      process.stderr.split("\n").filter((line) => line !== "" && !CALM.test(line)).map((line) =>
        `${name}: ${line}`
      )
    );
  }

  #state(of: string): string {
    return `${this.rig.folder}/${of}`;
  }

  async #kill(process: Process): Promise<void> {
    this.#killed.add(process);
    await process.kill("SIGKILL");
  }

  /** A process that ends unasked is a promise broken. */
  #watch(name: string, process: Process): void {
    this.#all.push({ name, process });
    void process.ended().then(({ code, stderr }) => {
      if (this.#killed.has(process)) return;
      this.ledger.breaks(
        `the ${name} ended by itself with ${code}: ${stderr.split("\n").slice(-10).join("\n")}`,
      );
    });
  }

  async #startHub(port: number): Promise<void> {
    const args = ["hub", "--listen", `127.0.0.1:${port}`, "--state", this.#state("hub"), "--json"];
    this.hub = this.rig.connectd(args);
    this.#watch("hub", this.hub);
    this.port = Number(new URL((await this.hub.ready<{ hub: string }>()).hub).port);
  }

  async #startDaemon(): Promise<void> {
    this.#write();
    const args = ["--config", `${this.rig.folder}/links.yaml`, "--state", this.#state("daemon")];
    this.daemon = this.rig.connectd(["run", ...args, "--control", "127.0.0.1:0", "--json"]);
    this.#watch("daemon", this.daemon);
    this.#control = (await this.daemon.ready<{ control: string }>()).control;
  }

  async #makeToken(): Promise<void> {
    this.#token = await this.atHub("POST", "/v1/tokens", { scope: "daemon" });
    this.rig.file("token", this.#token.token);
  }

  /** By a rename, as editors do. `more`: behind all links. */
  #write(more = ""): void {
    const { steady, trap } = this.#ports;
    const link = (name: string, port: number, ...lines: string[]) =>
      [`  ${name}:`, `target: localhost:${port}`, `subdomain: ${name}`, ...lines].join("\n    ");
    const text = [
      `version: 1\nhub: http://localhost:${this.port}\ntoken_file: ./token\nlinks:`,
      link("steady", steady, `rate: ${this.rate}/m`),
      link("guarded", steady, "methods: [GET, POST]", 'paths: [/sum, "/fill"]'),
      link("trap", trap),
      ...[...this.present].map((name) => link(name, steady, "drain: 1s")),
    ].join("\n");
    this.rig.file("links.new", `${text}\n${more}`);
    Deno.renameSync(`${this.rig.folder}/links.new`, `${this.rig.folder}/links.yaml`);
  }
}

/** A log line that tells nothing bad, or what is wrong with a file that was made bad. */
const CALM = /^\d\d:\d\d:\d\d\.\d{3} (debug|info |warn |error .*\/links\.yaml)/;

async function call<T>(
  url: string,
  method: string,
  token: string,
  json?: unknown,
): Promise<{ status: number; body: T }> {
  const response = await fetch(url, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      ...(json === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    signal: AbortSignal.timeout(DUE_MS),
  });
  return { status: response.status, body: await response.json() as T };
}
