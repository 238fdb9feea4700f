/** What a request costs that no profiler of V8 sees: system calls, switches between threads, time in the kernel. */
import { type Running, which } from "../bench/process.ts";

/** What a process has used so far: CPU in ms, and how often its threads slept or were put aside. */
export interface Used {
  readonly userMs: number;
  readonly systemMs: number;
  readonly slept: number;
  readonly preempted: number;
}

/** Of all its threads (proc_pid_stat(5), fields 14 and 15, 100 ticks a second). */
export function used({ pid }: Running): Used {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const switches = (kind: string) =>
    [...Deno.readDirSync(`/proc/${pid}/task`)].reduce((sum, { name }) => {
      const status = Deno.readTextFileSync(`/proc/${pid}/task/${name}/status`);
      return sum + Number(RegExp(`^${kind}_ctxt_switches:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    }, 0);
  return {
    userMs: Number(fields[11]) * 10,
    systemMs: Number(fields[12]) * 10,
    slept: switches("voluntary"),
    preempted: switches("nonvoluntary"),
  };
}

/** Calls of the kernel by name. */
export type SystemCalls = ReadonlyMap<string, { readonly calls: number; readonly failed: number }>;

/**
 * Counts the system calls of `process` while `run` lasts, with strace; null after a reason where that can't be. A traced
 * process is several times slower, and batches otherwise than one that is not: the counts are upper bounds.
 */
export async function systemCalls(process: Running, run: () => Promise<void>): Promise<SystemCalls | null> {
  if (which("strace") === null) {
    console.log("system calls: left out, strace is not on PATH (Debian: apt-get install strace)");
    return null;
  }
  const args = ["-f", "-c", "-U", "calls,errors,name", "-p", String(process.pid)];
  const child = new Deno.Command("strace", { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
  const told = child.stderr.pipeThrough(new TextDecoderStream());
  let text = "";
  const attached = Promise.withResolvers<void>();
  const ended = (async () => {
    for await (const part of told) {
      text += part;
      if (text.includes("attached")) attached.resolve();
    }
    attached.resolve();
  })();
  await attached.promise;
  try {
    await run();
  } finally {
    try {
      child.kill("SIGINT");
    } catch {
      // It may not trace here, and has ended by itself.
    }
    await ended;
  }
  const counts = new Map<string, { calls: number; failed: number }>();
  for (const [, calls, failed, name] of text.matchAll(/^ *(\d+) +(\d+)? +(\w+)$/gm)) {
    if (name !== "total") counts.set(name, { calls: Number(calls), failed: Number(failed ?? 0) });
  }
  if (counts.size > 0) return counts;
  console.log(`system calls: left out, strace says ${text.trim().slice(0, 200)}`);
  return null;
}
