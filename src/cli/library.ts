/** What a program that imports connectd gets: a daemon, a hub, or one link, in its own process. */
import { resolve } from "node:path";
import { systemClock } from "../clock.ts";
import { parseListen, parseOrigin } from "../config/places.ts";
import { DEFAULT_LIMITS, type ServerLimits } from "../core/limits.ts";
import { parseTarget } from "../core/target.ts";
import { type Daemon, startDaemon as startWith } from "../daemon/daemon.ts";
import { stateDirectory } from "../daemon/state_dir.ts";
import type { LinkJson } from "../daemon/status.ts";
import { type Hub, startHub as startHubWith } from "../hub/hub.ts";
import { hubStorePath, openHubStore } from "../hub/place.ts";
import { createLog, type Log } from "../log.ts";
import { startEmbedded } from "./embedded.ts";
import { bareBase, openForeground } from "./foreground.ts";
import { makeState } from "./reach.ts";
import { linkName } from "./target.ts";

export type { Daemon, Hub, LinkJson, Log, ServerLimits };

/** What a daemon is started with; what is absent is as for `connectd run`. */
export interface DaemonSettings {
  /** Path of links.yaml. */
  readonly file: string;
  /** State directory; one daemon at a time has it. */
  readonly state?: string;
  /** Where the hub inside the process listens, as in `127.0.0.1:0`; goes before the file's. */
  readonly listen?: string;
  /** Where the control API listens, on loopback; goes before the file's. */
  readonly control?: string;
  /** An empty file may end running links. */
  readonly allowEmpty?: boolean;
  /** Absent: warnings and errors go to stderr. */
  readonly log?: Log;
}

/**
 * Starts a daemon. Resolves when the file is applied and the control API answers; rejects with an Error whose message
 * is for people.
 *
 * @example
 * ```ts
 * import { startDaemon } from "connectd";
 * const daemon = await startDaemon({ file: "links.yaml", state: "./state" });
 * for (const { name, url } of daemon.links()) console.log(name, url);
 * await daemon.drain();
 * ```
 */
export function startDaemon(settings: DaemonSettings): Promise<Daemon> {
  const { file, control = null, listen = null, allowEmpty = false, log = quietLog() } = settings;
  const state = resolve(settings.state ?? stateDirectory());
  return startWith({
    file: resolve(file),
    state,
    control,
    embedded: (ofFile) => startEmbedded({ state, listen, log }, ofFile),
    allowEmpty,
    log,
  });
}

/** What a hub is started with; what is absent is as for `connectd hub`. */
export interface HubSettings {
  /** State directory: the hub's socket, and its store unless that is elsewhere. */
  readonly state?: string;
  /** Path of the store. */
  readonly store?: string;
  /** Where it listens, as in `0.0.0.0:8080`. */
  readonly listen?: string;
  /** Links are `<id>.<domain>`. */
  readonly domain?: string;
  /** The origin of the hub itself, as others reach it. */
  readonly publicUrl?: string;
  /** Addresses and blocks of proxies that are believed. */
  readonly trustedProxies?: readonly string[];
  readonly limits?: Partial<ServerLimits>;
  /** Absent: warnings and errors go to stderr. */
  readonly log?: Log;
}

/**
 * Starts a hub. Resolves when it listens; rejects with an Error whose message is for people.
 *
 * @example
 * ```ts
 * import { startHub } from "connectd";
 * const hub = await startHub({ listen: "127.0.0.1:0", state: "./hub" });
 * console.log(hub.url);
 * await hub.close();
 * ```
 */
export async function startHub(settings: HubSettings = {}): Promise<Hub> {
  const { listen, domain = null, publicUrl, trustedProxies = [], limits, log = quietLog() } = settings;
  const state = resolve(settings.state ?? stateDirectory());
  await makeState(state);
  return await startHubWith({
    listen: listen === undefined ? null : parseListen(listen),
    domain,
    publicUrl: publicUrl === undefined ? null : parseOrigin(publicUrl).url,
    store: await openHubStore(settings.store ?? hubStorePath(state), systemClock),
    state,
    trustedProxies,
    limits: { ...DEFAULT_LIMITS, ...limits },
    log,
  });
}

/** What a link lets through, in the forms of links.yaml; what is absent is not limited. */
export interface LinkPolicy {
  /** Absent: made of the target. */
  readonly name?: string;
  /** `1h`, `7d`, `never`; absent: 24h. */
  readonly ttl?: string;
  /** `["GET", "POST"]`; GET implies HEAD. */
  readonly methods?: readonly string[];
  /** `["/api", "= /health"]`. */
  readonly paths?: readonly string[];
  /** `"60/m"`, or several that all apply. */
  readonly rate?: string | readonly string[];
  /** Addresses and blocks that are let in. */
  readonly allowIps?: readonly string[];
  /** Largest body of a request: `10MiB`. */
  readonly maxBody?: string;
  /** Requests at once. */
  readonly maxStreams?: number;
}

/** Where a link is made. */
export interface LinkPlace {
  /** The hub's origin. Absent: a hub inside this process, and a link that only this machine reaches. */
  readonly hub?: string;
  /** The file that holds the hub's token. */
  readonly tokenFile?: string;
  /** Absent: warnings and errors go to stderr. */
  readonly log?: Log;
}

/** A link that is up. */
export interface Link extends AsyncDisposable {
  readonly url: string;
  /** As it was when it came up. */
  readonly link: LinkJson;
  /** Settles when it has ended by itself. */
  readonly ended: Promise<void>;
  /** Revokes it, and takes everything down when what is in flight has finished. */
  close(): Promise<void>;
}

/**
 * Links `target` (`localhost:3000`, `unix:/run/app.sock`, `echo`) under `policy`, in this process. Resolves when the
 * link has its URL; rejects with an Error whose message is for people.
 *
 * @example
 * ```ts
 * import { link } from "connectd";
 * await using demo = await link("localhost:3000", { ttl: "1h", methods: ["GET"] });
 * console.log(demo.url);
 * ```
 */
export async function link(target: string, policy: LinkPolicy = {}, place: LinkPlace = {}): Promise<Link> {
  const { hub, tokenFile = null, log = quietLog() } = place;
  const meant = { word: target, target: parseTarget(target), inFile: false };
  const hubs = hub === undefined
    ? []
    : [{ url: parseOrigin(hub).url, tokenFile, caFile: null, plain: false }];
  const opened = await openForeground({
    body: { ...policy, name: policy.name ?? linkName(meant), target },
    base: { ...bareBase(null), hubs },
    log,
  });
  return { ...opened, url: opened.link.url!, [Symbol.asyncDispose]: () => opened.close() };
}

function quietLog(): Log {
  return createLog({ level: "warn" });
}
