/** Connections to targets and hubs. */
import type { TargetTls } from "../core/entry.ts";
import type { Target } from "../core/target.ts";
import type { Socket } from "./socket.ts";
import { connectTls } from "./tls_socket.ts";

const VERIFY: TargetTls = { caFile: null, serverName: null, insecure: false };

/**
 * Connects to `target`: every address of its name in turn, TLS for https, verified unless `tls` says otherwise. Rejects
 * with the runtime's error; so it does when `signal` gives up.
 */
export async function dial(target: Target, tls: TargetTls | null, signal: AbortSignal): Promise<Socket> {
  if (target.kind === "echo") throw new TypeError("echo is no place to connect to");
  if (target.kind === "unix") {
    return await orAbort(Deno.connect({ transport: "unix", path: target.path }), signal);
  }
  const { kind, host, port } = target;
  const { caFile, serverName, insecure } = tls ?? VERIFY;
  if (kind === "https" && (insecure || caFile !== null)) {
    const ca = caFile === null ? null : await Deno.readTextFile(caFile);
    const options = { port, name: serverName ?? host, ca, insecure, signal };
    return await byName(host, (host) => connectTls({ host, ...options }));
  }
  const conn = await orAbort(byName(host, (hostname) => Deno.connect({ hostname, port })), signal);
  // A request goes out in one write; what a target streams must not wait for more either.
  conn.setNoDelay(true);
  return kind === "https" ? await encrypt(conn, serverName ?? host, signal) : conn;
}

async function byName<T>(host: string, connect: (host: string) => Promise<T>): Promise<T> {
  try {
    return await connect(host);
  } catch (error) {
    // Many hosts files give localhost one family, and development servers listen on the other.
    if (host !== "localhost" || (error as { code?: string }).code !== "ECONNREFUSED") throw error;
    return await connect("::1").catch(() => Promise.reject(error));
  }
}

/** Verified by the default roots. */
async function encrypt(conn: Deno.TcpConn, hostname: string, signal: AbortSignal): Promise<Socket> {
  const encrypted = await Deno.startTls(conn, { hostname });
  const giveUp = () => encrypted.close();
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    await encrypted.handshake();
    return encrypted;
  } catch (error) {
    close(encrypted);
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

/** What `pending` gives, unless `signal` aborts first: then a connection that still comes about is closed. */
function orAbort<T extends Socket>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = () => {
      pending.then(close, () => {});
      reject(signal.reason);
    };
    if (signal.aborted) return give();
    signal.addEventListener("abort", give, { once: true });
    pending.then(resolve, reject).finally(() => signal.removeEventListener("abort", give));
  });
}

function close(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // It is closed.
  }
}
