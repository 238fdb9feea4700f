/** Trailers that came over the tunnel: raw lines of a peer that is not trusted, on their way into a connection. */
import { Malformed } from "../errors.ts";
import { toBytes } from "../latin1.ts";
import { BodyReader, LAST_CHUNK } from "./body.ts";

/**
 * True where `lines` are trailer fields and no more, as the codec reads them behind a last chunk (RFC 9112 §7.1.2).
 * An empty line within them would begin a message of the peer's own making.
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
