/** Connections to targets and hubs. */
import { withoutBrackets } from "../core/address.ts";
import type { TargetTls } from "../core/entry.ts";
import type { Target } from "../core/target.ts";
import { descriptors, NoDescriptor } from "./descriptors.ts";
import { inWords } from "./distrust.ts";
import type { Socket } from "./socket.ts";
import { encryptBy } from "./tls_socket.ts";

/**
 * Connects to `target`: every address of its name in turn, TLS for https, verified unless `tls` says otherwise. Rejects
 * with the runtime's error, or NoDescriptor; so it does when `signal` gives up.
 */
export async function dial(target: Target, tls: TargetTls | null, signal: AbortSignal): Promise<Socket> {
  try {
    return await connectTo(target, tls, signal);
  } catch (error) {
    throw descriptors.ranOut(error) ? new NoDescriptor(error) : error;
  }
}

/** The same to where the http or https `origin` is, which shows itself by `caFile` (null: the default roots). */
export function dialOrigin(origin: string, caFile: string | null, signal: AbortSignal): Promise<Socket> {
  const { protocol, hostname, port } = new URL(origin), secure = protocol === "https:";
  const kind = secure ? "https" as const : "http" as const;
  const target = { kind, host: withoutBrackets(hostname), port: Number(port) || (secure ? 443 : 80) };
  return dial(target, { caFile, serverName: null, insecure: false }, signal);
}

/** The same for a visitor, who gets none of the descriptors that are kept for what matters more. */
export function dialForVisitor(target: Target, tls: TargetTls | null, signal: AbortSignal): Promise<Socket> {
  return descriptors.short ? Promise.reject(new NoDescriptor()) : dial(target, tls, signal);
}

async function connectTo(target: Target, tls: TargetTls | null, signal: AbortSignal): Promise<Socket> {
  if (target.kind === "echo") throw new TypeError("echo is no place to connect to");
  if (target.kind === "unix") {
    return await orAbort(Deno.connect({ transport: "unix", path: target.path }), signal);
  }
  const { kind, host, port } = target;
  const caFile = kind === "https" ? tls?.caFile ?? null : null;
  const ca = caFile === null ? null : await Deno.readTextFile(caFile);
  const conn = await orAbort(connect(host, port), signal);
  // A request goes out in one write; what a target streams must not wait for more either.
  conn.setNoDelay(true);
  // Nothing but the kernel would ever notice that the other side of a silent connection has gone.
  if (kind === "tcp") conn.setKeepAlive(true);
  if (kind !== "https") return conn;
  const name = tls?.serverName ?? host, insecure = tls?.insecure ?? false;
  const place = `${host}:${port}`;
  if (ca !== null || insecure || silent.has(place)) {
    const encrypted = await encryptBy(conn, { name, ca, insecure }, signal);
    silent.delete(place);
    return encrypted;
  }
  return await encrypt(conn, name, signal).catch((error) => {
    if (signal.aborted) silent.add(place);
    throw error;
  });
}

/**
 * Where a greeting was not answered in time. The runtime's TLS is twice as fast as node's, but holds the socket of such a
 * handshake until the other side leaves: until they answer again, these are dialled by the other, which lets go.
 */
const silent = new Set<string>();

async function connect(hostname: string, port: number): Promise<Deno.TcpConn> {
  try {
    return await Deno.connect({ hostname, port });
  } catch (error) {
    // Many hosts files give localhost one family, and development servers listen on the other.
    if (hostname !== "localhost" || !(error instanceof Deno.errors.ConnectionRefused)) throw error;
    return await Deno.connect({ hostname: "::1", port }).catch(() => Promise.reject(error));
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
    // It may have been given up, and closed, in the very moment in which it was ready.
    signal.throwIfAborted();
    return encrypted;
  } catch (error) {
    close(encrypted);
    throw inWords(error);
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
    // No later than it is settled, or a connection that is the caller's already would be closed behind its back.
    const done = () => signal.removeEventListener("abort", give);
    pending.then(done, done);
    pending.then(resolve, reject);
  });
}

function close(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // It is closed.
  }
}
