/** Where a daemon touches the outside: the hubs it dials, the one inside the process, the control API's listeners. */
import { type ListenAddress, parseListen } from "../config/places.ts";
import type { HubAddress } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { type ControlOptions, ControlServer } from "./control/server.ts";
import type { Hubs } from "./hubs.ts";
import type { DaemonOptions, EmbeddedHub } from "./options.ts";

/** What a file says about it. */
export interface Settings {
  /** Empty: the hub inside this process. */
  readonly hubs: readonly HubAddress[];
  readonly listen: string | null;
  readonly control: string | null;
  readonly connections: number;
}

/** The setting that could not be carried out, and why. */
export class Unbound extends Failure {
  constructor(readonly key: "listen" | "control" | "hub", cause: Failure) {
    super(cause.message, { permanent: true, cause, ...(cause.hint === null ? {} : { hint: cause.hint }) });
  }
}

/** Requests that came by a hub which the file names no more have so long to finish. */
const LEAVE_MS = 30_000;

export class Outside {
  embedded: EmbeddedHub | null = null;
  readonly #options: DaemonOptions;
  readonly #hubs: Hubs;
  readonly #control: ControlOptions;
  #tcp: ControlServer | null = null;
  #unix: ControlServer | null = null;
  /** As it was applied last. */
  #listen: string | null = null;
  #bound: string | null = null;
  #leaving: Promise<void> = Promise.resolve();

  constructor(options: DaemonOptions, hubs: Hubs, control: ControlOptions) {
    this.#options = options;
    this.#hubs = hubs;
    this.#control = control;
  }

  get control(): string | null {
    return this.#tcp?.address ?? null;
  }

  get socket(): string | null {
    return this.#unix?.address ?? null;
  }

  /** Makes the control socket, unless there is to be no control API. Throws Failure. */
  async open(socket: string): Promise<void> {
    if (this.#options.control === false) return;
    this.#unix = await ControlServer.unix(socket, this.#control);
  }

  /** Listens as `settings` say. Throws Unbound where it can't, and everything is as before. */
  async bind(settings: Settings): Promise<void> {
    const wanted = this.#options.control ?? settings.control;
    const control = wanted === false || (this.#tcp !== null && wanted === this.#bound)
      ? null
      : await orUnbound("control", ControlServer.tcp(wanted === null ? null : at(wanted), this.#control));
    try {
      await this.#embed(settings);
    } catch (error) {
      await control?.close();
      throw error;
    }
    if (control === null) return;
    // The call that asks for this may have come by the old one, which closes behind it.
    void this.#tcp?.close();
    this.#tcp = control;
    this.#bound = wanted as string | null;
  }

  /** Dials the hubs that `settings` name, and no others. */
  dial({ hubs, connections }: Settings): void {
    const { embedded } = this;
    this.#hubs.apply(hubs, connections);
    if (embedded === null) return;
    if (hubs.length === 0) return this.#hubs.embed(embedded);
    this.embedded = null;
    this.#hubs.leave();
    this.#leaving = embedded.drain(LEAVE_MS).then(() => embedded.close());
  }

  /** Takes no more requests; resolves when those in flight are done, or after `ms`. */
  async drain(ms: number): Promise<void> {
    await Promise.all([this.embedded?.drain(ms), this.#hubs.drain(ms)]);
  }

  async close(): Promise<void> {
    this.#hubs.close();
    await Promise.all([this.#tcp?.close(), this.#unix?.close(), this.embedded?.close(), this.#leaving]);
    if (this.#unix !== null) await Deno.remove(this.#unix.address).catch(() => {});
  }

  async #embed({ hubs, listen }: Settings): Promise<void> {
    if (hubs.length > 0) return;
    const { embedded: start } = this.#options;
    if (this.embedded === null) {
      if (start === null) throw new Unbound("hub", new Failure("no hub is named, and none can run here"));
      this.embedded = await orUnbound("listen", start(listen));
    } else if (listen !== this.#listen) await orUnbound("listen", this.embedded.rebind(listen));
    this.#listen = listen;
  }
}

async function orUnbound<T>(key: Unbound["key"], doing: Promise<T>): Promise<T> {
  try {
    return await doing;
  } catch (error) {
    throw error instanceof Failure ? new Unbound(key, error) : error;
  }
}

/** `:4545` is a port of this machine. Throws Failure for what is no address. */
function at(text: string): ListenAddress {
  try {
    return parseListen(text.startsWith(":") ? `127.0.0.1${text}` : text);
  } catch (cause) {
    throw new Failure((cause as Error).message, { permanent: true, cause });
  }
}
