/** Connections to targets and hubs. */
import type { TargetTls } from "../core/entry.ts";
import type { Target } from "../core/target.ts";
import { connectUnverified } from "./insecure.ts";
import type { Socket } from "./socket.ts";

const VERIFY: TargetTls = { caFile: null, serverName: null, insecure: false };

/**
 * Connects to `target`: every address of its name in turn, TLS for https, verified unless `tls` says otherwise. Rejects
 * with the runtime's error; so it does when `signal` gives up.
 */
export async function dial(target: Target, tls: TargetTls | null, signal: AbortSignal): Promise<Socket> {
  if (target.kind === "echo") throw new TypeError("echo is no place to connect to");
  const connecting = target.kind === "unix"
    ? Deno.connect({ transport: "unix", path: target.path })
    : connectTcp(target.host, target.port);
  const socket = await orAbort(connecting, signal);
  if (target.kind !== "https") return socket;
  const encrypting = encrypt(socket as Deno.TcpConn, target.host, tls ?? VERIFY);
  try {
    return await orAbort(encrypting, signal);
  } catch (error) {
    close(socket);
    throw error;
  }
}

async function connectTcp(hostname: string, port: number): Promise<Deno.TcpConn> {
  const conn = await connectName(hostname, port);
  // A request goes out in one write; what a target streams must not wait for more either.
  conn.setNoDelay(true);
  return conn;
}

async function connectName(hostname: string, port: number): Promise<Deno.TcpConn> {
  try {
    return await Deno.connect({ hostname, port });
  } catch (error) {
    // Many hosts files give localhost one family, and development servers listen on the other.
    if (hostname !== "localhost" || !(error instanceof Deno.errors.ConnectionRefused)) throw error;
    return await Deno.connect({ hostname: "::1", port }).catch(() => Promise.reject(error));
  }
}

async function encrypt(conn: Deno.TcpConn, host: string, tls: TargetTls): Promise<Socket> {
  const hostname = tls.serverName ?? host;
  if (tls.insecure) return await connectUnverified(conn, hostname);
  const caCerts = tls.caFile === null ? [] : [await Deno.readTextFile(tls.caFile)];
  const encrypted = await Deno.startTls(conn, { hostname, caCerts });
  await encrypted.handshake();
  return encrypted;
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
