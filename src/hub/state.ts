/** What the API reads and changes: the hub without its sockets. */
import type { Clock } from "../clock.ts";
import type { Family } from "../core/metrics.ts";
import type { AccessLog } from "../store/access_log.ts";
import type { Store } from "../store/store.ts";
import type { HubAudit } from "./audit.ts";
import type { Browsers } from "./browsers.ts";
import type { Devices } from "./devices.ts";
import type { Failures } from "./failures.ts";
import type { HubFile } from "./file.ts";
import type { Desk } from "./desk.ts";
import type { HubEvents } from "./events.ts";
import type { Domains } from "./domains.ts";
import type { Hosts } from "./hosts.ts";
import type { Names } from "./names.ts";
import type { Quotas } from "./quotas.ts";
import type { Sessions } from "./sessions.ts";
import type { Tokens } from "./tokens.ts";
import type { Traffic } from "./traffic.ts";

export interface HubState {
  /** The hub's id. */
  readonly id: string;
  readonly clock: Clock;
  readonly audit: HubAudit;
  readonly names: Names;
  readonly sessions: Sessions;
  readonly domains: Domains;
  readonly events: HubEvents;
  readonly desk: Desk;
  /** Null: within a daemon, which has its own. */
  readonly accessLog: AccessLog | null;
  readonly tokens: Tokens;
  readonly browsers: Browsers;
  readonly devices: Devices;
  readonly traffic: Traffic;
  readonly quotas: Quotas;
  readonly failures: Failures;
  /** ms since 1970. */
  readonly startedAt: number;
  readonly url: string;
  readonly domain: string;
  /** Its state directory; null: within a daemon. */
  readonly folder: string | null;
  /** hub.yaml; null: there is none. */
  readonly file: HubFile | null;
  readonly store: Store;
  /** They change when the hub listens elsewhere. */
  hosts(): Hosts;
  draining(): boolean;
  /** True for an address of this machine, and for a proxy's that is believed. */
  isNear(address: string): boolean;
  metrics(): Family[];
}
