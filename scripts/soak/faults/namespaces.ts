/** Two network namespaces joined by a pair of virtual wires that can lose packets and be taken down. They end with the rig. */
import type { Rig } from "../../../tests/e2e/rig.ts";

/** Of RFC 2544 §C.2.2: for tests of networks, and nobody's. The hub's towards the daemon, and towards its visitors out here. */
const HUB = "198.18.0.1", DAEMON = "198.18.0.2", PUBLIC = "198.18.0.5", OUTSIDE = "198.18.0.6";

async function run(command: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" })
    .output();
  return success;
}

export class Namespaces {
  /** The hub for its daemon, and for who is outside. */
  readonly hubAddress = HUB;
  readonly publicAddress = PUBLIC;

  private constructor(readonly hub: string, readonly daemon: string) {}

  /** Null, after a printed reason, where none may be made. */
  static async make(rig: Rig): Promise<Namespaces | null> {
    const spaces = new Namespaces(`cd-hub-${Deno.pid}`, `cd-daemon-${Deno.pid}`);
    const outside = `cd-${Deno.pid}`;
    rig.atEnd(async () => {
      await run("ip", "link", "del", outside);
      for (const name of [spaces.hub, spaces.daemon]) await run("ip", "netns", "del", name);
    });
    for (const name of [spaces.hub, spaces.daemon]) {
      if (!await run("ip", "netns", "add", name)) {
        console.log("left out: no network namespaces may be made here");
        return null;
      }
      await spaces.ip(name, "link", "set", "lo", "up");
    }
    await run(
      "ip",
      "link",
      "add",
      "wire",
      "netns",
      spaces.hub,
      "type",
      "veth",
      "peer",
      "name",
      "wire",
      "netns",
      spaces.daemon,
    );
    await spaces.ip(spaces.hub, "addr", "add", `${HUB}/30`, "dev", "wire");
    await spaces.ip(spaces.daemon, "addr", "add", `${DAEMON}/30`, "dev", "wire");
    await spaces.up(true);
    await run("ip", "link", "add", outside, "type", "veth", "peer", "name", "public", "netns", spaces.hub);
    await run("ip", "addr", "add", `${OUTSIDE}/30`, "dev", outside);
    await run("ip", "link", "set", outside, "up");
    await spaces.ip(spaces.hub, "addr", "add", `${PUBLIC}/30`, "dev", "public");
    await spaces.ip(spaces.hub, "link", "set", "public", "up");
    return spaces;
  }

  ip(name: string, ...args: string[]): Promise<boolean> {
    return run("ip", "-n", name, ...args);
  }

  /** The wire at the hub's side. */
  async up(up: boolean): Promise<void> {
    for (const name of [this.hub, this.daemon]) {
      await this.ip(name, "link", "set", "wire", up ? "up" : "down");
    }
  }

  /**
   * One packet of twenty is lost each way, and where the kernel can, all are 20 ms late. Returns what was done, null where
   * nothing could be.
   */
  async lose(): Promise<string | null> {
    const spaces = [this.hub, this.daemon];
    const netem = await Promise.all(
      spaces.map((name) =>
        run("tc", "-n", name, "qdisc", "add", "dev", "wire", "root", "netem", "loss", "5%", "delay", "20ms")
      ),
    );
    if (netem.every((done) => done)) return "netem: 5 % lost, 20 ms late";
    const drop = [
      "-A",
      "INPUT",
      "-i",
      "wire",
      "-m",
      "statistic",
      "--mode",
      "random",
      "--probability",
      "0.05",
      "-j",
      "DROP",
    ];
    for (const program of ["iptables-legacy", "iptables-nft"]) {
      const done = await Promise.all(
        spaces.map((name) => run("ip", "netns", "exec", name, program, ...drop)),
      );
      if (done.every((done) => done)) return `${program}: 5 % lost; this kernel has no netem to delay them`;
    }
    return null;
  }

  /** What starts a program inside the namespace `name`. */
  inside(name: string): string[] {
    return ["ip", "netns", "exec", name];
  }
}
