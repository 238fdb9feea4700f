/** A unix socket that was never anybody else's to open. */
import { dirname } from "node:path";

/**
 * Listens at `path`, mode 0600, in the place of whatever is there. Rejects with the runtime's error.
 *
 * A socket is made with the mode that the umask leaves it, and who connects before that is changed is in. So it is made
 * in a directory of its own and moved; the name of that is so short that a path which fits (107 octets) still does.
 */
export async function listenPrivately(path: string): Promise<Deno.UnixListener> {
  const aside = `${dirname(path)}/.${crypto.randomUUID().slice(0, 5)}`;
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
