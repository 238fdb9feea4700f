/** Who a server is: its certificate, those that vouch for it, and its key. */
import { Buffer } from "node:buffer";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { Failure } from "../core/errors.ts";
import { socketPair } from "./socket.ts";
import { acceptTls } from "./tls_server.ts";
import { encryptBy } from "./tls_socket.ts";

export interface ServerIdentity {
  readonly context: SecureContext;
  /** What it is for: `DNS:hub.example.com, DNS:*.hub.example.com`. */
  readonly names: string;
  /** From when to when it is good, ms since 1970. */
  readonly from: number;
  readonly until: number;
}

/** A file that was read. */
export interface PemFile {
  readonly path: string;
  readonly text: string;
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;
const KEY = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----/;

/** A handshake with itself is a matter of milliseconds. */
const TRIAL_MS = 10_000;

/**
 * The identity of the PEM files `cert`, the server's own certificate first, and `key`; it has been tried. Throws Failure,
 * which names the file that is wrong.
 */
export async function serverIdentity(cert: PemFile, key: PemFile): Promise<ServerIdentity> {
  const certificate = certificateIn(cert);
  if (!isKeyOf(certificate, key)) throw wrong(`${key.path} is not the key of ${cert.path}`);
  const identity = {
    // It checks nothing.
    context: createSecureContext({ cert: cert.text, key: key.text }),
    names: certificate.subjectAltName ?? certificate.subject,
    from: Date.parse(certificate.validFrom),
    until: Date.parse(certificate.validTo),
  };
  await attempt(identity).catch((cause) => {
    throw wrong(
      `TLS can not be served with ${cert.path} and ${key.path}: ${(cause as Error).message}`,
      cause,
    );
  });
  return identity;
}

function certificateIn({ path, text }: PemFile): X509Certificate {
  const blocks = text.match(CERTIFICATES) ?? [];
  if (blocks.length === 0) throw wrong(`${path} holds no certificate (PEM)`);
  const certificates = blocks.map((block, i) => {
    try {
      return new X509Certificate(Buffer.from(block));
    } catch (cause) {
      throw wrong(`${path}: its certificate ${i + 1} can not be read`, cause);
    }
  });
  return certificates[0];
}

function isKeyOf(certificate: X509Certificate, { path, text }: PemFile): boolean {
  const kind = KEY.exec(text)?.[1];
  if (kind === undefined) throw wrong(`${path} holds no private key (PEM)`);
  if (kind === "ENCRYPTED " || /^Proc-Type:.*ENCRYPTED/m.test(text)) {
    throw wrong(`${path} is encrypted, and nobody can be asked for its password`);
  }
  try {
    return certificate.checkPrivateKey(createPrivateKey(text));
  } catch (cause) {
    throw wrong(`${path}: its private key can not be read`, cause);
  }
}

/** A pair may be a pair, and of a kind that TLS does not know here. */
async function attempt(identity: ServerIdentity): Promise<void> {
  const [here, there] = socketPair();
  const server = acceptTls(there, identity);
  try {
    const signal = AbortSignal.timeout(TRIAL_MS);
    const [client] = await Promise.all([
      encryptBy(here, { name: "localhost", ca: null, insecure: true }, signal),
      server.write(new Uint8Array(1)),
    ]);
    client.close();
  } finally {
    server.close();
    here.close();
  }
}

function wrong(message: string, cause?: unknown): Failure {
  return new Failure(message, {
    hint: "tls: { cert, key } are PEM files: the chain of certificates, the hub's own first, and its key",
    permanent: true,
    cause,
  });
}
