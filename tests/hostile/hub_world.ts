/** A hub with two workspaces: an honest daemon with visitors in one, and in the other whoever comes. */
import { startPair } from "../e2e/pair.ts";
import type { Process, Rig } from "../e2e/rig.ts";
import { endingOf, Talk } from "../e2e/talk.ts";
import { latin1 } from "../../src/core/latin1.ts";
import { control, Tunnel } from "./tunnel.ts";

/** A policy that admits all, as a hello has it. */
export const POLICY = {
  methods: null,
  paths: null,
  rate: [],
  auth: false,
  basic: false,
  bearer: false,
  allowIps: null,
  maxBody: null,
  maxStreams: null,
  upgrade: ["websocket"],
  shadow: false,
};

/** A link as a daemon declares it. */
export function link(name: string, change: object = {}) {
  return {
    name,
    id: null,
    subdomain: null,
    domain: null,
    newId: false,
    policy: POLICY,
    state: "active",
    expiresAt: null,
    ...change,
  };
}

/** A hello with these links. */
export function hello(links: readonly unknown[], change: object = {}) {
  return {
    type: "hello",
    version: 1,
    software: "hostile/1",
    features: [],
    daemon: "hostile",
    instance: "hostile",
    connection: 0,
    services: [],
    links,
    revision: 1,
    more: false,
    ...change,
  };
}

/** What a visitor got: a status, and whether the answer came whole. */
export interface Visit {
  readonly status: number;
  readonly whole: boolean;
  readonly body: string;
}

/** One request on a connection of its own, to the link at `label`. */
export async function visit(port: number, label: string, line = "GET /", body = ""): Promise<Visit> {
  using talk = await Talk.to(port);
  // Whoever waits longer than this has been forgotten.
  const late = setTimeout(() => talk.close(), 20_000);
  const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
  let status = 0, got = "";
  try {
    await talk.write(
      `${line} HTTP/1.1\r\nHost: ${label}.localhost\r\nConnection: close\r\n${length}\r\n${body}`,
    );
    let head = await talk.head();
    while (head !== null && /^HTTP\/1.1 1(?!01)/.test(head.first)) head = await talk.head();
    if (head === null) return { status, whole: false, body: got };
    status = Number(head.first.split(" ")[1]);
    // Of these the head is all: whatever follows is somebody else's.
    const bodiless = line.startsWith("HEAD") || status === 204 || status === 304;
    if (bodiless) await talk.body("close", (bytes) => void (got += latin1(bytes)));
    else {await talk.body(endingOf(head, "close"), (bytes) => {
        got += latin1(bytes);
      });}
    return { status, whole: !bodiless || got === "", body: got };
  } catch {
    return { status, whole: false, body: got };
  } finally {
    clearTimeout(late);
  }
}

export class HubWorld {
  /** What the honest link's visitors did not get. */
  readonly failures: string[] = [];
  /** How many of them there were. */
  visits = 0;
  #over = false;
  readonly #visiting: Promise<void>;

  private constructor(
    readonly hub: Process,
    readonly port: number,
    readonly label: string,
    readonly tokens: { readonly hostile: string; readonly flood: string; readonly admin: string },
  ) {
    this.#visiting = this.#visit();
  }

  static async start(rig: Rig): Promise<HubWorld> {
    const pair = await startPair(rig, "  echo: { target: echo, subdomain: honest }\n");
    const create = async (scope: string, workspace: string) =>
      (await rig.run([
        ...["token", "create", "--scope", scope, "--workspace", workspace, "--state", `${rig.folder}/hub`],
      ])).stdout.trim();
    const tokens = {
      hostile: await create("daemon", "hostile"),
      flood: await create("daemon", "flood"),
      admin: await create("admin", "default"),
    };
    return new HubWorld(pair.hub, pair.port, "honest", tokens);
  }

  /** Visitors of the honest link come, one after the other, for as long as the world is there. */
  async #visit(): Promise<void> {
    while (!this.#over) {
      const mark = `/honest/${this.visits++}`;
      const { status, whole, body } = await visit(this.port, this.label, `GET ${mark}`);
      if (status !== 200 || !whole || !body.includes(mark)) this.failures.push(`${mark}: ${status} ${whole}`);
      await new Promise((pause) => setTimeout(pause, 10));
    }
  }

  /** A tunnel of the hostile workspace. */
  dial(token = this.tokens.hostile): Promise<Tunnel> {
    return Tunnel.dial(this.port, token);
  }

  /** A tunnel with these links; ids by their names. */
  async join(
    links: readonly unknown[],
    change: object = {},
    token?: string,
  ): Promise<{ tunnel: Tunnel; ids: ReadonlyMap<string, string> }> {
    const tunnel = await this.dial(token);
    await tunnel.say(control(hello(links, change)));
    const welcome = await tunnel.message("welcome");
    // deno-lint-ignore no-explicit-any
    return { tunnel, ids: new Map(welcome.links.map(({ name, id }: any) => [name, id])) };
  }

  // deno-lint-ignore no-explicit-any
  async api(path: string, token = this.tokens.admin): Promise<any> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/v1/${path}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    return await answer.json();
  }

  /** The last visitor of the honest link has its answer. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#visiting;
  }
}
