/** Trailers that came over the tunnel: raw lines of a peer that is not trusted, on their way into a target's connection. */
import { Malformed } from "../core/errors.ts";
import { BodyReader, LAST_CHUNK } from "../core/http1/body.ts";
import { toBytes } from "../core/latin1.ts";

/**
 * True where `lines` are trailer fields and no more, as the codec reads them behind a last chunk (RFC 9112 §7.1.2).
 * An empty line within them would begin a request of the hub's own making, on a connection to the target.
 */
export function areTrailers(lines: string): boolean {
  const bytes = toBytes(LAST_CHUNK + lines + "\r\n");
  const reader = new BodyReader({ kind: "chunked" });
  try {
    return reader.read(bytes, 0, bytes.length, 0) === bytes.length && reader.done;
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}
