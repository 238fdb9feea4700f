/**
 * TLS by node:tls, for what the runtime's own does not do: trust a file's certificates and no others (`caCerts` of
 * `Deno.startTls` adds to the default roots), or whatever a server shows.
 */
import { checkServerIdentity, connect, type TLSSocket } from "node:tls";
import { parseAddress } from "../core/address.ts";
import type { Socket } from "./socket.ts";

export interface TlsOptions {
  readonly host: string;
  readonly port: number;
  /** Asked for where it is no address, and verified. */
  readonly name: string;
  /** Certificates to trust instead of the default roots, PEM. */
  readonly ca: string | null;
  /** Nothing is verified. */
  readonly insecure: boolean;
  readonly signal: AbortSignal;
}

/** Connects and shakes hands. Rejects with what node:tls says, or with the reason why `signal` gave up. */
export function connectTls({ host, port, name, ca, insecure, signal }: TlsOptions): Promise<Socket> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      // Addresses are not asked for (RFC 6066 §3).
      servername: parseAddress(name) === null ? name : "",
      ca: ca ?? undefined,
      rejectUnauthorized: !insecure,
      checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    });
    // Its types do not have the option.
    socket.allowHalfOpen = true;
    const giveUp = () => socket.destroy(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", giveUp));
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      signal.removeEventListener("abort", giveUp);
      socket.off("error", reject);
      socket.setNoDelay(true);
      resolve(new TlsSocket(socket));
    });
  });
}

class TlsSocket implements Socket {
  readonly #socket: TLSSocket;
  /** What the last read had no room for. */
  #rest: Uint8Array | null = null;
  #ended = false;
  #error: Error | null = null;
  /** A read waits. */
  #wake: (() => void) | null = null;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on("readable", () => this.#wake?.());
    socket.on("end", () => {
      this.#ended = true;
      this.#wake?.();
    });
    socket.on("error", (error) => {
      this.#error = error;
      this.#wake?.();
    });
    socket.on("close", () => {
      this.#error ??= new Deno.errors.BadResource("the connection is closed");
      this.#wake?.();
    });
  }

  async read(p: Uint8Array): Promise<number | null> {
    for (;;) {
      const rest = this.#rest ?? this.#socket.read() as Uint8Array | null;
      if (rest !== null) {
        const n = Math.min(rest.length, p.length);
        p.set(n === rest.length ? rest : rest.subarray(0, n));
        this.#rest = n === rest.length ? null : rest.subarray(n);
        return n;
      }
      if (this.#ended) return null;
      if (this.#error !== null) throw this.#error;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = null;
    }
  }

  write(p: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(p, (error) => error ? reject(error) : resolve(p.length));
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }
}
