/** What a role tells systemd of itself: sd_notify(3), datagrams to the socket of $NOTIFY_SOCKET, without a helper program. */
import type { Log } from "../log.ts";
import { privateSocketPath } from "../net/private_socket.ts";

/** The variable by which a supervisor says where it listens. */
export const NOTIFY_SOCKET = "NOTIFY_SOCKET";

/** Says lines such as `READY=1` to the supervisor. */
export interface Notifier {
  /** Sends `lines` as one message. Never throws and never waits: what can't be sent is logged once. */
  tell(...lines: readonly string[]): void;
  close(): void;
}

/** The part of Deno's unix datagrams that is used; they are there with `--unstable-net` alone. */
interface DatagramSocket {
  send(bytes: Uint8Array, to: { transport: "unixpacket"; path: string }): Promise<number>;
  close(): void;
}
type ListenDatagram = (options: { transport: "unixpacket"; path: string }) => DatagramSocket;

/** Where the sending end of the role on the directory `state` is for the moment in which it is made. Throws Failure. */
export function notifyPath(state: string): string {
  return privateSocketPath(state, "notify.sock", "connectd-notify");
}

/**
 * The supervisor that $NOTIFY_SOCKET names, a path or `@` and an abstract name; null without the variable, and where it
 * can't be told, which is logged. `state` is the role's state directory, which it has alone: the sending end needs a name.
 */
export function openNotifier(state: string, log: Log): Notifier | null {
  const named = Deno.env.get(NOTIFY_SOCKET);
  if (!named) return null;
  const to = { transport: "unixpacket", path: named.replace(/^@/, "\0") } as const;
  let failed = false;
  const fail = (error: unknown) => {
    if (failed) return;
    failed = true;
    log.warn("the service manager can not be told that it runs", {
      error: (error as Error).message,
      hint: "write the unit anew with `connectd install`: it grants what this needs",
    });
  };
  let socket: DatagramSocket;
  try {
    socket = openSocket(notifyPath(state));
  } catch (error) {
    fail(error);
    return null;
  }
  return {
    tell(...lines) {
      // A status holds names; a line feed in one would begin an assignment of its own.
      const text = lines.map((line) => line.replaceAll("\n", " ")).join("\n");
      socket.send(new TextEncoder().encode(text), to).catch(fail);
    },
    close: () => socket.close(),
  };
}

/** A socket that nobody can send to: its name is gone before this returns. */
function openSocket(path: string): DatagramSocket {
  const { listenDatagram } = Deno as unknown as { listenDatagram?: ListenDatagram };
  if (listenDatagram === undefined) throw new Error("unix datagrams need the flag --unstable-net");
  remove(path);
  try {
    return listenDatagram({ transport: "unixpacket", path });
  } finally {
    remove(path);
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
