/** What end to end tests are made of: connectd as its users start it, packaged servers, and a folder that goes away. */
import { Buffer } from "node:buffer";

const root = new URL("../../", import.meta.url).pathname;
const GRANTS = ["--no-prompt", "--allow-net", "--allow-read", "--allow-write", "--allow-env"];

/** What the ready line of `--json` says (interfaces: Start). */
export interface Ready {
  readonly ready: true;
  readonly hub: string;
  readonly control: string;
  readonly socket: string;
  readonly links: readonly { name: string; url: string; state: string }[];
}

/** One run of a program to its end. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One test's world: every process and file in it ends with it. */
export class Rig implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "connectd-e2e-" });
  readonly #processes: Process[] = [];
  readonly #atEnd: (() => void | Promise<void>)[] = [];

  /** Writes `text` to `name` below the folder and returns the path. */
  file(name: string, text: string): string {
    const path = `${this.folder}/${name}`;
    Deno.writeTextFileSync(path, text);
    return path;
  }

  /** Runs something when the world ends, the last first. */
  atEnd(act: () => void | Promise<void>): void {
    this.#atEnd.push(act);
  }

  /** Starts `connectd …` as a task does. */
  connectd(args: readonly string[], env: Record<string, string> = {}): Process {
    // By its path: `deno` may be a script of npm's that starts it, and what ends that does not end this.
    return this.spawn(Deno.execPath(), ["run", ...GRANTS, `${root}mod.ts`, ...args], env);
  }

  /** The same in a process that may have so many file descriptors. */
  connectdWithin(descriptors: number, args: readonly string[]): Process {
    const run = [Deno.execPath(), "run", ...GRANTS, `${root}mod.ts`, ...args];
    return this.spawn("sh", ["-c", `ulimit -n ${descriptors}; exec "$@"`, "sh", ...run]);
  }

  spawn(command: string, args: readonly string[], env: Record<string, string> = {}): Process {
    const process = new Process(command, args, {
      XDG_STATE_HOME: `${this.folder}/state-home`,
      NO_COLOR: "1",
      ...env,
    }, this.folder);
    this.#processes.push(process);
    return process;
  }

  /** Runs `connectd …` to its end. */
  async run(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
    return await this.connectd(args, env).ended();
  }

  /** A daemon with the embedded hub, serving `yaml`. Ports are the machine's choice. */
  async daemon(
    yaml: string,
    extra: readonly string[] = [],
  ): Promise<{ process: Process; ready: Ready; file: string; state: string }> {
    const file = this.file("links.yaml", yaml);
    const state = `${this.folder}/daemon`;
    const process = this.connectd([
      ...[
        "run",
        "--config",
        file,
        "--state",
        state,
        "--listen",
        "127.0.0.1:0",
        "--control",
        "127.0.0.1:0",
        "--json",
        ...extra,
      ],
    ]);
    return { process, ready: await process.ready<Ready>(), file, state };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) await process.kill("SIGKILL");
    for (const act of this.#atEnd.reverse()) await act();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A child process whose output is kept. */
export class Process {
  stdout = "";
  stderr = "";
  readonly #child: Deno.ChildProcess;
  readonly #outputs: Promise<void>[];
  #waiting = new Set<() => void>();
  #over = false;

  constructor(command: string, args: readonly string[], env: Record<string, string>, cwd: string) {
    this.#child = new Deno.Command(command, {
      args: [...args],
      env,
      cwd,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#outputs = [
      this.#keep(this.#child.stdout, (text) => this.stdout += text),
      this.#keep(this.#child.stderr, (text) => this.stderr += text),
    ];
    Promise.all([...this.#outputs, this.#child.status]).then(() => {
      this.#over = true;
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  async #keep(stream: ReadableStream<Uint8Array>, add: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      add(decoder.decode(chunk, { stream: true }));
      this.#wake();
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** The first value that `look` finds in what has been printed. Throws with all output when the process ends or 30 s pass. */
  async until<T>(look: () => T | null | undefined | false): Promise<T> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const found = look();
      if (found !== null && found !== undefined && found !== false) return found;
      if (this.#over || Date.now() > deadline) {
        throw new Error(
          `${
            this.#over ? "it ended" : "30 s passed"
          } without it\nstdout: ${this.stdout}\nstderr: ${this.stderr}`,
        );
      }
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, 1_000);
        this.#waiting.add(() => {
          clearTimeout(timer);
          wake();
        });
      });
      this.#waiting.clear();
    }
  }

  /** The object on the ready line of `--json`. */
  async ready<T>(): Promise<T> {
    return JSON.parse(
      await this.until(() =>
        this.stdout.split("\n").find((line) => line.startsWith('{"ready":true') && line.endsWith("}"))
      ),
    );
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Ends it, at once or by a signal it may obey, and waits until it has ended. */
  async kill(signal: Deno.Signal = "SIGTERM"): Promise<Run> {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended by itself.
    }
    return await this.ended();
  }

  async ended(): Promise<Run> {
    const { code } = await this.#child.status;
    await Promise.all(this.#outputs);
    return { code, stdout: this.stdout, stderr: this.stderr };
  }
}

/** What curl saw: the status, the head as text, the body. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Asks with curl, a visitor of its own. */
export async function curl(url: string, ...options: string[]): Promise<Answer> {
  const command = new Deno.Command("curl", {
    args: ["-sS", "-i", "-m", "60", ...options, url],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { stdout, stderr, success } = await command.output();
  if (!success) throw new Error(`curl ${url}: ${new TextDecoder().decode(stderr)}`);
  const text = Buffer.from(stdout).toString("latin1");
  const blocks = text.split("\r\n\r\n");
  let last = 0;
  // Interim answers (100, 103) come as heads of their own before the final one.
  while (/^HTTP\/1\.1 1\d\d/.test(blocks[last])) last++;
  const head = blocks[last];
  return { status: Number(head.split(" ")[1]), head, body: blocks.slice(last + 1).join("\r\n\r\n") };
}

/** The path of a packaged program, or null after a printed reason: the test that needs it is then left out. */
export function packaged(program: string, debian: string): string | null {
  for (const folder of [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin"]) {
    try {
      if (Deno.statSync(`${folder}/${program}`).isFile) return `${folder}/${program}`;
    } catch {
      // Not in this folder.
    }
  }
  console.log(`left out: ${program} is not installed (Debian: apt-get install ${debian})`);
  return null;
}

/** A port that was free a moment ago, for packaged servers that can't choose one themselves. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** nginx with the given server block body, ready to be asked. */
export async function nginx(rig: Rig, program: string, server: string): Promise<number> {
  const port = freePort();
  const folder = `${rig.folder}/nginx`;
  Deno.mkdirSync(folder, { recursive: true });
  // Workers of a root-started nginx are another user: what they write and serve must be open to them.
  Deno.chmodSync(rig.folder, 0o755);
  Deno.chmodSync(folder, 0o777);
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) =>
    `${kind}_temp_path ${folder}/${kind};`
  ).join(" ");
  const config = rig.file(
    "nginx.conf",
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;\nevents {}\n` +
      `http { access_log off; client_max_body_size 0; ${temp}\nserver { listen 127.0.0.1:${port}; root ${folder};\n${server}\n} }\n`,
  );
  rig.spawn(program, ["-c", config, "-p", folder, "-e", `${folder}/error.log`]);
  await accepting(port);
  return port;
}

/** Resolves when something accepts connections on `port`. */
export async function accepting(port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch {
      await new Promise((again) => setTimeout(again, 25));
    }
  }
  throw new Error(`nothing accepts connections on port ${port}`);
}

/** Asks again until `good` says so; throws the last answer after 20 s. */
export async function eventually<T>(ask: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const value = await ask();
    if (good(value)) return value;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(value)} after 20 s`);
    await new Promise((again) => setTimeout(again, 50));
  }
}

/**
 * Resolves when nobody accepts connections there; throws after 20 s. A process that is just being started has its
 * parent's listeners for a moment.
 */
export async function nobodyListens(at: Deno.ConnectOptions | Deno.UnixConnectOptions): Promise<void> {
  const connect = () => "path" in at ? Deno.connect(at) : Deno.connect(at);
  await eventually(
    () => connect().then((conn) => (conn.close(), true), () => false),
    (accepted) => !accepted,
  );
}
