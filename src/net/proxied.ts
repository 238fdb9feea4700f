/** Connections that a proxy passes on: first it says who they come from. */
import { readProxyHeader } from "../core/proxy_protocol.ts";
import type { Socket } from "./socket.ts";
import { Unread } from "./unread.ts";

/** A connection, behind what its proxy said. */
export interface Proxied {
  readonly socket: Socket;
  /** Who it comes from; null: the proxy itself. */
  readonly source: string | null;
}

/** Most headers are some 50 octets; what a proxy adds to one may come to 64 KiB. */
const FIRST = 1024;

/**
 * Reads the PROXY protocol header of `conn`. Rejects with a SyntaxError where something else comes, with an error of the
 * runtime where it ends or is closed before; `conn` is the caller's to close.
 */
export async function readProxied(conn: Socket): Promise<Proxied> {
  let buffer = new Uint8Array(FIRST), length = 0;
  for (;;) {
    const n = await conn.read(buffer.subarray(length));
    if (n === null) throw new Deno.errors.UnexpectedEof("the connection ended in its PROXY protocol header");
    length += n;
    const header = readProxyHeader(buffer.subarray(0, length));
    if (header !== null) {
      const socket = length === header.length ? conn : new Unread(conn, buffer.slice(header.length, length));
      return { socket, source: header.source };
    }
    if (length < buffer.length) continue;
    const larger = new Uint8Array(2 * length);
    larger.set(buffer);
    buffer = larger;
  }
}
