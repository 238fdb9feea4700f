/** A daemon that one honest hub and any number of hostile ones share, its target, and what it must never touch. */
import { type Process, type Rig } from "../e2e/rig.ts";
import { endingOf, Talk } from "../e2e/talk.ts";
import { HubRig } from "../hub/rig.ts";
import { control, readHead, switching, Tunnel } from "./tunnel.ts";

/** A hub that does with its first connection as it is told, and hangs up on all others. */
export class HostileHub implements Disposable {
  readonly port: number;
  /** What `serve` made of the first connection. */
  readonly served: Promise<unknown>;
  /** How often it was dialled. */
  dialled = 0;
  /** It serves every connection as it served the first. */
  forgiving = false;
  /** What `serve` made of the last connection that it was given. */
  last: Promise<unknown>;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns: Deno.Conn[] = [];

  constructor(serve: (conn: Deno.TcpConn) => Promise<unknown>) {
    this.port = this.#listener.addr.port;
    const first = Promise.withResolvers<unknown>();
    this.last = this.served = first.promise;
    // Whoever waits for it comes later, or never.
    first.promise.catch(() => {});
    void (async () => {
      for await (const conn of this.#listener) {
        this.#conns.push(conn);
        if (this.dialled++ > 0 && !this.forgiving) conn.close();
        else {
          this.last = serve(conn);
          this.last.then(first.resolve, first.reject);
        }
      }
    })();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const conn of this.#conns) {
      try {
        conn.close();
      } catch {
        // It is closed.
      }
    }
  }
}

/** Lets a daemon in as a good hub would, but for `change` in its welcome; links have the ids `h-<name>` here. */
export async function welcoming(conn: Deno.TcpConn, change: object = {}): Promise<Tunnel> {
  await conn.write(new TextEncoder().encode(switching(await readHead(conn))));
  const tunnel = new Tunnel(conn, "server");
  await tunnel.say(control({ ...welcome(await tunnel.message("hello")), ...change }));
  return tunnel;
}

/** What a good hub would answer to `hello`. */
// deno-lint-ignore no-explicit-any
export function welcome(hello: any): Record<string, any> {
  return {
    type: "welcome",
    version: 1,
    hub: "hostile",
    limits: { streams: 1024 },
    links: hello.links.map(({ name }: { name: string }) => ({
      name,
      id: `h-${name}`,
      url: `http://h-${name}.hostile.test`,
    })),
    revoked: [],
    hubs: [],
    revision: hello.revision,
  };
}

/** A target by hand that writes down what it was asked, and a trap that nobody may come to. */
export class Ground implements Disposable {
  /** First lines and bodies, in order. */
  readonly seen: string[] = [];
  readonly heads: string[] = [];
  trapped = 0;
  readonly trapSocket: string;
  readonly #target = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #trap = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #unix: Deno.Listener;
  readonly #over = Promise.withResolvers<void>();

  constructor(folder: string) {
    this.trapSocket = `${folder}/trap.sock`;
    this.#unix = Deno.listen({ transport: "unix", path: this.trapSocket });
    void this.#serve();
    for (const trap of [this.#trap, this.#unix]) void this.#wait(trap);
  }

  get target(): number {
    return this.#target.addr.port;
  }
  get trap(): number {
    return this.#trap.addr.port;
  }

  async #wait(trap: Deno.Listener): Promise<void> {
    for await (const conn of trap) {
      this.trapped++;
      conn.close();
    }
  }

  async #serve(): Promise<void> {
    for await (const conn of this.#target) this.#answer(new Talk(conn)).catch(() => {});
  }

  async #answer(talk: Talk): Promise<void> {
    using _ = talk;
    for (let head = await talk.head(); head !== null; head = await talk.head()) {
      this.heads.push(
        [head.first, ...[...head.fields].map(([name, value]) => `${name}: ${value}`)].join("\n"),
      );
      if (head.first.includes("/deaf")) await this.#over.promise;
      let body = "";
      await talk.body(endingOf(head, 0), (bytes) => void (body += new TextDecoder().decode(bytes)));
      this.seen.push(`${head.first.replace(" HTTP/1.1", "")}${body === "" ? "" : ` ${body}`}`);
      const path = head.first.split(" ")[1];
      if (path.startsWith("/hold")) await talk.head();
      else if (path.startsWith("/large")) {
        const size = 4 * 1024 * 1024;
        await talk.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        for (let sent = 0; sent < size; sent += 65_536) await talk.write(new Uint8Array(65_536));
      } else await talk.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  }

  [Symbol.dispose](): void {
    for (const listener of [this.#target, this.#trap, this.#unix]) listener.close();
    this.#over.resolve();
  }
}

/** The daemon, which at first knows the honest hub alone. */
export class World implements AsyncDisposable {
  process!: Process;
  ground!: Ground;
  /** Of the control API. */
  #control = "";
  #token = "";
  readonly hubs = new HubRig();

  private constructor(readonly rig: Rig) {}

  static async start(rig: Rig): Promise<World> {
    const world = new World(rig);
    world.ground = new Ground(rig.folder);
    await world.hubs.begin();
    rig.file("token", await world.hubs.token("daemon"));
    world.write([]);
    world.process = rig.connectd([
      ...["run", "--config", `${rig.folder}/links.yaml`, "--state", `${rig.folder}/daemon`],
      ...["--control", "127.0.0.1:0", "--json"],
    ], { DENO_AUDIT_PERMISSIONS: world.audit });
    const { control } = await world.process.ready<{ control: string }>();
    world.#control = control;
    world.#token = Deno.readTextFileSync(`${rig.folder}/daemon/control.token`).trim();
    return world;
  }

  /** Where the daemon's runtime writes down what it was asked for. */
  get audit(): string {
    return `${this.rig.folder}/audit.jsonl`;
  }

  /** The daemon's file, with `hostile` beside the honest hub. */
  write(hostile: readonly HostileHub[]): void {
    const { target, trap, trapSocket } = this.ground;
    const urls = [this.hubs.hub.url, ...hostile.map(({ port }) => `http://127.0.0.1:${port}`)];
    const text = [
      "version: 1",
      "token_file: ./token",
      "connections: 1",
      `hub: [${urls.map((url) => JSON.stringify(url)).join(", ")}]`,
      `services: { inner: "127.0.0.1:${trap}", local: "unix:${trapSocket}" }`,
      "links:",
      `  open: { target: "127.0.0.1:${target}", subdomain: open }`,
      `  strict: { target: "127.0.0.1:${target}", methods: [GET, POST], paths: [/ok], max_body: 100, upgrade: false }`,
      `  known: { target: "127.0.0.1:${target}", allow_ips: [198.51.100.0/24] }`,
      `  brief: { target: "127.0.0.1:${target}", ttl: 4s }`,
      `  gone: { target: "127.0.0.1:${target}" }`,
      "",
    ].join("\n");
    Deno.renameSync(this.rig.file("links.new", text), `${this.rig.folder}/links.yaml`);
  }

  /** The control API's answer. */
  // deno-lint-ignore no-explicit-any
  async api(path: string, method = "GET"): Promise<any> {
    const answer = await fetch(`http://${this.#control}/v1/${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.#token}` },
    });
    return await answer.json();
  }

  /** Reloads, and waits until `count` hubs besides the honest one are known. */
  async reload(hostile: readonly HostileHub[]): Promise<void> {
    this.write(hostile);
    await this.api("reload", "POST");
  }

  /** A visitor of the honest hub is served, by the only target that there is. */
  async honest(): Promise<void> {
    const { status, body } = await this.hubs.visit("open", "GET /honest HTTP/1.1");
    if (status !== 200 || body !== "ok") throw new Error(`an honest visitor got ${status} ${body}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hubs[Symbol.asyncDispose]();
    this.ground[Symbol.dispose]();
  }
}
