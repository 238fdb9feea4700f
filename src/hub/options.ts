/** What a hub is started with, and what whoever started it has of it. */
import type { Clock } from "../clock.ts";
import type { Family } from "../core/metrics.ts";
import type { SettingChange } from "../core/settings.ts";
import type { Log } from "../log.ts";
import type { ToldRefused } from "../store/access_line.ts";
import type { Store } from "../store/store.ts";
import type { Wire } from "../wire/wire.ts";
import type { Certificate } from "./certificate.ts";
import type { HubFile } from "./file.ts";
import type { ListenAddress } from "../config/places.ts";
import type { Prover } from "./prover.ts";
import type { HubSettings } from "./settings.ts";
import type { Identity, Tokens } from "./tokens.ts";

export interface HubOptions extends HubSettings {
  /** Of `openHubStore`; closed with the hub. */
  readonly store: Store;
  /** Where the hub's own socket is made; null: it has none, as within a daemon. */
  readonly state: string | null;
  /** hub.yaml, followed from the start on; absent or null: there is none. */
  readonly file?: HubFile | null;
  /** What is in the files of `tls`, closed with the hub; absent or null: there are none. */
  readonly certificate?: Pick<Certificate, "identity" | "use" | "close"> | null;
  /** Called with each request that the hub refuses for a link itself. */
  readonly refused?: ToldRefused;
  /** Who says whose a domain is; absent: its name servers and its web server. */
  readonly prover?: Prover;
  readonly log: Log;
  readonly clock?: Clock;
}

/** A hub that runs. */
export interface Hub {
  /** The origin of its API and tunnel: `http://localhost:8080`. */
  readonly url: string;
  readonly domain: string;
  /** Where it is bound. */
  readonly address: ListenAddress;
  /** Its own socket, null without a state directory. */
  readonly socket: string | null;
  readonly tokens: Tokens;
  /** Runs a session over `wire` as if `identity` had dialled in. */
  attach(wire: Wire, identity: Identity): void;
  /** Listens at `listen` instead; links keep their ids. Throws Failure, and listens as before, where it can't. */
  rebind(listen: ListenAddress | null): Promise<void>;
  /**
   * Is as `settings` say from now on, and returns what that changes; nobody is cut by it. Throws Unchangeable, and has
   * changed nothing.
   */
  change(settings: HubSettings): Promise<readonly SettingChange[]>;
  /** Takes no more requests, tells daemons to dial elsewhere, and waits up to `ms` for what is in flight. */
  drain(ms: number): Promise<void>;
  close(): Promise<void>;
  /** Its figures, without those of the process. */
  metrics(): Family[];
}
