/** A hub, a daemon that lets it make links, and a person at its dashboard in a real browser. */
import { systemClock } from "../../src/clock.ts";
import type { HubOptions } from "../../src/hub/hub.ts";
import type { Scope } from "../../src/hub/tokens.ts";
import { DaemonRig } from "../daemon/daemon_rig.ts";
import { eventually, Rig } from "../e2e/rig.ts";
import { type Answer, ask, HubRig } from "../hub/rig.ts";
import { Person } from "./person.ts";
import { CHROMIUM } from "./world.ts";

export class HubWorld implements AsyncDisposable {
  daemon: DaemonRig | null = null;

  private constructor(readonly rig: Rig, readonly hub: HubRig, readonly person: Person) {}

  /** A hub without a daemon, and an empty page. */
  static async open(options: Partial<HubOptions> = {}): Promise<HubWorld> {
    const rig = new Rig();
    try {
      const hub = await HubRig.start(options);
      rig.atEnd(() => hub[Symbol.asyncDispose]());
      return new HubWorld(rig, hub, await Person.open(rig, CHROMIUM!));
    } catch (error) {
      await rig[Symbol.asyncDispose]();
      throw error;
    }
  }

  get port(): number {
    return this.hub.hub.address.port;
  }

  get origin(): string {
    return `http://hub.localhost:${this.port}`;
  }

  /** A daemon that runs `yaml` (below `hub:`), once the hub knows its links. */
  async serve(yaml: string): Promise<DaemonRig> {
    const token = this.rig.file("daemon.token", await this.hub.token("daemon"));
    const text = `hub: http://127.0.0.1:${this.port}\ntoken_file: ${token}\n${yaml}`;
    const daemon = this.daemon = await DaemonRig.start(text, { clock: systemClock });
    this.rig.atEnd(() => daemon[Symbol.asyncDispose]());
    await eventually(
      () => Promise.resolve(daemon.daemon.links()),
      (links) => links.every(({ state }) => state !== "pending"),
    );
    return daemon;
  }

  /** The id of the daemon's link. */
  id(name: string): string {
    return this.daemon!.link(name).id!;
  }

  /** Signs in with a new token of `scope`, whose text it returns. */
  async signIn(scope: Scope = "admin"): Promise<string> {
    const token = await this.hub.token(scope);
    await this.person.open(`${this.origin}/sign-in`, "Sign in · connectd hub");
    await this.person.tabTo("Token");
    await this.person.type(token);
    await this.person.press("Enter");
    await this.person.at("Links · connectd hub");
    return token;
  }

  /** Ends the hub and starts another on what it left, at the same place; `between` happens while there is none. */
  async restart(between: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const { port } = this;
    await this.hub.hub.close();
    await between();
    await this.hub.begin({ listen: { hostname: "127.0.0.1", port } });
  }

  /** Sends a request to the hub by `host`. */
  async send(host: string, text: string, body = ""): Promise<Answer> {
    return await ask(this.port, host, text, body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.person[Symbol.asyncDispose]();
    } finally {
      await this.rig[Symbol.asyncDispose]();
    }
  }
}
