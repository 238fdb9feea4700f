/** What a process holds, as its system sees it. */

/** Open descriptors of process `pid`. Read by a program: the runtime gives other processes' /proc to nobody. */
export async function descriptors(pid: number): Promise<number> {
  return (await read("ls", `/proc/${pid}/fd`)).trim().split("\n").length;
}

/** The most resident memory that process `pid` ever had, in MiB. */
export async function peakMemory(pid: number): Promise<number> {
  const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(await read("cat", `/proc/${pid}/status`))!;
  return Number(kib) / 1024;
}

async function read(program: string, path: string): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args: [path] }).output();
  return new TextDecoder().decode(stdout);
}

/** Everything that a process has asked its runtime's net permission for: hosts with ports, and sockets' paths. */
export function asked(audit: string): Set<string> {
  const lines = Deno.readTextFileSync(audit).trim().split("\n").map((line) => JSON.parse(line));
  return new Set(lines.filter(({ permission }) => permission === "net").map(({ value }) => value));
}
