/** What a daemon stands on, whatever its file says: state, records, links and the talk with hubs, opened and closed as one. */
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { openSqlite } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { Arrivals } from "./arrivals.ts";
import { DaemonAudit } from "./audit.ts";
import type { Events } from "./events.ts";
import type { Observer } from "./follow.ts";
import { Exposed } from "./exposed.ts";
import { HubLine, type HubLineOptions } from "./hub_line.ts";
import { Life } from "./life.ts";
import type { ManagedLink } from "./managed.ts";
import { SharedParts } from "./parts.ts";
import { ONE_OFFS, Records } from "./records.ts";
import { Registry } from "./registry.ts";
import { openStateDir, type StateDir, usualTokenFile } from "./state_dir.ts";
import type { LinkJson } from "./status.ts";
import type { RequestLog } from "./witnesses/access_log.ts";

/** What the daemon gives. */
export interface WorksMeans extends Pick<HubLineOptions, "services" | "mayRevoke" | "mayManage" | "asked"> {
  /** The state directory. */
  readonly state: string;
  /** Absolute path of links.yaml; null: there is none. */
  readonly file: string | null;
  readonly clock: Clock;
  readonly log: Log;
  /** The id of this process. */
  readonly instance: string;
  readonly events: Events;
  readonly observer: Observer;
  /** Opened and closed here, as everything that writes to the state directory. */
  readonly access: RequestLog;
  /** A link as events show it. */
  json(link: ManagedLink): LinkJson;
}

export class Works {
  private constructor(
    readonly dir: StateDir,
    private readonly store: Store,
    readonly records: Records,
    readonly audit: DaemonAudit,
    readonly parts: SharedParts,
    readonly line: HubLine,
    readonly life: Life,
    private readonly access: RequestLog,
    readonly exposed: Exposed,
  ) {}

  /** Throws Failure, and has given back what it took: another daemon has the state directory, or it can't be used. */
  static async open(means: WorksMeans): Promise<Works> {
    const dir = await openStateDir(means.state);
    let store: Store | null = null;
    try {
      store = await openSqlite(dir.database, means.clock);
      return await Works.#over(dir, store, means);
    } catch (error) {
      await store?.close();
      dir.close();
      throw error;
    }
  }

  static async #over(dir: StateDir, store: Store, means: WorksMeans): Promise<Works> {
    const { file, clock, log, events, access } = means;
    const records = await Records.open(store);
    const scope = file === null ? ONE_OFFS : await records.scopeOf(file);
    const { daemon } = records;
    const registry = new Registry();
    const audit = new DaemonAudit({
      store,
      folder: dir.path,
      clock,
      log,
      events,
      links: () => life.all.values(),
    });
    const parts = new SharedParts(clock, daemon);
    const exposed = await Exposed.open({
      store,
      audit: (type, service, by) => audit.exposed(type, service, by),
      file: means.services,
      changed: () => line.servicesChanged(),
      open: (service) => line.reached.count(service),
    });
    const line = new HubLine({
      ...means,
      services: () => exposed.all(),
      daemon,
      registry,
      tokenFile: usualTokenFile(dir.path),
      arrivals: new Arrivals(clock),
      audit,
      life: () => life,
    });
    const life = new Life({
      parts,
      clock,
      log,
      records,
      registry,
      scope,
      declare: (set, remove) => line.talk.declare(set, remove),
      happened: (type, link, changes) => {
        audit.link(type, link, changes);
        events.emit(type, means.json(link));
      },
    });
    access.open(dir.path);
    return new Works(dir, store, records, audit, parts, line, life, access, exposed);
  }

  /** Resolves when what is to be kept is on the disk. */
  async close(): Promise<void> {
    this.life.close();
    this.parts.close();
    this.audit.close();
    await this.access.close();
    await this.records.written();
    await this.store.close();
    this.dir.close();
  }
}
