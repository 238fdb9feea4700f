/** What a process holds, as its system sees it. */

/**
 * Open descriptors of process `pid`, its access log aside, which is opened when there is something to write. Read by a
 * program: the runtime gives other processes' /proc to nobody.
 */
export async function descriptors(pid: number): Promise<number> {
  const lines = (await read("ls", "-l", `/proc/${pid}/fd`)).trim().split("\n");
  return lines.filter((line) => !line.endsWith("access.log")).length;
}

/** The most resident memory that process `pid` ever had, in MiB. */
export async function peakMemory(pid: number): Promise<number> {
  const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(await read("cat", `/proc/${pid}/status`))!;
  return Number(kib) / 1024;
}

async function read(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args }).output();
  return new TextDecoder().decode(stdout);
}

/** Everything that a process has asked its runtime's net permission for: hosts with ports, and sockets' paths. */
export function asked(audit: string): Set<string> {
  const lines = Deno.readTextFileSync(audit).trim().split("\n").map((line) => JSON.parse(line));
  return new Set(lines.filter(({ permission }) => permission === "net").map(({ value }) => value));
}
