/** What stands in for systemd: a socket that hears what a service says, and the service with a unit's environment. */
import { type Process, Rig } from "../e2e/rig.ts";

const here = new URL("./", import.meta.url).pathname;
const root = new URL("../../", import.meta.url).pathname;

/** As the units grant it, but for the paths. */
export const GRANTS = [
  ...["--no-prompt", "--unstable-net", "--allow-net", "--allow-env", "--allow-read", "--allow-write"],
];

export class Supervisor {
  private constructor(private readonly rig: Rig, readonly socket: string, private readonly ear: Process) {}

  /** One that listens at `socket`, a path or `@` and an abstract name. */
  static async listen(rig: Rig, socket = `${rig.folder}/notify`): Promise<Supervisor> {
    const program = `${here}supervisor_socket.ts`;
    const ear = rig.spawn(Deno.execPath(), ["run", ...GRANTS, program, socket]);
    await ear.until(() => ear.stdout.includes("\n"));
    return new Supervisor(rig, socket, ear);
  }

  /** Starts connectd as a service of it; `watchdogMs` as WatchdogSec gives it. */
  start(
    args: readonly string[],
    { watchdogMs, program = `${root}mod.ts`, grants = GRANTS, env = {} }: {
      watchdogMs?: number;
      program?: string;
      grants?: readonly string[];
      env?: Record<string, string>;
    } = {},
  ): Process {
    return this.rig.spawn(Deno.execPath(), ["run", ...grants, program, ...args], {
      NOTIFY_SOCKET: this.socket,
      ...(watchdogMs === undefined ? {} : { WATCHDOG_USEC: String(watchdogMs * 1000) }),
      ...env,
    });
  }

  /** Every message until now, in order, each as its lines. */
  get heard(): string[][] {
    return this.ear.stdout.split("\n").slice(1, -1).map((line) => JSON.parse(line).split("\n"));
  }

  /** How often `line` was said. */
  count(line: string): number {
    return this.heard.filter((lines) => lines.includes(line)).length;
  }

  /** Resolves when `line` has been said `times` times. */
  async until(line: string, times = 1): Promise<void> {
    await this.ear.until(() => this.count(line) >= times);
  }
}
