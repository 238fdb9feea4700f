/** Where visitors come from: a network of its own with hundreds of addresses, where one may be made. */
import type { Rig } from "../../../tests/e2e/rig.ts";

/** Addresses that visitors can have. */
const MOST = 250;

export interface Ground {
  /** What a command must begin with to run there. */
  readonly prefix: readonly string[];
  /** Whether addresses there are any but this machine's own, to which caps per address do not apply. */
  readonly foreign: boolean;
  /** Where the hub is to be called, so that the caller's address is number `i` from 1. */
  callee(i: number): string;
}

/**
 * What a connection there keeps of what is not read: least, first and most. All sides share one kernel, whose memory for
 * TCP those who do not read would fill for everybody; attackers elsewhere would fill their own.
 */
const RECEIVED = "4096 16384 65536";

/** Without the right to make networks everybody comes from loopback, and no cap per address can be seen. */
const LOOPBACK: Ground = { prefix: [], foreign: false, callee: () => "127.0.0.1" };

/** A network namespace on a pair of virtual interfaces. The address that is called decides which one calls. */
export async function makeGround(rig: Rig): Promise<Ground> {
  const name = `connectd-${Deno.pid}`, [here, there] = [`cd${Deno.pid}h`, `cd${Deno.pid}n`];
  // A block of the network for benchmarks (RFC 2544) for each campaign that runs here.
  const block = 4 * (Deno.pid % 60), callee = (i: number) => `198.18.${block + 1}.${i}`;
  const numbers = Array.from({ length: MOST }, (_, i) => i + 1);
  try {
    await ip(rig, ["netns", "add", name]);
  } catch (error) {
    console.log(`everybody comes from loopback: ${(error as Error).message.trim()}`);
    return LOOPBACK;
  }
  rig.atEnd(() => ip(rig, ["netns", "del", name]));
  await ip(rig, ["link", "add", here, "type", "veth", "peer", "name", there, "netns", name]);
  await batch(rig, [], [
    `link set ${here} up`,
    `addr add 198.18.${block}.1/22 dev ${here}`,
    ...numbers.map((i) => `addr add ${callee(i)}/32 dev ${here}`),
  ]);
  await batch(rig, ["-n", name], [
    `link set ${there} up`,
    `addr add 198.18.${block}.2/22 dev ${there}`,
    ...numbers.map((i) => `addr add 198.18.${block + 2}.${i}/32 dev ${there}`),
    ...numbers.map((i) => `route add ${callee(i)}/32 dev ${there} src 198.18.${block + 2}.${i}`),
  ]);
  const prefix = ["ip", "netns", "exec", name];
  await command(rig, [...prefix, "sh", "-c", `echo "${RECEIVED}" > /proc/sys/net/ipv4/tcp_rmem`]);
  return { prefix, foreign: true, callee };
}

async function batch(rig: Rig, options: readonly string[], lines: readonly string[]): Promise<void> {
  await ip(rig, [...options, "-batch", rig.file("ip.batch", `${lines.join("\n")}\n`)]);
}

function ip(rig: Rig, args: readonly string[]): Promise<void> {
  return command(rig, ["ip", ...args]);
}

async function command(rig: Rig, [program, ...args]: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, cwd: rig.folder, stdin: "null" })
    .output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
