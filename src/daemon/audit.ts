/** What a daemon writes into its trail, and who did it. */
import type { Clock } from "../clock.ts";
import type { Config } from "../config/links.ts";
import type { Problem } from "../config/problem.ts";
import type { AuditEntry } from "../core/audit.ts";
import type { Change, Service } from "../core/entry.ts";
import { expiresAt } from "../core/link.ts";
import { policyJson } from "../core/policy.ts";
import { printTarget } from "../core/target.ts";
import { VERSION } from "../core/version.ts";
import type { SettingChange } from "../core/settings.ts";
import type { Log } from "../log.ts";
import { Audit, Growth, KEEP_MS } from "../store/audit.ts";
import { AuditDesk } from "../store/audit_desk.ts";
import type { Store } from "../store/store.ts";
import type { Events, EventType } from "./events.ts";
import type { ManagedLink } from "./managed.ts";
import { ONE_OFFS } from "./records.ts";
import type { Proposal } from "./reload.ts";
import type { HubJson } from "./status.ts";

export interface DaemonAuditOptions {
  readonly store: Store;
  /** The state directory. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: Events;
  links(): Iterable<ManagedLink>;
}

/** A member at a private service, as the hub says. */
export interface Visit {
  readonly hub: string;
  /** The name of their token. */
  readonly token: string;
  readonly service: string;
  readonly address: string;
}

/** Problems of a file that a record names; `status` has them all. */
const PROBLEMS = 5;

/** So many settings are told of a reload: services are as many as one likes. */
const SETTINGS = 50;

function settingTexts(settings: readonly SettingChange[]): Record<string, string> {
  return Object.fromEntries(settings.slice(0, SETTINGS).map(({ key, from, to }) => [key, `${from} → ${to}`]));
}

export class DaemonAudit {
  readonly desk: AuditDesk;
  readonly #audit: Audit;
  readonly #denied = new Growth();
  /** Who has what happens in this turn done. */
  #by: string | null = null;
  /** Before, links are opened that were there before. */
  #started = false;

  constructor({ store, folder, clock, log, events, links }: DaemonAuditOptions) {
    this.desk = new AuditDesk(store.trail, folder, clock);
    const gather = () => {
      for (const link of links()) this.#countDenied(link);
    };
    this.#audit = new Audit({ trail: store.trail, clock, log, keepMs: KEEP_MS, gather });
    events.listen(({ type, data }) => {
      if (type === "session.up") this.#session("session.opened", data as HubJson);
      if (type === "session.down") this.#session("session.ended", data as HubJson);
    });
  }

  /** What `act` does before it waits for something is `actor`'s doing. */
  by<T>(actor: string, act: () => T): T {
    const before = this.#by;
    this.#by = actor;
    try {
      return act();
    } finally {
      this.#by = before;
    }
  }

  /** It serves. */
  started(file: string | null, links: number): void {
    this.#started = true;
    this.#audit.record({ type: "daemon.started", actor: "process", subject: VERSION, data: { file, links } });
  }

  /** `changes`: of a retune. */
  link(type: EventType, link: ManagedLink, changes: readonly Change[] = []): void {
    const { name: subject, record, served: { entry }, scope } = link;
    // After a restart a link is opened again, and nobody made it.
    if (type === "link.opened" && !this.#started && record.activatedAt !== null) return;
    if (type === "link.closed") this.#countDenied(link);
    const own = scope === ONE_OFFS || type === "link.revoked";
    const usual = type === "link.expired" ? "clock" : own ? "process" : "file";
    const { source, policy } = entry;
    const expires = expiresAt(record);
    this.#audit.record({
      type,
      actor: this.#by ?? usual,
      subject,
      data: {
        ...(type === "link.opened"
          ? { target: printTarget(entry.target), source, policy: policyJson(policy) }
          : {}),
        ...(changes.length > 0 ? { changes } : {}),
        ids: Object.values(record.ids),
        expiresAt: expires === null ? null : new Date(expires).toISOString(),
      },
    });
  }

  /** What `by` asked for is about to be applied; `before` ran until now. */
  applied(before: Config | null, { config, steps, settings }: Proposal, by: string): void {
    if (!this.#started || config === null) return;
    if (steps.length === 0 && config.hash === before?.hash) return;
    const count = (kind: string) => steps.filter(({ step }) => step === kind).length;
    this.#audit.record({
      type: "reload.applied",
      actor: by,
      subject: config.file,
      data: {
        ...{ hash: config.hash, opened: count("open"), closed: count("close"), retuned: count("retune") },
        ...(settings.length === 0 ? {} : { settings: settingTexts(settings) }),
      },
    });
  }

  /** What `by` asked for can't be had. */
  refused(file: string | null, problems: readonly Problem[], by: string): void {
    const errors = problems.filter(({ severity }) => severity === "error");
    this.#audit.record({
      type: "reload.refused",
      actor: by,
      subject: file ?? "",
      data: {
        errors: errors.length,
        problems: errors.slice(0, PROBLEMS).map(({ code, line, message }) => ({ code, line, message })),
      },
    });
  }

  /** A hub does not want this daemon. */
  hubRefused(url: string, why: string): void {
    this.#audit.paced({ type: "session.refused", actor: `hub:${url}`, subject: url, data: { reason: why } });
  }

  /** For the put that makes it so: somebody exposed a service, or closed it. */
  exposed(
    type: "service.exposed" | "service.closed",
    { name, target, allow }: Service,
    by: string,
  ): AuditEntry {
    const data = { target: printTarget(target), allow };
    return this.#audit.entry({ type, actor: by, subject: name, data });
  }

  /** A member began to use a private service, or has done with it. */
  service(
    type: "service.reached" | "service.left",
    { hub, token, service, address }: Visit,
    facts: Readonly<Record<string, unknown>>,
  ): void {
    this.#audit.paced({
      type,
      actor: `hub:${hub} token:${token}`,
      subject: service,
      data: { address, ...facts },
    });
  }

  /** A member wanted a private service and is not let in. */
  refusedService({ hub, token, service }: Visit, code: string): void {
    this.#audit.count(
      { type: "service.refused", actor: `hub:${hub} token:${token}`, subject: service },
      code,
      1,
    );
  }

  /** Somebody signed in at the local page. */
  login(): void {
    this.#audit.record({ type: "login", actor: "page", subject: "local page" });
  }

  /** Before its store is closed. */
  close(): void {
    if (this.#started) this.#audit.record({ type: "daemon.stopped", actor: "process", subject: VERSION });
    this.#audit.close();
  }

  #session(type: string, { url, lastError }: HubJson): void {
    this.#audit.paced({
      type,
      actor: "daemon",
      subject: url,
      data: type === "session.ended" ? { reason: lastError } : {},
    });
  }

  #countDenied({ name, served }: ManagedLink): void {
    for (const [code, n] of this.#denied.of(served.counters.denied)) {
      this.#audit.count({ type: "link.denied", actor: "visitors", subject: name }, code, n);
    }
  }
}
