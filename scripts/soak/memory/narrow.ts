/**
 * The same campaign in a network namespace of its own, whose sockets hold little. A kernel takes 4 MiB for a connection whose
 * reader stopped, and slows every connection of the machine down when a thousand of them have taken 1.5 GiB: that
 * would be the figure, and not what a hub and a daemon hold.
 */
import type { Rig } from "../../../tests/e2e/rig.ts";

/** Says that this is the process inside. */
const INSIDE = "CONNECTD_SOAK_INSIDE";

/** Octets that a socket may have waiting, either way: least, at first, most (tcp(7), tcp_rmem and tcp_wmem). */
const SOCKET = "4096 65536 131072";

const PREPARE =
  `ip link set lo up && for way in rmem wmem; do echo ${SOCKET} > /proc/sys/net/ipv4/tcp_$way; done`;

/** What a body at rest takes in the kernel otherwise, and the share of what it gives to all of TCP that we may have. */
const KERNEL_OCTETS = 4.5 * 1024 * 1024, SHARE = 0.5;

/** True in the process that `runNarrow` started. */
export function isNarrow(): boolean {
  return Deno.env.get(INSIDE) === "1";
}

/** Runs this program again in a namespace; returns how it exited, or null after a reason where there can be none. */
export async function runNarrow(rig: Rig): Promise<number | null> {
  const map = Deno.uid() === 0 ? [] : ["--map-root-user"];
  const within = (script: string) => ["unshare", ...map, "--net", "sh", "-ec", `${PREPARE}\n${script}`, "sh"];
  const why = await failure(within(":"));
  if (why !== null) {
    console.log(`no network namespace (${why}): fewer bodies at once, as many as the kernel has room for`);
    return null;
  }
  const [command, ...args] = [...within('exec "$@"'), Deno.execPath(), "run", "--no-prompt", "--allow-all"];
  const child = new Deno.Command(command, {
    args: [...args, Deno.mainModule, ...Deno.args],
    env: { [INSIDE]: "1" },
    stdin: "null",
  }).spawn();
  // It has processes of its own to end.
  rig.atEnd(async () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    await child.status;
  });
  return (await child.status).code;
}

/** So many bodies may stand still at once, of `wanted` ones, where sockets hold what they usually do. */
export function crowdOf(wanted: number): number {
  if (isNarrow()) return wanted;
  const [, pressure] = Deno.readTextFileSync("/proc/sys/net/ipv4/tcp_mem").split(/\s+/).map(Number);
  return Math.min(wanted, Math.floor(pressure * 4096 * SHARE / KERNEL_OCTETS));
}

async function failure([command, ...args]: string[]): Promise<string | null> {
  try {
    const { success, stderr } = await new Deno.Command(command, { args, stdin: "null", stdout: "null" })
      .output();
    return success ? null : new TextDecoder().decode(stderr).trim().split("\n")[0];
  } catch (error) {
    return (error as Error).message;
  }
}
