/** Memory of idle sessions: a hub, and a process that opens so many; as a program it is the latter. */
import { systemClock } from "../../src/clock.ts";
import { connectHub } from "../../src/daemon/connect.ts";
import { VERSION } from "../../src/wire/hello.ts";
import { Session } from "../../src/wire/session.ts";
import { type BenchHub, startHub } from "./connectd.ts";
import { cpuMs, rssMiB, type Running, start } from "./process.ts";

/** Dials at a time, and how long one may take, in ms. */
const AT_ONCE = 50, DIAL_MS = 20_000;

/** So long the sessions are watched, in ms: several pings each. */
const WATCH_MS = 20_000;

/** So many are open before anything is measured: they bring code and buffers that are no session's own. */
const FIRST = 100;

/** Says what each of `count` idle sessions costs a hub. */
export async function idleSessions(count: number, folder: string): Promise<string> {
  const hub = await startHub(folder), { process } = hub;
  await openSessions(hub, FIRST);
  const before = rssMiB(process);
  await openSessions(hub, count - FIRST);
  const opened = rssMiB(process), cpu = cpuMs(process);
  await new Promise((done) => setTimeout(done, WATCH_MS));
  const after = rssMiB(process), busy = (cpuMs(process) - cpu) / WATCH_MS;
  const each = (mib: number) => `${((mib - before) * 1024 / (count - FIRST)).toFixed(1)} KiB`;
  return `${count} idle sessions: ${each(opened)} each when opened, ${each(after)} after ${
    WATCH_MS / 1000
  } s; ` +
    `hub ${before.toFixed(0)} MiB before, ${after.toFixed(0)} MiB with them, ${
      (busy * 100).toFixed(0)
    } % of a core`;
}

/** Starts a process that has `count` idle sessions with `hub`. */
export async function openSessions({ url, tokenFile }: BenchHub, count: number): Promise<Running> {
  const program = new URL(import.meta.url).pathname;
  return await start(
    "sessions",
    [Deno.execPath(), "run", "-A", program, url, tokenFile, String(count)],
    /^open$/,
  );
}

if (import.meta.main) {
  const [url, tokenFile, count] = Deno.args;
  let left = Number(count);
  const lane = async () => {
    while (left-- > 0) await open(url, tokenFile);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  console.log("open");
  // Until it is killed.
  setInterval(() => {}, 60_000);
}

/** One session of a daemon without links, up to its welcome. Ends the process where the hub ends it. */
async function open(url: string, tokenFile: string): Promise<void> {
  const hub = { url, tokenFile, caFile: null, plain: false };
  const wire = await connectHub(hub, tokenFile, systemClock, DIAL_MS);
  const { promise, resolve } = Promise.withResolvers<void>();
  const handler = {
    open: () => {
      throw new Error("a stream to a daemon without links");
    },
    control: () => resolve(),
    draining: () => {},
    closed: ({ message }: { message: string }) => {
      console.log(message);
      Deno.exit(1);
    },
  };
  const id = crypto.randomUUID();
  new Session(wire, "dialler", handler, systemClock, { streams: 1 }).control({
    ...{ type: "hello", version: VERSION, software: "bench", features: [], daemon: id, instance: id },
    ...{ connection: 0, services: [], links: [], revision: 0, more: false },
  });
  await promise;
}
