/** Processes of a benchmark: started, watched through /proc, and ended every one. */

/** A process under measurement. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  /** The line of its output that told it was ready. */
  readonly line: string;
}

const children = new Set<Deno.ChildProcess>();

/** How long a process may take to be ready, and a command to end, in ms. */
const READY_MS = 60_000, COMMAND_MS = 120_000;

/** Starts `command`; resolves with the first line it prints that matches `until`. Throws if none does. */
export async function start(name: string, command: readonly string[], until: RegExp): Promise<Running> {
  const [program, ...args] = command;
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  children.add(child);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const seen: string[] = [];
  const late = setTimeout(
    () => reject(new Error(`${name} is not ready after ${READY_MS / 1000} s:\n${seen.join("\n")}`)),
    READY_MS,
  );
  let ready = false;
  // Read to its end, or a process that logs a lot would come to wait for us.
  const watch = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    let rest = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      if (ready) continue;
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      seen.push(...lines);
      const line = lines.find((text) => until.test(text));
      if (line === undefined) continue;
      ready = true;
      resolve(line);
    }
  };
  void Promise.all([watch(child.stdout), watch(child.stderr)]).then(() =>
    reject(new Error(`${name} ended:\n${seen.join("\n")}`))
  );
  try {
    return { name, pid: child.pid, line: await promise };
  } finally {
    clearTimeout(late);
  }
}

/**
 * Ends every process that was started, and those that they started. All in one turn of the loop, or the next
 * measurement would begin meanwhile and start another.
 */
export function stopAll(): void {
  for (const pid of [...children].flatMap((child) => family(child.pid))) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

/** Ends one of those that were started, and waits until it has ended. */
export async function stop({ pid }: Running): Promise<void> {
  for (const child of children) {
    if (child.pid !== pid) continue;
    children.delete(child);
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await child.status;
  }
}

/** Runs `command` to its end and returns its stdout. Throws where it fails or takes too long. */
export async function output(command: readonly string[]): Promise<string> {
  const [program, ...args] = command;
  const signal = AbortSignal.timeout(COMMAND_MS);
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped", signal })
    .spawn();
  children.add(child);
  try {
    const { stdout, stderr, success, code } = await child.output();
    if (success) return new TextDecoder().decode(stdout);
    const why = signal.aborted ? "took too long" : `exit ${code} ${new TextDecoder().decode(stderr).trim()}`;
    throw new Error(`${command.join(" ")}: ${why}`);
  } finally {
    children.delete(child);
  }
}

/** The path of `program` on PATH, or null. */
export function which(program: string): string | null {
  // sshd lives where only root's PATH leads.
  for (const folder of (Deno.env.get("PATH") ?? "").split(":").concat("/usr/sbin")) {
    try {
      if (Deno.statSync(`${folder}/${program}`).isFile) return `${folder}/${program}`;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/**
 * CPU time that `process` and its children, ended ones too, have used, in ms (proc_pid_stat(5), fields 14 to
 * 17, 100 ticks a second).
 */
export function cpuMs(process: Running): number {
  return familyOf(process).reduce((sum, pid) => {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return sum + fields.slice(11, 15).reduce((ticks, field) => ticks + Number(field), 0) * 10;
  }, 0);
}

/** Resident memory of `process` and its children in MiB. */
export function rssMiB(process: Running): number {
  return familyOf(process).reduce((sum, pid) => {
    const text = Deno.readTextFileSync(`/proc/${pid}/status`);
    return sum + Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1] ?? 0) / 1024;
  }, 0);
}

function familyOf({ name, pid }: Running): number[] {
  const pids = family(pid);
  if (pids.length === 0) throw new Error(`${name} has ended`);
  return pids;
}

/** `pid` and what it forked (sshd forks for each connection); none where it has ended. */
function family(pid: number): number[] {
  try {
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    return [pid, ...children.split(" ").filter(Boolean).flatMap((child) => family(Number(child)))];
  } catch {
    return [];
  }
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
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
