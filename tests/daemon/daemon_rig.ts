/** A whole daemon on a folder of its own, at a hub that a test commands or at a real one. */
import { TestClock } from "../../src/clock.ts";
import type { Clock } from "../../src/clock.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { type Daemon, type DaemonOptions, type EmbeddedHub, startDaemon } from "../../src/daemon/daemon.ts";
import type { LinkJson } from "../../src/daemon/status.ts";
import { startHub } from "../../src/hub/hub.ts";
import { hubStorePath, openHubStore } from "../../src/hub/place.ts";
import { createLog } from "../../src/log.ts";
import { memoryPair } from "../../src/wire/memory.ts";
import { type Answer, ask } from "../hub/rig.ts";
import { FakeHub } from "./fake_hub.ts";

export interface RigOptions {
  readonly clock?: Clock;
  /** Absent: a fake one. */
  readonly embedded?: DaemonOptions["embedded"];
  readonly options?: Partial<DaemonOptions>;
}

/** One test's daemon; everything in it ends with it. */
export class DaemonRig implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "connectd-daemon-" });
  readonly state = `${this.folder}/state`;
  readonly file = `${this.folder}/links.yaml`;
  /** What was logged. */
  readonly lines: string[] = [];
  readonly clock: TestClock;
  /** The fake hub of the daemon that runs. */
  hub = new FakeHub();
  daemon!: Daemon;
  readonly #o: RigOptions;

  private constructor(options: RigOptions) {
    this.#o = options;
    this.clock = options.clock as TestClock ?? new TestClock();
  }

  /** Starts a daemon on `yaml`, the part of the file below `version: 1`; null: without a file. */
  static async start(yaml: string | null, options: RigOptions = {}): Promise<DaemonRig> {
    const rig = new DaemonRig(options);
    try {
      if (yaml !== null) rig.write(yaml);
      await rig.begin(yaml === null ? { file: null } : {});
      return rig;
    } catch (error) {
      rig.#remove();
      throw error;
    }
  }

  async begin(more: Partial<DaemonOptions> = {}): Promise<void> {
    this.daemon = await startDaemon({
      file: this.file,
      state: this.state,
      control: "127.0.0.1:0",
      embedded: this.#o.embedded ?? (() => Promise.resolve(this.hub)),
      log: createLog({ level: "info", write: (line) => this.lines.push(line) }),
      clock: this.clock,
      ...this.#o.options,
      ...more,
    });
  }

  /** Ends the daemon and starts another on the same state. */
  async restart(more: Partial<DaemonOptions> = {}): Promise<void> {
    await this.daemon.close();
    this.hub = new FakeHub(this.hub);
    await this.begin(more);
  }

  write(yaml: string): void {
    Deno.writeTextFileSync(this.file, `version: 1\n${yaml}\n`);
  }

  /** Writes the file and reloads it. */
  async reload(yaml: string, options: { allowEmpty?: boolean } = {}): Promise<Answer> {
    this.write(yaml);
    return await this.api("POST", "/v1/reload", options);
  }

  link(name: string): LinkJson {
    return this.daemon.links().find((link) => link.name === name)!;
  }

  /** Calls the control API by its socket. */
  async api(method: string, path: string, body?: unknown, fields: readonly string[] = []): Promise<Answer> {
    return await ask(this.daemon.socket!, "localhost", ...requestOf(method, path, body, fields));
  }

  /** Calls it by its port, with the token of the state directory unless `fields` say otherwise. */
  async tcp(
    method: string,
    path: string,
    { body, host, fields = [this.bearer] }: { body?: unknown; host?: string; fields?: readonly string[] } =
      {},
  ): Promise<Answer> {
    const port = Number(this.daemon.control!.split(":").at(-1));
    return await ask(port, host ?? `127.0.0.1:${port}`, ...requestOf(method, path, body, fields));
  }

  get bearer(): string {
    return `Authorization: Bearer ${Deno.readTextFileSync(`${this.state}/control.token`).trim()}`;
  }

  /** Lets `ms` go by, second by second, with turns of the event loop in between for whoever answers. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1000) {
      this.clock.advance(Math.min(left, 1000));
      await new Promise((turn) => setTimeout(turn, 1));
    }
  }

  /** Moves the wall clock by `ms` at once, and lets the daemon notice. */
  async leap(ms: number): Promise<void> {
    this.clock.jump(ms);
    await this.pass(1000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon.close();
    this.#remove();
  }

  #remove(): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

function requestOf(
  method: string,
  path: string,
  body: unknown,
  fields: readonly string[],
): [head: string, body: string] {
  const json = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const typed = fields.some((field) => /^content-type:/i.test(field));
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...fields,
    ...(body === undefined || typed ? [] : ["Content-Type: application/json"]),
    ...(body === undefined ? [] : [`Content-Length: ${json.length}`]),
  ];
  return [lines.join("\r\n"), json];
}

/** A real hub inside the process, on a port of its own, whatever the file says. */
export function realHub(folder: () => string, clock: Clock): NonNullable<DaemonOptions["embedded"]> {
  return async (): Promise<EmbeddedHub> => {
    const hub = await startHub({
      listen: { hostname: "127.0.0.1", port: 0 },
      domain: null,
      publicUrl: null,
      store: await openHubStore(hubStorePath(folder()), clock),
      state: null,
      trustedProxies: [],
      limits: DEFAULT_LIMITS,
      log: createLog({ level: "error", write: () => {} }),
      clock,
    });
    return {
      url: hub.url,
      attach() {
        const [ours, its] = memoryPair();
        hub.attach(its, { token: null, name: "embedded", scope: "daemon", workspace: "default" });
        return ours;
      },
      rebind: () => hub.rebind({ hostname: "127.0.0.1", port: 0 }),
      drain: (ms) => hub.drain(ms),
      close: () => hub.close(),
      metrics: () => hub.metrics(),
    };
  };
}
