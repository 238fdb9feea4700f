/** The daemon: state directory, links, hubs, control API, put together and taken apart. */
import type { Clock } from "../clock.ts";
import type { Problem } from "../config/problem.ts";
import type { Step } from "../core/plan.ts";
import type { Log } from "../log.ts";
import type { Wire } from "../wire/wire.ts";
import type { LinkJson } from "./status.ts";

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
}

export interface DaemonOptions {
  /** links.yaml; null: no file, one-offs only. */
  readonly file: string | null;
  /** The state directory. */
  readonly state: string;
  /** `--control`: goes before the file's. null: the file's, else the default. false: no control listener at all. */
  readonly control: string | null | false;
  /** Starts the embedded hub at the file's `listen`; null: there is none, and a file must name a hub. */
  readonly embedded: ((listen: string | null) => Promise<EmbeddedHub>) | null;
  /** An empty file may end running links. */
  readonly allowEmpty?: boolean;
  readonly log: Log;
  readonly clock?: Clock;
}

/** What a reload did, as `POST /v1/reload` prints it. */
export interface ReloadAnswer {
  readonly plan: readonly Step[];
  readonly applied: boolean;
  readonly problems: readonly Problem[];
}

/** A daemon that runs. */
export interface Daemon {
  /** URL of the first hub, the embedded one's where there is none else. */
  readonly hub: string | null;
  /** `127.0.0.1:4545`; null: no control listener. */
  readonly control: string | null;
  readonly socket: string | null;
  links(): LinkJson[];
  /** Reads the file again; never throws for a bad one. */
  reload(options?: { allowEmpty?: boolean }): Promise<ReloadAnswer>;
  /** Makes a one-off of a JSON body; throws as the control API answers. */
  create(body: unknown): Promise<LinkJson>;
  /** Settles when link `name` has ended. */
  ended(name: string): Promise<void>;
  /** Takes no more requests, lets those in flight finish for up to `drain_timeout`, then closes. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a daemon. Resolves when the file is applied and the control API answers. Throws Failure; BadFile for a file that is refused. */
export function startDaemon(_options: DaemonOptions): Promise<Daemon> {
  throw new Error("not yet");
}
