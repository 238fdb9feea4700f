/**
 * TLS by node:tls, for what the runtime's own does not do: trust a file's certificates and no others (`caCerts` of
 * `Deno.startTls` adds to the default roots), or whatever a server shows.
 */
import { Duplex } from "node:stream";
import { checkServerIdentity, connect, type TLSSocket } from "node:tls";
import { parseAddress } from "../core/address.ts";
import type { Socket } from "./socket.ts";

export interface TlsOptions {
  /** Asked for where it is no address, and verified. */
  readonly name: string;
  /** Certificates to trust instead of the default roots, PEM. */
  readonly ca: string | null;
  /** Nothing is verified. */
  readonly insecure: boolean;
}

/** So many octets may wait for a reader before the connection is left alone. */
const AHEAD = 64 * 1024;

/**
 * Shakes hands on `conn`, which is closed where that fails. Rejects with what node:tls says, or with the reason why
 * `signal` gave up.
 */
export function encryptBy(conn: Socket, options: TlsOptions, signal: AbortSignal): Promise<Socket> {
  const { name, ca, insecure } = options;
  const carrier = new Carrier(conn);
  return new Promise<Socket>((resolve, reject) => {
    const socket = connect({
      socket: carrier,
      // Addresses are not asked for (RFC 6066 §3).
      servername: parseAddress(name) === null ? name : "",
      ca: ca ?? undefined,
      rejectUnauthorized: !insecure,
      checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    });
    const encrypted = new TlsSocket(socket, carrier);
    const giveUp = () => socket.destroy(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    socket.once("secureConnect", () => resolve(encrypted));
    socket.once("error", reject);
    socket.once(
      "close",
      () => reject(new Deno.errors.ConnectionReset("the connection ended in its handshake")),
    );
    const done = () => signal.removeEventListener("abort", giveUp);
    socket.once("secureConnect", done);
    socket.once("close", done);
  }).catch((error) => {
    carrier.destroy();
    throw error;
  });
}

/** The connection below, as node:tls wants it. */
export class Carrier extends Duplex {
  readonly #conn: Socket;
  readonly #buffer = new Uint8Array(AHEAD);
  #held = false;
  /** It was to be read while it was held. */
  #wanted = false;

  constructor(conn: Socket) {
    super();
    this.#conn = conn;
  }

  /** Nothing is read until `release`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    if (!this.#wanted) return;
    this.#wanted = false;
    this._read();
  }

  override _read(): void {
    if (this.#held) {
      this.#wanted = true;
      return;
    }
    this.#conn.read(this.#buffer).then(
      (n) => this.push(n === null ? null : this.#buffer.slice(0, n)),
      (error) => this.destroy(error),
    );
  }

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#writeAll(bytes).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#conn.closeWrite().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    try {
      this.#conn.close();
    } catch {
      // It was closed by what broke it.
    }
    done(error);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }
}

/** The octets within. Who does not read is waited for below: a TLSSocket that is paused misses its end-of-file. */
export class TlsSocket implements Socket {
  readonly #socket: TLSSocket;
  readonly #carrier: Carrier;
  readonly #arrived: Uint8Array[] = [];
  /** Octets in them. */
  #waiting = 0;
  #ended = false;
  #error: Error | null = null;
  /** A read waits. */
  #wake: (() => void) | null = null;

  constructor(socket: TLSSocket, carrier: Carrier) {
    this.#socket = socket;
    this.#carrier = carrier;
    socket.on("data", (bytes: Uint8Array) => {
      this.#arrived.push(bytes);
      this.#waiting += bytes.length;
      if (this.#waiting >= AHEAD) carrier.hold();
      this.#wake?.();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#wake?.();
    });
    socket.on("error", (error) => this.#broke(error));
    socket.on("close", () => this.#broke(new Deno.errors.BadResource("the connection is closed")));
    carrier.on("error", (error) => socket.destroy(error));
  }

  async read(p: Uint8Array): Promise<number | null> {
    while (this.#waiting === 0) {
      if (this.#ended) return null;
      if (this.#error !== null) throw this.#error;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = null;
    }
    const [first] = this.#arrived;
    const n = Math.min(first.length, p.length);
    p.set(n === first.length ? first : first.subarray(0, n));
    if (n === first.length) this.#arrived.shift();
    else this.#arrived[0] = first.subarray(n);
    this.#waiting -= n;
    if (this.#waiting < AHEAD) this.#carrier.release();
    return n;
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
    this.#waiting = this.#arrived.length = 0;
    this.#socket.destroy();
    this.#carrier.destroy();
  }

  #broke(error: Error): void {
    this.#error ??= error;
    this.#wake?.();
  }
}
