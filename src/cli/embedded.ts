/** The hub inside a daemon's process: the one place where hub and daemon meet. */
import { systemClock } from "../clock.ts";
import { parseListen } from "../config/places.ts";
import { DEFAULT_LIMITS } from "../core/limits.ts";
import type { EmbeddedHub } from "../daemon/daemon.ts";
import { startHub } from "../hub/hub.ts";
import { hubStorePath, openHubStore } from "../hub/place.ts";
import type { Identity } from "../hub/tokens.ts";
import type { Log } from "../log.ts";
import { memoryPair } from "../wire/memory.ts";

/** Whoever is in the same process needs no token. */
const IDENTITY: Identity = { token: null, name: "embedded", scope: "daemon", workspace: "default" };

export interface EmbeddedOptions {
  /** The daemon's state directory; the hub's names are kept there too. */
  readonly state: string;
  /** `--listen`: goes before whatever the file says, now and later. */
  readonly listen: string | null;
  readonly log: Log;
}

/** Starts the hub at `--listen`, else at `listen` of the file, else at the default. Throws Failure. */
export async function startEmbedded(options: EmbeddedOptions, listen: string | null): Promise<EmbeddedHub> {
  const { state, log, listen: wanted } = options;
  let told: EmbeddedHub["onRefused"];
  const hub = await startHub({
    listen: addressOf(wanted ?? listen),
    domain: null,
    publicUrl: null,
    store: await openHubStore(hubStorePath(state), systemClock),
    // Its socket would offer tokens that nobody can use: on loopback there is nobody to dial in.
    state: null,
    trustedProxies: [],
    limits: DEFAULT_LIMITS,
    refused: (...request) => told?.(...request),
    log,
  });
  return {
    get url() {
      return hub.url;
    },
    attach() {
      const [ours, its] = memoryPair();
      hub.attach(its, IDENTITY);
      return ours;
    },
    rebind: (listen) => wanted === null ? hub.rebind(addressOf(listen)) : Promise.resolve(),
    drain: (ms) => hub.drain(ms),
    close: () => hub.close(),
    metrics: () => hub.metrics(),
    set onRefused(listener: EmbeddedHub["onRefused"]) {
      told = listener;
    },
  };
}

function addressOf(listen: string | null) {
  return listen === null ? null : parseListen(listen);
}
