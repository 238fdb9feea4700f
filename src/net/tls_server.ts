/** TLS towards visitors, by node:tls: the runtime's own takes no connection that was accepted before. */
import { TLSSocket } from "node:tls";
import { toBytes } from "../core/latin1.ts";
import type { ServerIdentity } from "./server_identity.ts";
import type { Socket } from "./socket.ts";
import { Carrier, TlsSocket } from "./tls_socket.ts";
import { Unread } from "./unread.ts";

/** A record of the type that every TLS connection begins with (RFC 8446 §5.1). */
const HANDSHAKE = 22;

/** A greeting fits, with room for the keys of today; a longer one comes in two reads. */
const FIRST = 4096;

const SENTENCE = "This port speaks https: ask for the same address with https:// in front.\n";
/** Whoever forgot the s of https:// finds out. */
const PLAIN = toBytes(
  "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n" +
    `Content-Length: ${SENTENCE.length}\r\nConnection: close\r\n\r\n${SENTENCE}`,
);

/**
 * The octets within `conn`, whose handshake begins at once and is waited for by the first read: whoever bounds the time
 * of that bounds the handshake's. Reads and writes reject where it fails.
 */
export function acceptTls(conn: Socket, identity: ServerIdentity): Socket {
  return new Accepted(conn, identity);
}

class Accepted implements Socket {
  readonly #conn: Socket;
  readonly #shaken: Promise<Socket>;
  #within: Socket | null = null;

  constructor(conn: Socket, identity: ServerIdentity) {
    this.#conn = conn;
    this.#shaken = shakeHands(conn, identity).then((within) => this.#within = within);
    // Whoever reads or writes hears of it.
    this.#shaken.catch(() => {});
  }

  read(p: Uint8Array): Promise<number | null> {
    return this.#within?.read(p) ?? this.#shaken.then((within) => within.read(p));
  }

  write(p: Uint8Array): Promise<number> {
    return this.#within?.write(p) ?? this.#shaken.then((within) => within.write(p));
  }

  closeWrite(): Promise<void> {
    return this.#within?.closeWrite() ?? this.#shaken.then((within) => within.closeWrite());
  }

  close(): void {
    if (this.#within === null) this.#conn.close();
    else this.#within.close();
  }
}

async function shakeHands(conn: Socket, { context }: ServerIdentity): Promise<Socket> {
  const first = new Uint8Array(FIRST);
  const n = await conn.read(first);
  if (n === null) throw new Deno.errors.UnexpectedEof("the connection ended before its handshake");
  if (first[0] !== HANDSHAKE) {
    if (isLetter(first[0])) await conn.write(PLAIN);
    throw new Deno.errors.InvalidData("the visitor does not speak TLS");
  }
  const carrier = new Carrier(new Unread(conn, first.subarray(0, n)));
  const socket = new TLSSocket(carrier, {
    isServer: true,
    secureContext: context,
    // Who would begin with HTTP/2 must not.
    ALPNProtocols: ["http/1.1", "http/1.0"],
  });
  const encrypted = new TlsSocket(socket, carrier);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("secure", resolve);
      socket.once("error", reject);
      socket.once(
        "close",
        () => reject(new Deno.errors.ConnectionReset("the connection ended in its handshake")),
      );
    });
  } catch (error) {
    encrypted.close();
    throw error;
  }
  return encrypted;
}

/** Every HTTP request begins with one. */
function isLetter(octet: number): boolean {
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
