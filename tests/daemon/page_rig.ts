/** The daemon's local page as a browser asks for it, by hand: a session, its cookie, forms. */
import { Buffer } from "node:buffer";
import type { Answer } from "../hub/rig.ts";
import { DaemonRig, type RigOptions } from "./daemon_rig.ts";

const NAME = "connectd.localhost";

export class PageRig implements AsyncDisposable {
  cookie = "";

  private constructor(readonly rig: DaemonRig) {}

  static async start(yaml: string | null, options: RigOptions = {}): Promise<PageRig> {
    return new PageRig(await DaemonRig.start(yaml, options));
  }

  get port(): string {
    return this.rig.daemon.control!.split(":").at(-1)!;
  }

  get host(): string {
    return `${NAME}:${this.port}`;
  }

  /** The path of a one-time URL. */
  async invitation(): Promise<string> {
    const { json } = await this.rig.api("POST", "/v1/sign-in");
    return (json as { url: string }).url.slice(`http://${this.host}`.length);
  }

  /** From now on every call is of this session. */
  async signIn(): Promise<void> {
    const { head } = await this.ask("GET", await this.invitation());
    this.cookie = /^set-cookie: ([^;]*)/mi.exec(head)![1];
  }

  /** One call as a browser makes it; `fields` come on top. */
  async ask(method: string, path: string, fields: readonly string[] = [], host = this.host): Promise<Answer> {
    const cookie = this.cookie === "" ? [] : [`Cookie: ${this.cookie}`];
    return read(
      await this.rig.tcp(method, path, { host, fields: ["Accept: text/html", ...cookie, ...fields] }),
    );
  }

  /** Posts a form of ours. */
  async post(
    path: string,
    form: Record<string, string> = {},
    origin = `http://${this.host}`,
  ): Promise<Answer> {
    const answer = await this.rig.tcp("POST", path, {
      host: this.host,
      body: String(new URLSearchParams(form)),
      fields: [
        "Content-Type: application/x-www-form-urlencoded",
        `Cookie: ${this.cookie}`,
        ...(origin === "" ? [] : [`Origin: ${origin}`]),
        "Accept: text/html",
      ],
    });
    return read(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig[Symbol.asyncDispose]();
  }
}

/** Pages are UTF-8; the rig reads octets. */
function read(answer: Answer): Answer {
  return { ...answer, body: Buffer.from(answer.body, "latin1").toString() };
}

/** The value of a field of an answer; undefined: it has none. */
export function fieldOf({ head }: Answer, name: string): string | undefined {
  return new RegExp(`^${name}: ([^\\r]*)`, "mi").exec(head)?.[1];
}
