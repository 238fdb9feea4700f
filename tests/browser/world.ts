/** A daemon with a real hub inside this process, and a person at its local page in a real browser. */
import { systemClock } from "../../src/clock.ts";
import type { ControlState } from "../../src/daemon/control/state.ts";
import { DaemonRig, realHub } from "../daemon/daemon_rig.ts";
import { type Answer, ask } from "../hub/rig.ts";
import { packaged, Rig } from "../e2e/rig.ts";
import { Person } from "./person.ts";

/** Debian's Chromium, or null after a printed reason. */
export const CHROMIUM = packaged("chromium", "chromium");

export class World implements AsyncDisposable {
  private constructor(readonly rig: Rig, readonly daemon: DaemonRig, readonly person: Person) {}

  /** Serves `yaml` (below `version: 1`) and opens an empty page. */
  static async open(yaml: string): Promise<World> {
    const rig = new Rig();
    try {
      const hub = realHub(() => `${rig.folder}/hub`, systemClock);
      Deno.mkdirSync(`${rig.folder}/hub`);
      const daemon = await DaemonRig.start(yaml, { clock: systemClock, embedded: hub });
      rig.atEnd(() => daemon[Symbol.asyncDispose]());
      return new World(rig, daemon, await Person.open(rig, CHROMIUM!));
    } catch (error) {
      await rig[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** `http://connectd.localhost:PORT` */
  get origin(): string {
    return `http://connectd.localhost:${this.daemon.daemon.control!.split(":").at(-1)}`;
  }

  /** The daemon as its pages see it. */
  get state(): ControlState {
    return this.daemon.daemon as unknown as ControlState;
  }

  /** A one-time URL, as `connectd ui` gets one. */
  async invitation(): Promise<string> {
    const { json } = await this.daemon.api("POST", "/v1/sign-in");
    return (json as { url: string }).url;
  }

  /** Opens the page signed in. */
  async signIn(): Promise<void> {
    await this.person.open(await this.invitation(), "Links · connectd");
  }

  /** Sends `request` (its first line, fields, and behind an empty line the body) to link `name` and reads the answer. */
  async visit(name: string, request: string): Promise<Answer> {
    const { host, port } = new URL(this.daemon.link(name).url!);
    const [head, body = ""] = request.split("\n\n");
    const length = body === "" ? [] : [`Content-Length: ${new TextEncoder().encode(body).length}`];
    return await ask(Number(port), host, [...head.split("\n"), ...length].join("\r\n"), body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.person[Symbol.asyncDispose]();
    } finally {
      await this.rig[Symbol.asyncDispose]();
    }
  }
}
