/** Processes of a benchmark: started, watched through /proc, and ended every one. */

/** A process under measurement. `name` is the column it is shown in. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  /** The first line of stdout that `until` matched. */
  readonly line: string;
}

const children: Deno.ChildProcess[] = [];

/** Starts `command` and resolves when a line of its stdout or stderr matches `until`. Throws after 20 s or when it ends. */
export async function start(
  name: string,
  command: string[],
  until: RegExp,
  env: Record<string, string> = {},
): Promise<Running> {
  const child = new Deno.Command(command[0], {
    args: command.slice(1),
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  children.push(child);
  let seen = "";
  const line = await new Promise<string>((found, failed) => {
    const late = setTimeout(() => failed(new Error(`${name} is not ready after 20 s:\n${seen}`)), 20_000);
    const watch = async (stream: ReadableStream<Uint8Array>) => {
      for await (
        const chunk of stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
      ) {
        if (seen.length > 100_000) continue;
        seen += chunk;
        const match = seen.split("\n").find((text) => until.test(text));
        if (match !== undefined) {
          clearTimeout(late);
          found(match);
        }
      }
    };
    Promise.all([watch(child.stdout), watch(child.stderr)]).then(() => {
      clearTimeout(late);
      failed(new Error(`${name} ended:\n${seen}`));
    });
  });
  return { name, pid: child.pid, line };
}

/** Ends every process that was started. */
export async function stopAll(): Promise<void> {
  for (const child of children) {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
  await Promise.all(children.map((child) => child.status));
  children.length = 0;
}

/** Runs `command` to its end and returns its stdout. */
export async function output(command: string[]): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command(command[0], {
    args: command.slice(1),
    stdin: "null",
  }).output();
  if (!success) throw new Error(`${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** The path of `program` on PATH, or null. */
export function which(program: string): string | null {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":").concat("/usr/sbin")) {
    try {
      if (Deno.statSync(`${folder}/${program}`).isFile) return `${folder}/${program}`;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/** CPU time that `pid` and its children that ended have used, in milliseconds (proc(5), fields 14 and 15, 100 ticks a second). */
export function cpuMs(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory of `pid` in MiB. */
export function rssMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]) / 1024;
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** Resolves when something accepts connections on `port`. Throws after 10 s. */
export async function accepts(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((done) => setTimeout(done, 50));
    }
  }
  throw new Error(`nothing accepts on port ${port} after 10 s`);
}
