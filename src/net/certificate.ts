/** What certificate a server shows, without asking it for anything else. */
import { Buffer } from "node:buffer";
import { checkServerIdentity, connect } from "node:tls";
import { parseAddress } from "../core/address.ts";

export interface Certificate {
  /** ms since 1970 at which it is over. */
  readonly until: number;
  /** Nobody whom `ca` names, or the default roots, vouches for it; else null. */
  readonly distrust: string | null;
  /** Whether it is for `name`. */
  covers(name: string): boolean;
}

/**
 * The certificate that `host`:`port` shows to whoever asks for `name`, judged by `ca` (PEM) or the default roots. Rejects
 * with what node:tls says where there is none, and with `signal`'s reason.
 */
export function certificateOf(
  { host, port, name, ca }: { host: string; port: number; name: string; ca: string | null },
  signal: AbortSignal,
): Promise<Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      // Addresses are not asked for (RFC 6066 §3).
      servername: parseAddress(name) === null ? name : "",
      ca: ca === null ? undefined : Buffer.from(ca),
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    const give = () => socket.destroy(signal.reason);
    signal.addEventListener("abort", give, { once: true });
    if (signal.aborted) give();
    socket.once("error", reject);
    socket.once("close", () => {
      signal.removeEventListener("abort", give);
      reject(new Deno.errors.ConnectionReset("the connection ended in its handshake"));
    });
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerCertificate();
      const { authorized, authorizationError } = socket;
      socket.destroy();
      resolve({
        until: Date.parse(certificate.valid_to),
        distrust: authorized ? null : String(authorizationError),
        covers: (name) => checkServerIdentity(name, certificate) === undefined,
      });
    });
  });
}
