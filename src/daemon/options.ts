/** How a daemon is started, and what whoever started it can do with it. */
import type { Clock } from "../clock.ts";
import type { Family } from "../core/metrics.ts";
import type { LinkState } from "../core/link.ts";
import type { Log } from "../log.ts";
import type { ToldRefused } from "../store/access_line.ts";
import type { Wire } from "../wire/wire.ts";
import type { Base } from "./base.ts";
import type { ReloadAnswer } from "./reload.ts";
import type { HubJson, LinkJson } from "./status.ts";

/** A hub inside this process, as the daemon sees it. The command line makes it: hub and daemon never meet. */
export interface EmbeddedHub {
  /** Where its links are: `http://localhost:8080`. */
  readonly url: string;
  /** The daemon's end of a new wire; the hub has accepted the other one. */
  attach(): Wire;
  /** Listens at `listen` (null: the default) instead; throws Failure, and listens as before, where it can't. */
  rebind(listen: string | null): Promise<void>;
  drain(ms: number): Promise<void>;
  close(): Promise<void>;
  /** Its figures, without those of the process. */
  metrics(): readonly Family[];
  /** Called with each request that it refuses itself. */
  onRefused?: ToldRefused;
}

export interface DaemonOptions {
  /** links.yaml; null: no file, one-offs only. */
  readonly file: string | null;
  /** Read only where `file` is null; absent: NO_BASE, and the working directory. */
  readonly base?: Base | null;
  /** The state directory. */
  readonly state: string;
  /** `--control`: goes before the file's. null: the file's, else the default. false: no control API at all. */
  readonly control: string | null | false;
  /** Starts the embedded hub at the file's `listen`; null: there is none, and a file must name a hub. */
  readonly embedded: ((listen: string | null) => Promise<EmbeddedHub>) | null;
  /** An empty file may end running links. */
  readonly allowEmpty?: boolean;
  /** Called as the file begins to be read anew; what it returns is disposed of when that is done. */
  readonly reloading?: () => Disposable;
  readonly log: Log;
  readonly clock?: Clock;
}

/** A daemon that runs. */
export interface Daemon {
  /** URL of the first hub, the embedded one's where there is none else. */
  readonly hub: string | null;
  /** `127.0.0.1:4545`; null: no control listener. */
  readonly control: string | null;
  /** The path of the control socket; null: there is none. */
  readonly socket: string | null;
  links(): LinkJson[];
  /** How many links are in each state. */
  states(): Partial<Record<LinkState, number>>;
  /** As `GET /v1/status` shows them. */
  hubs(): HubJson[];
  /** Reads the file again; never throws for a bad one. */
  reload(options?: { allowEmpty?: boolean; by?: string }): Promise<ReloadAnswer>;
  /** Makes a one-off of a JSON body; throws ApiProblem as the control API answers, Failure where nothing can be stored. */
  create(body: unknown): Promise<LinkJson>;
  /** Ends a link for good; again changes nothing. Throws ApiProblem for a name that is none. */
  revoke(name: string): Promise<LinkJson>;
  /** Settles when link `name` has ended. */
  ended(name: string): Promise<void>;
  /** Takes no more requests, lets those in flight finish for up to `drain_timeout`, then closes. */
  drain(): Promise<void>;
  close(): Promise<void>;
}
