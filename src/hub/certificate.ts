/** The certificate that a hub shows its visitors: read from files, and anew when they change. */
import type { Clock } from "../clock.ts";
import { MAX_BYTES } from "../config/file.ts";
import type { TlsFiles } from "../config/hub.ts";
import { readStill } from "../config/still.ts";
import { type Watch, watchFile } from "../config/watch.ts";
import { Failure } from "../core/errors.ts";
import type { Log } from "../log.ts";
import { type ServerIdentity, serverIdentity } from "../net/server_identity.ts";
import { Unchangeable } from "./settings.ts";

/** Others than owner and group. */
const OTHERS = 0o007;

/** Certificate and key are two files: whoever renews them is given so long for the second. */
const SECOND_MS = 2_000;

export class Certificate {
  /** Replaced, never changed: who has shaken hands is not concerned. */
  identity: ServerIdentity;
  #files: TlsFiles;
  #watches: readonly Watch[] = [];
  /** One reading at a time. */
  #turn: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(
    files: TlsFiles,
    identity: ServerIdentity,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.#files = files;
    this.identity = identity;
    this.#follow();
  }

  /** Reads `files` and follows them. Throws Failure, which names the file that is wrong. */
  static async open(files: TlsFiles, clock: Clock, log: Log): Promise<Certificate> {
    const certificate = new Certificate(files, await read(files), clock, log);
    certificate.#said();
    return certificate;
  }

  /** Throws Failure where `files` can't be served with. */
  static async check(files: TlsFiles): Promise<void> {
    await read(files);
  }

  /** Shows what is in `files` from now on. Throws Failure, and goes on as before. */
  async use(files: TlsFiles): Promise<void> {
    const identity = await read(files);
    this.#files = files;
    this.#follow();
    this.#take(identity);
  }

  close(): void {
    this.#closed = true;
    for (const watch of this.#watches) watch.close();
  }

  #follow(): void {
    for (const watch of this.#watches) watch.close();
    const { cert, key } = this.#files, { clock } = this;
    this.#watches = [cert, key].map((path) => watchFile(path, { clock }, () => this.#changed()));
  }

  #changed(): void {
    this.#turn = this.#turn.then(() => this.#read());
  }

  /** A pair that does not fit yet may do so when the other file is written. */
  async #read(): Promise<void> {
    const files = this.#files, until = this.clock.mono() + SECOND_MS;
    for (;;) {
      try {
        const identity = await read(files);
        if (this.#files === files && !this.#closed) this.#take(identity);
        return;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (this.#closed || this.#files !== files) return;
        if (this.clock.mono() >= until) {
          this.log.error(`the certificate stays the one before: ${error.message}`);
          return;
        }
        await this.#pause();
      }
    }
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.clock.timer(resolve);
    timer.set(SECOND_MS / 4);
    await promise;
    timer.drop();
  }

  #take(identity: ServerIdentity): void {
    this.identity = identity;
    this.#said();
  }

  #said(): void {
    const { log, clock, identity: { names, from, until } } = this;
    const { cert, key } = this.#files;
    log.info("certificate read", { file: cert, names, until: new Date(until).toISOString() });
    if (until <= clock.now()) log.warn(`${cert} expired at ${new Date(until).toISOString()}`);
    if (from > clock.now()) log.warn(`${cert} is not valid before ${new Date(from).toISOString()}`);
    if (isOpen(key)) log.warn(`${key} can be read by everybody on this machine: chmod 600 ${key}`);
  }
}

/** Shows what is in `tls` from now on. Throws Unchangeable: a listener that speaks TLS does so for good. */
export async function useTls(
  certificate: Pick<Certificate, "use"> | null,
  tls: TlsFiles | null,
): Promise<void> {
  if (certificate === null || tls === null) {
    throw new Unchangeable("tls", "TLS begins and ends with the listener", "restart the hub to change it");
  }
  try {
    await certificate.use(tls);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Unchangeable("tls", error.message, error.hint ?? "", error);
  }
}

async function read({ cert, key }: TlsFiles): Promise<ServerIdentity> {
  const [chain, secret] = await Promise.all([cert, key].map(async (path) => ({
    path,
    text: new TextDecoder().decode(await readStill(path, 0, MAX_BYTES)),
  })));
  return await serverIdentity(chain, secret);
}

function isOpen(path: string): boolean {
  try {
    return ((Deno.statSync(path).mode ?? 0) & OTHERS) !== 0;
  } catch {
    // It was replaced a moment ago, and will be read again.
    return false;
  }
}
