/** Where a daemon touches the outside: the hubs it dials, the one inside the process, the control API's listeners. */
import { type ListenAddress, parseListen, printListen } from "../config/places.ts";
import type { HubAddress } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { descriptors } from "../net/descriptors.ts";
import { type ControlOptions, ControlServer, DEFAULT_LISTEN } from "./control/server.ts";
import type { Hubs } from "./hubs.ts";
import { DaemonMetrics } from "./metrics.ts";
import type { DaemonOptions, EmbeddedHub } from "./options.ts";
import type { ServedLink } from "./served.ts";

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
  readonly #served: (name: string) => ServedLink | undefined;
  readonly metrics: DaemonMetrics;
  #tcp: ControlServer | null = null;
  #unix: ControlServer | null = null;
  /** As it was applied last. */
  #listen: string | null = null;
  #bound: string | null = null;
  /** The embedded hub that the file names no more, while what is in flight there finishes. */
  #leaving: EmbeddedHub | null = null;
  /** Control listeners that others have replaced. */
  #replaced: Promise<unknown> = Promise.resolve();
  readonly #giveDescriptors: () => void;

  /** `served`: the link of a name, while it is there. */
  constructor(
    options: DaemonOptions,
    hubs: Hubs,
    control: ControlOptions,
    served: (name: string) => ServedLink | undefined,
  ) {
    this.#options = options;
    this.#hubs = hubs;
    this.#control = control;
    this.#served = served;
    this.metrics = new DaemonMetrics(control.state, hubs, () => this.embedded?.metrics() ?? []);
    this.#giveDescriptors = descriptors.keep(options.state, control.log);
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
    const control = wanted === false || this.#isBound(wanted)
      ? null
      : await orUnbound("control", () => ControlServer.tcp(addressOf(wanted), this.#control));
    try {
      await this.#embed(settings);
    } catch (error) {
      await control?.close();
      throw error;
    }
    if (wanted !== false) this.#bound = wanted;
    if (control === null) return;
    await this.#tcp?.stop();
    // The call that asks for this may have come by the old one, which closes behind it.
    this.#replaced = Promise.all([this.#replaced, this.#tcp?.close()]);
    this.#tcp = control;
  }

  /** Whether the control API listens there already, by whatever words it was told so. */
  #isBound(wanted: string | null): boolean {
    if (this.#tcp === null) return false;
    return wanted === this.#bound || printListen(addressOf(wanted) ?? DEFAULT_LISTEN) === this.#tcp.address;
  }

  /** Dials the hubs that `settings` name, and no others. */
  dial({ hubs, connections }: Settings): void {
    const { embedded } = this;
    this.#hubs.apply(hubs, connections);
    if (embedded === null) return;
    if (hubs.length === 0) return this.#hubs.embed(embedded);
    this.embedded = null;
    this.#leaving = embedded;
    this.#hubs.leave();
    void embedded.drain(LEAVE_MS).then(() => embedded.close());
  }

  /** Takes no more requests; resolves when those in flight are done, or after `ms`. */
  async drain(ms: number): Promise<void> {
    await Promise.all([this.embedded?.drain(ms), this.#hubs.drain(ms)]);
  }

  async close(): Promise<void> {
    this.#hubs.close();
    const hubs = [this.embedded?.close(), this.#leaving?.close()];
    await Promise.all([...hubs, this.#tcp?.close(), this.#unix?.close(), this.#replaced]);
    if (this.#unix !== null) await Deno.remove(this.#unix.address).catch(() => {});
    this.metrics.close();
    this.#giveDescriptors();
  }

  async #embed({ hubs, listen }: Settings): Promise<void> {
    if (hubs.length > 0) return;
    const { embedded: start } = this.#options;
    if (this.embedded === null) {
      if (start === null) throw new Unbound("hub", new Failure("no hub is named, and none can run here"));
      // It has the store that the next one needs.
      await this.#leaving?.close();
      this.embedded = await orUnbound("listen", () => start(listen));
      const { witnesses } = this.#control.state;
      this.embedded.onRefused = (request, head, secure) =>
        witnesses.refused(request, head, secure, this.#served(request.link));
    } else if (listen !== this.#listen) {
      const { embedded } = this;
      await orUnbound("listen", () => embedded.rebind(listen));
    }
    this.#listen = listen;
  }
}

async function orUnbound<T>(key: Unbound["key"], act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof Failure ? new Unbound(key, error) : error;
  }
}

/** `:4545` is a port of this machine; null: the default. Throws Failure for what is no address. */
function addressOf(text: string | null): ListenAddress | null {
  if (text === null) return null;
  try {
    return parseListen(text.startsWith(":") ? `127.0.0.1${text}` : text);
  } catch (cause) {
    throw new Failure((cause as Error).message, { permanent: true, cause });
  }
}
