/** A hub and a daemon, each a process with a store of its own that is killed and started again, and the file between them. */
import { ApiClient, Refused, Unanswered } from "../../../src/cli/client.ts";
import { converse } from "../../../src/net/converse.ts";
import type { Process, Rig } from "../../../tests/e2e/rig.ts";
import type { LinkSeen } from "./known.ts";

export type Role = "hub" | "daemon";

/** What a visitor saw: the status, and the code of an answer of connectd's own. */
export interface Seen {
  readonly status: number;
  readonly code: string;
}

/** A token as the API prints it when it is made. */
export interface Made {
  readonly id: string;
  readonly token: string;
}

/** A service that hubs may have links made to, and one for shares. */
export const REMOTE = "web", PRIVATE = "db";

/** A daemon that was killed answers no hub, which waits longer than this, in ms. */
export const ASK_MS = 2_000;

/** A visitor waits at most so long, in ms. */
const VISIT_MS = 8_000;

export class World {
  readonly control: ApiClient;
  port = 0;
  /** Tokens of scope member. */
  readonly members: Made[] = [];
  readonly #processes: Partial<Record<Role, Process>> = {};
  readonly #killed = new Set<Process>();
  #admin = "";

  constructor(private readonly rig: Rig, private readonly breaks: (what: string) => void) {
    this.control = new ApiClient({ socket: `${this.state("daemon")}/control.sock` });
  }

  state(role: Role): string {
    return `${this.rig.folder}/${role}`;
  }

  /** The hub, whose admin's token and daemon's are made; the daemon is begun when there is a file. */
  async start(): Promise<void> {
    await this.begin("hub");
    const local = new ApiClient({ socket: `${this.state("hub")}/hub.sock` });
    const made = (scope: string) => local.call<Made>("POST", "/v1/tokens", { scope });
    this.#admin = (await made("admin")).token;
    this.rig.file("token", (await made("daemon")).token);
    for (let n = 0; n < 3; n++) this.members.push(await made("member"));
  }

  /** The hub's API, as whoever has `token` calls it. */
  hub(token = this.#admin): ApiClient {
    return new ApiClient({ origin: `http://127.0.0.1:${this.port}`, token });
  }

  /** Has the hub change what the link at `id` says. Throws as ApiClient does. */
  async edit(id: string, patch: object): Promise<LinkSeen> {
    const fields = {
      "Authorization": `Bearer ${this.#admin}`,
      "Content-Type": "application/json",
      "If-Match": "*",
    };
    const url = `http://127.0.0.1:${this.port}/v1/links/${id}`, body = JSON.stringify(patch);
    const signal = AbortSignal.timeout(ASK_MS);
    let answer: Response, said: Record<string, unknown>;
    try {
      answer = await fetch(url, { method: "PATCH", headers: fields, body, signal });
      said = await answer.json();
    } catch (cause) {
      throw new Unanswered(`nobody answers at ${url}`, { cause });
    }
    if (!answer.ok) throw new Refused(answer.status, said);
    return said as unknown as LinkSeen;
  }

  /** Writes the file as an editor does; `links` stands below `links:`. */
  write(links: string): void {
    const text =
      `version: 1\nhub: http://localhost:${this.port}\ntoken_file: ./token\nremote: manage\nservices:\n` +
      `  ${REMOTE}: { target: echo, remote: true }\n  ${PRIVATE}: { target: "tcp://127.0.0.1:5432", access: private }\n` +
      `links:\n${links}`;
    Deno.renameSync(this.rig.file("links.new", text), `${this.rig.folder}/links.yaml`);
  }

  /** Starts one where it was before; it is there when this resolves. */
  async begin(role: Role): Promise<void> {
    const args = role === "hub"
      ? ["hub", "--listen", `127.0.0.1:${this.port}`]
      : ["run", "--config", `${this.rig.folder}/links.yaml`, "--control", "127.0.0.1:0"];
    const process = this.rig.connectd([
      ...args,
      "--state",
      this.state(role),
      "--json",
      "--log-level",
      "error",
    ]);
    this.#processes[role] = process;
    void process.ended().then(({ code, stderr }) => {
      if (!this.#killed.has(process)) {
        this.breaks(`the ${role} ended by itself with ${code}: ${stderr.slice(-1_000)}`);
      }
    });
    const { hub } = await process.ready<{ hub: string }>();
    if (role === "hub") this.port = Number(new URL(hub).port);
  }

  /** At once and without a word. */
  async kill(role: Role): Promise<void> {
    const process = this.#processes[role]!;
    this.#killed.add(process);
    await process.kill("SIGKILL");
  }

  /** What hub and daemon say of the link at `id`, and of the one that has the name `name`, at this moment. */
  async account(id: string, name: string): Promise<string[]> {
    const hub = this.hub(),
      asks: readonly (readonly [string, ApiClient, string])[] = [
        ["the hub", hub, `/v1/links/${id}`],
        ["the daemon", this.control, `/v1/links/${name}`],
        ["the hub's trail", hub, `/v1/audit?limit=20&link=${id}`],
        ["the daemon's trail", this.control, `/v1/audit?limit=20&link=${name}`],
      ];
    return await Promise.all(asks.map(async ([who, api, path]) => {
      const said = await api.call("GET", path).catch(({ message }: Error) => message);
      return `${who}: ${JSON.stringify(said)}`;
    }));
  }

  /** A visitor of the link at `id`, on a connection of its own; null: nobody answers, or the answer breaks off. */
  async visit(id: string): Promise<Seen | null> {
    try {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
      const call = { method: "GET", path: "/", headers: { Accept: "application/json" }, body: null };
      const { status, text } = await converse(
        conn,
        `${id}.localhost:${this.port}`,
        call,
        AbortSignal.timeout(VISIT_MS),
      );
      return { status, code: status >= 400 ? JSON.parse(text).code : "" };
    } catch {
      return null;
    }
  }
}
