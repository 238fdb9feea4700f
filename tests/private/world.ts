/** A hub, a daemon with private services, and members: processes, as people run them. */
import { curl, type Process, Rig } from "../e2e/rig.ts";

/** What `reach --json` says when it is ready. */
export interface Reached {
  readonly process: Process;
  readonly port: number;
}

export class World implements AsyncDisposable {
  readonly rig = new Rig();
  hub!: Process;
  daemon!: Process;
  url = "";

  /** `services`: lines below `services:`. */
  static async start(services: string): Promise<World> {
    const world = new World();
    try {
      await world.startHub("127.0.0.1:0");
      const tokens = [["work", "daemon"], ["laptop", "member"], ["desk", "member"], ["eye", "viewer"]];
      await Promise.all(tokens.map(([name, scope]) => world.token(name, scope)));
      world.write(services);
      await world.startDaemon();
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  get #hubState(): string {
    return `${this.rig.folder}/hub`;
  }

  async startHub(listen: string): Promise<void> {
    this.hub = this.rig.connectd(["hub", "--listen", listen, "--state", this.#hubState, "--json"]);
    this.url = (await this.hub.ready<{ hub: string }>()).hub;
  }

  /** Ends the hub without a word, and starts it again where it was. */
  async restartHub(): Promise<void> {
    await this.hub.kill("SIGKILL");
    await this.startHub(`127.0.0.1:${new URL(this.url).port}`);
  }

  async startDaemon(): Promise<void> {
    this.daemon = this.rig.connectd([
      ...["run", "--config", `${this.rig.folder}/links.yaml`, "--state", `${this.rig.folder}/daemon`],
      ...["--control", "127.0.0.1:0", "--allow-empty", "--json"],
    ]);
    await this.daemon.ready();
  }

  /** The daemon's file anew. */
  write(services: string): void {
    const text = `version: 1\nhub: ${this.url}\ntoken_file: ./work.token\nservices:\n${services}`;
    Deno.renameSync(this.rig.file("links.new", text), `${this.rig.folder}/links.yaml`);
  }

  /** Makes a token, in the file `<name>.token`. */
  async token(name: string, scope: string, ttl: string | null = null): Promise<void> {
    const made = await this.api<{ token: string }>("POST", "/v1/tokens", { scope, name, ttl });
    this.rig.file(`${name}.token`, made.token);
  }

  /** Calls the hub over its own socket. */
  async api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const sent = body === undefined
      ? []
      : ["-H", "Content-Type: application/json", "-d", JSON.stringify(body)];
    const socket = ["--unix-socket", `${this.#hubState}/hub.sock`, "-X", method];
    const answer = await curl(`http://localhost${path}`, ...socket, ...sent);
    if (answer.status >= 300) throw new Error(answer.body);
    return JSON.parse(answer.body);
  }

  /** Runs a verb on the hub's own machine; returns what it prints. */
  async atHub(...args: string[]): Promise<string> {
    const run = await this.rig.run([...args, "--state", this.#hubState]);
    if (run.code !== 0) throw new Error(run.stderr);
    return run.stdout;
  }

  /** The words of a member's verb. */
  words(args: readonly string[], token = "laptop"): string[] {
    return [...args, "--hub", this.url, "--token-file", `${this.rig.folder}/${token}.token`];
  }

  /** Reaches `service` at a free port. */
  async reach(service: string, token = "laptop"): Promise<Reached> {
    const process = this.rig.connectd(this.words(["reach", service, "--port", "0", "--json"], token));
    return { process, port: (await process.ready<{ port: number }>()).port };
  }

  /** Records of the hub's trail below `type`, the newest first. */
  async trail(
    type: string,
  ): Promise<{ type: string; actor: string; subject: string; data: Record<string, unknown> }[]> {
    return JSON.parse(await this.atHub("audit", "--type", type, "--json")).items;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig[Symbol.asyncDispose]();
  }
}

/** A TCP server of the test. */
export class Target implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  /** Connections that there were. */
  accepted = 0;

  constructor(serve: (connection: Deno.TcpConn) => Promise<void>) {
    void (async () => {
      for await (const connection of this.#listener) {
        this.accepted++;
        this.#open.add(connection);
        serve(connection).catch(() => {}).finally(() => {
          this.#open.delete(connection);
          close(connection);
        });
      }
    })().catch(() => {});
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
  }
}

/** Says nothing until its client has ended, then how much came and what it was: half-close in both directions. */
export function summing(): Target {
  return new Target(async (connection) => {
    const all = await readAll(connection);
    await writeAll(connection, new TextEncoder().encode(`${all.length} ${await digest(all)}`));
  });
}

/** Sends back what comes, as it comes. */
export function echoing(): Target {
  return new Target(async (connection) => {
    await connection.readable.pipeTo(connection.writable);
  });
}

export async function connect(port: number): Promise<Deno.TcpConn> {
  return await Deno.connect({ hostname: "127.0.0.1", port });
}

export async function readAll(connection: Deno.TcpConn): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const buffer = new Uint8Array(256 * 1024);;) {
    const n = await connection.read(buffer);
    if (n === null) break;
    parts.push(buffer.slice(0, n));
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

export async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

export async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Resolves when the other side has ended or cut the connection; throws where it does not for 20 s. */
export async function ended(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1024);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    close(connection);
  }, 20_000);
  while (await connection.read(buffer).catch(() => null) !== null);
  clearTimeout(timer);
  if (late) throw new Error("the connection is open after 20 s");
}

export function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}
