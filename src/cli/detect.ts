/** Finds the HTTP server that listens on this machine, by knocking at the ports development servers use. */
import type { TargetTls } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { printTarget, type Target } from "../core/target.ts";
import { dial } from "../net/dial.ts";
import { complain } from "./print.ts";
import { whileWaiting } from "./terminal.ts";

/**
 * The ports that are tried, on 127.0.0.1 and ::1, the usual one of each tool. Only these: databases (3306, 5432, 6379,
 * 9000, 9200, 27017 …) are never knocked at, nor are connectd's own (8080 and 4545).
 */
// deno-fmt-ignore
const PORTS = [1313, 2368, 3000, 3001, 4000, 4200, 4321, 5000, 5173, 5174, 7000, 8000, 8001, 8081, 8787, 8888];

/** On this machine a server that has not answered by then is busy with something else. */
const KNOCK_MS = 1_500;

export interface DetectOptions {
  readonly ports?: readonly number[];
  /** Ports of a hub that runs here. */
  readonly not?: readonly number[];
}

/** The targets that answer HTTP here, in the order of their ports. */
export async function findServers({ ports = PORTS, not = [] }: DetectOptions = {}): Promise<string[]> {
  const tried = ports.filter((port) => !not.includes(port));
  const found = await whileWaiting("looking for servers", Promise.all(tried.map(knock)));
  return found.filter((target) => target !== null);
}

/** The one target that answers HTTP here; on a terminal the person chooses among several. Throws a Failure for none or many. */
export async function detectTarget(options: DetectOptions = {}): Promise<string> {
  const { ports = PORTS, not = [] } = options;
  const tried = ports.filter((port) => !not.includes(port));
  const found = await findServers(options);
  if (found.length === 1) return found[0];
  if (found.length === 0) {
    throw new Failure("no HTTP server was found on this machine", {
      hint: `start yours, or name it: connectd link localhost:3000 (tried the ports ${tried.join(", ")})`,
    });
  }
  if (Deno.stdin.isTerminal()) return choose(found);
  throw new Failure(`several servers listen here: ${found.join(", ")}`, {
    hint: `name one: connectd link ${found[0]}`,
  });
}

function choose(found: readonly string[]): string {
  complain("Several servers listen here:");
  found.forEach((target, i) => complain(`  ${i + 1}  ${target}`));
  const target = found[Number(prompt("Which one?")) - 1];
  if (target !== undefined) return target;
  throw new Failure("none was chosen", { hint: `name one: connectd link ${found[0]}` });
}

/** Whether anything accepts connections at `target`. */
export async function listens(target: Target): Promise<boolean> {
  if (target.kind === "echo") return true;
  // Whether somebody is there is asked; whether the certificate is good, the first request shows.
  const place: Target = target.kind === "unix" ? target : { ...target, kind: "http" };
  try {
    (await dial(place, null, AbortSignal.timeout(KNOCK_MS))).close();
    return true;
  } catch {
    return false;
  }
}

/** The target at `port` that speaks HTTP, at the first of the loopback addresses that does; null: neither. */
async function knock(port: number): Promise<string | null> {
  for (const host of ["127.0.0.1", "::1"]) {
    if (!await speaksHttp({ kind: "http", host, port })) continue;
    // A development server often has one of the two; `localhost` reaches either.
    return `localhost:${port}`;
  }
  return null;
}

async function speaksHttp(target: Target): Promise<boolean> {
  try {
    return await answersHttp(target, null, AbortSignal.timeout(KNOCK_MS));
  } catch {
    return false;
  }
}

/**
 * Whether the answer to a HEAD request begins like HTTP; nothing else is sent, and little is read. Rejects as `dial`
 * does where there is no connection.
 */
export async function answersHttp(
  target: Target,
  tls: TargetTls | null,
  signal: AbortSignal,
): Promise<boolean> {
  const socket = await dial(target, tls, signal);
  const give = () => socket.close();
  signal.addEventListener("abort", give);
  try {
    const host = target.kind === "unix" ? "localhost" : printTarget(target).replace(/^[a-z]+:\/\//, "");
    await socket.write(
      new TextEncoder().encode(`HEAD / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    const start = new Uint8Array(5);
    const n = await socket.read(start);
    return n !== null && new TextDecoder().decode(start.subarray(0, n)) === "HTTP/";
  } catch {
    // Cut, refused, or given up on.
    return false;
  } finally {
    signal.removeEventListener("abort", give);
    if (!signal.aborted) socket.close();
  }
}
