/** Finds the HTTP server that listens on this machine, by knocking at the ports development servers use. */
import { Failure } from "../core/errors.ts";
import { complain } from "./print.ts";

/**
 * The ports that are tried, on 127.0.0.1 and ::1. Only these: databases (5432, 3306, 6379, 27017, 9200 …) are never
 * knocked at, nor are connectd's own (8080 and 4545 belong to the hub and the control API when they run).
 */
export const PORTS = [
  3000,
  3001,
  4000,
  4200,
  4321,
  5000,
  5173,
  5174,
  8000,
  8001,
  8081,
  8787,
  8888,
  9000,
  1313,
  2368,
  7000,
];

const KNOCK_MS = 300;

/** The one target that answers HTTP here; on a terminal the person chooses among several. Throws a Failure for none or many. */
export async function detectTarget(): Promise<string> {
  const found = (await Promise.all(PORTS.map(knock))).filter((target) => target !== null);
  if (found.length === 1) return found[0];
  if (found.length === 0) {
    throw new Failure("no HTTP server was found on this machine", {
      hint: `start yours, or name it: connectd link localhost:3000 (tried ports ${PORTS.join(", ")})`,
    });
  }
  if (Deno.stdin.isTerminal()) {
    complain("Several servers listen here:");
    found.forEach((target, i) => complain(`  ${i + 1}  ${target}`));
    const answer = Number(prompt("Which one?", "1"));
    if (found[answer - 1] !== undefined) return found[answer - 1];
    throw new Failure("none was chosen", { hint: "name one: connectd link localhost:3000" });
  }
  throw new Failure(`several servers listen here: ${found.join(", ")}`, {
    hint: `name one: connectd link ${found[0]}`,
  });
}

/** Whether anything accepts connections at `host:port` within the knock's time. */
export async function listens(host: string, port: number): Promise<boolean> {
  const attempt = Deno.connect({ hostname: host.replace(/^\[|\]$/g, ""), port });
  const late = Symbol();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const first = await Promise.race([
    attempt.catch(() => null),
    new Promise<typeof late>((done) => timer = setTimeout(done, KNOCK_MS, late)),
  ]);
  clearTimeout(timer);
  if (first === late) attempt.then((connection) => connection.close(), () => {});
  if (first === late || first === null) return false;
  (first as Deno.TcpConn).close();
  return true;
}

async function knock(port: number): Promise<string | null> {
  for (const host of ["127.0.0.1", "[::1]"]) {
    if (await speaksHttp(host, port)) return host === "127.0.0.1" ? `localhost:${port}` : `${host}:${port}`;
  }
  return null;
}

/** True where the answer to a HEAD request begins like HTTP; nothing else is sent, and little is read. */
async function speaksHttp(host: string, port: number): Promise<boolean> {
  if (!await listens(host, port)) return false;
  const connection = await Deno.connect({ hostname: host.replace(/^\[|\]$/g, ""), port }).catch(() => null);
  if (connection === null) return false;
  const late = setTimeout(() => connection.close(), KNOCK_MS * 5);
  try {
    await connection.write(
      new TextEncoder().encode(`HEAD / HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`),
    );
    const start = new Uint8Array(5);
    const n = await connection.read(start);
    return n !== null && new TextDecoder().decode(start.subarray(0, n)).startsWith("HTTP/");
  } catch {
    return false;
  } finally {
    clearTimeout(late);
    try {
      connection.close();
    } catch {
      // The late timer was first.
    }
  }
}
