/** A role's own unix socket: where it is, and that it was never anybody else's to open. */
import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import { Failure } from "../core/errors.ts";

/** A unix socket's path holds this many bytes on Linux: sun_path, less its NUL. */
const SOCKET_PATH_MAX = 107;

/**
 * The path of the socket `name` of the role on the directory `state`: in it, or, where that is too long for a socket,
 * in $XDG_RUNTIME_DIR under a name that begins with `prefix`. Throws Failure where that is not set or too long either.
 */
export function privateSocketPath(state: string, name: string, prefix: string): string {
  const path = resolve(state, name);
  if (fits(path)) return path;
  const runtime = Deno.env.get("XDG_RUNTIME_DIR");
  const digest = createHash("sha256").update(resolve(state)).digest("hex").slice(0, 16);
  const short = runtime ? resolve(runtime, `${prefix}-${digest}.sock`) : null;
  if (short !== null && fits(short)) return short;
  throw new Failure(`the path ${path} is too long for a socket`, {
    hint: "name a shorter one with --state DIR, or set XDG_RUNTIME_DIR",
    permanent: true,
  });
}

function fits(path: string): boolean {
  return new TextEncoder().encode(path).length <= SOCKET_PATH_MAX;
}

/**
 * The directory in which the socket `path` is made before it is moved there. The same every time, so that a permission
 * can name it, and so short that a path which fits (107 octets) still does with `/s` behind it.
 */
export function asidePath(path: string): string {
  return `${dirname(path)}/.${createHash("sha256").update(path).digest("hex").slice(0, 5)}`;
}

/**
 * Listens at `path`, mode 0600, in the place of whatever is there. Rejects with the runtime's error. The caller has
 * `path` alone, as by a lock: what an end in the middle left behind is cleared away.
 *
 * A socket is made with the mode that the umask leaves it, and who connects before that is changed is in. So it is made
 * in a directory of its own and moved.
 */
export async function listenPrivately(path: string): Promise<Deno.UnixListener> {
  const aside = asidePath(path);
  await Deno.remove(aside, { recursive: true }).catch(() => {});
  await Deno.mkdir(aside, { mode: 0o700 });
  let socket: Deno.UnixListener | null = null;
  try {
    socket = Deno.listen({ transport: "unix", path: `${aside}/s` });
    await Deno.chmod(`${aside}/s`, 0o600);
    await Deno.rename(`${aside}/s`, path);
    return socket;
  } catch (error) {
    socket?.close();
    throw error;
  } finally {
    await Deno.remove(aside, { recursive: true });
  }
}
