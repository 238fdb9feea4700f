/** What a process holds, as its system sees it. */

/** Open descriptors of process `pid`. */
export function descriptors(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Resident memory of process `pid` in MiB: now, or the most there ever was. */
export function memory(pid: number, which: "VmRSS" | "VmHWM" = "VmRSS"): number {
  const line = new RegExp(`^${which}:\\s+(\\d+) kB`, "m").exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  return Number(line![1]) / 1024;
}

/** Everything that a process has asked its runtime's net permission for: hosts with ports, and sockets' paths. */
export function asked(audit: string): Set<string> {
  const lines = Deno.readTextFileSync(audit).trim().split("\n").map((line) => JSON.parse(line));
  return new Set(lines.filter(({ permission }) => permission === "net").map(({ value }) => value));
}
