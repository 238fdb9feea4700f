/** A daemon and a hub in one process, visitors, and what both tell Prometheus. */
import { systemClock } from "../../src/clock.ts";
import { DaemonRig, realHub } from "../daemon/daemon_rig.ts";
import { type Answer, ask } from "../hub/rig.ts";
import { Metrics } from "./read.ts";

export class MetricsRig implements AsyncDisposable {
  readonly #hubFolder = Deno.makeTempDirSync({ prefix: "connectd-metrics-" });
  daemon!: DaemonRig;

  /** `links`: the file below `version: 1`. */
  static async start(links: string): Promise<MetricsRig> {
    const rig = new MetricsRig();
    rig.daemon = await DaemonRig.start(links, {
      clock: systemClock,
      embedded: realHub(() => rig.#hubFolder, systemClock),
    });
    return rig;
  }

  /** Sends a request to the link `name` and reads the answer to its end. */
  async visit(name: string, text = "GET / HTTP/1.1", body = ""): Promise<Answer> {
    const { host, port } = new URL(this.daemon.link(name).url!);
    return await ask(Number(port), host, text, body);
  }

  /** The text of `GET /metrics`. */
  async text(): Promise<string> {
    const { status, body, head } = await this.daemon.tcp("GET", "/metrics");
    if (status !== 200) throw new Error(`${status}: ${body}`);
    if (!/^content-type: text\/plain; version=0\.0\.4; charset=utf-8\r$/im.test(head)) throw new Error(head);
    return body;
  }

  async read(): Promise<Metrics> {
    return new Metrics(await this.text());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]();
    Deno.removeSync(this.#hubFolder, { recursive: true });
  }
}
