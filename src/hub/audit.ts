/** What a hub writes into its trail. Each record is a workspace's, or the hub's own. */
import type { Clock } from "../clock.ts";
import type { AuditEntry } from "../core/audit.ts";
import { policyJson } from "../core/policy.ts";
import { VERSION } from "../core/version.ts";
import type { SettingChange } from "../core/settings.ts";
import type { Log } from "../log.ts";
import { Audit, Growth } from "../store/audit.ts";
import { AuditDesk } from "../store/audit_desk.ts";
import type { Store } from "../store/store.ts";
import type { LoginAsk } from "./devices.ts";
import type { HubLink, NameRecord } from "./link.ts";
import type { Peers } from "./peers.ts";
import type { Identity } from "./tokens.ts";

export interface HubAuditOptions {
  readonly store: Store;
  /** The state directory; null: there is none. */
  readonly folder: string | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly peers: Peers;
  readonly keepMs: number;
}

/** Tokens whose first use is looked up when the hub starts. */
const TOKENS = 10_000;

export class HubAudit {
  readonly desk: AuditDesk;
  readonly #audit: Audit;
  readonly #denied = new Growth();
  /** Ids of tokens that were used. */
  readonly #used = new Set<string>();

  private constructor({ store, folder, clock, log, peers, keepMs }: HubAuditOptions) {
    this.desk = new AuditDesk(store.trail, folder, clock);
    const gather = () => {
      for (const { denied } of peers.all()) {
        for (const link of denied) this.#countDenied(link);
        denied.clear();
      }
    };
    this.#audit = new Audit({ trail: store.trail, clock, log, keepMs, gather });
  }

  /** Throws nothing: a trail that can't be read says so when it is asked. */
  static async open(options: HubAuditOptions): Promise<HubAudit> {
    const audit = new HubAudit(options);
    const query = { limit: TOKENS, before: null, type: "token.used", link: null, workspace: null };
    for (const { data } of await audit.desk.list(query).catch(() => [])) {
      audit.#used.add(/"id":"([a-z2-7]+)"/.exec(String(data))?.[1] ?? "");
    }
    return audit;
  }

  /** Records are kept so long from now on. */
  keep(ms: number): void {
    this.#audit.keep(ms);
  }

  started(url: string): void {
    this.#audit.record({ type: "hub.started", actor: "process", subject: VERSION, data: { url } });
  }

  /** hub.yaml says something else. */
  reloaded(changes: readonly SettingChange[]): void {
    const data = Object.fromEntries(changes.map(({ key, from, to }) => [key, `${from} → ${to}`]));
    this.#audit.record({ type: "hub.reloaded", actor: "file", subject: "hub.yaml", data });
  }

  /** Before its store is closed. */
  close(): void {
    this.#audit.record({ type: "hub.stopped", actor: "process", subject: VERSION });
    this.#audit.close();
  }

  /** The record of `link` is another than `before`: its daemon said something new. */
  changed(before: NameRecord, link: HubLink): void {
    const type = eventOf(before, link.record), { declared, domain = null } = link.record;
    if (type !== null) this.#audit.paced(told(type, link));
    else if (declared && (before.domain ?? null) !== domain) this.#audit.paced(told("link.retuned", link));
  }

  /** Its daemon declared another policy. */
  retuned(link: HubLink): void {
    this.#audit.paced(told("link.retuned", link));
  }

  /** `by` asked for it at this hub, and the daemon did it. */
  asked(
    type: "link.created" | "link.edited" | "link.renewed",
    link: HubLink,
    by: string,
    facts: Readonly<Record<string, unknown>>,
  ): void {
    const { name, daemon } = link.record;
    this.#audit.paced({
      ...{ type, workspace: link.record.workspace, actor: by, subject: link.id },
      data: { name, daemon, ...facts },
    });
  }

  /** For the put that makes a revocation durable. */
  revocation(link: HubLink, by: string): AuditEntry {
    return this.#audit.entry({ ...told("link.revoked", link), actor: by });
  }

  /** A domain came to be `workspace`'s, is not proven any more, or is given up: for the commit in which that is stored. */
  domain(
    type: "domain.proven" | "domain.lost" | "domain.released",
    workspace: string,
    domain: string,
    facts: Readonly<Record<string, unknown>> = {},
  ): AuditEntry {
    return this.#audit.entry({ type, workspace, actor: "clock", subject: domain, data: facts });
  }

  /** `facts`: of the connection. */
  session(
    type: "session.opened" | "session.ended",
    { workspace, name }: Identity,
    daemon: string,
    facts: Readonly<Record<string, unknown>>,
  ): void {
    this.#audit.paced({ type, workspace, actor: `token:${name}`, subject: daemon, data: facts });
  }

  /** Somebody at `address` wanted a session and got none. */
  refusedSession(code: string, address: string): void {
    this.#audit.count({ type: "session.refused", actor: "", subject: address }, code, 1);
  }

  /** A member began to use a private service, or has done with it. */
  service(
    type: "service.reached" | "service.left",
    { workspace, name }: Identity,
    subject: string,
    facts: Readonly<Record<string, unknown>>,
  ): void {
    this.#audit.paced({ type, workspace, actor: `token:${name}`, subject, data: facts });
  }

  /** A member wanted a private service and did not get it. */
  refusedService({ workspace, name }: Identity, subject: string, code: string): void {
    this.#audit.count({ type: "service.refused", workspace, actor: `token:${name}`, subject }, code, 1);
  }

  /** Somebody at `address` showed a token or a code that is none. */
  refusedCall(code: string, address: string): void {
    this.#audit.count({ type: "call.refused", actor: "", subject: address }, code, 1);
  }

  /** `by` said whether somebody who asked from elsewhere gets a token. */
  login(
    type: "login.approved" | "login.denied",
    workspace: string | null,
    by: string,
    { scope, address, software }: LoginAsk,
  ): void {
    const data = { scope, software };
    this.#audit.record({ type, workspace: workspace ?? "", actor: by, subject: address, data });
  }

  /** Somebody at `address` signed in to the dashboard. */
  signedIn({ token, name, workspace }: Identity, address: string): void {
    const data = { id: token, address };
    this.#audit.paced({ type: "login", workspace, actor: `token:${name}`, subject: "dashboard", data });
  }

  /** Somebody showed a token; only the first time is worth a record. */
  used({ token, name, scope, workspace }: Identity): void {
    if (token === null || this.#used.has(token)) return;
    this.#used.add(token);
    const data = { id: token, scope };
    this.#audit.record({ type: "token.used", workspace, actor: `token:${name}`, subject: name, data });
  }

  #countDenied({ id, record: { workspace, name }, counters }: HubLink): void {
    for (const [code, n] of this.#denied.of(counters.denied)) {
      const what = { type: "link.denied", workspace, actor: "visitors", subject: id, data: { name } };
      this.#audit.count(what, code, n);
    }
  }
}

function told(type: string, { id, record, peer, policy }: HubLink) {
  const { workspace, name, daemon, ended, expiresAt, domain = null } = record;
  return {
    type,
    workspace,
    actor: `token:${peer.token}`,
    subject: id,
    data: {
      name,
      daemon,
      ended,
      expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
      ...(domain === null ? {} : { domain }),
      ...(policy !== null && /opened|retuned/.test(type) ? { policy: policyJson(policy.spec) } : {}),
    },
  };
}

/** What happened to a link between two of its records; null: nothing that anybody would ask for. */
export function eventOf(
  before: NameRecord,
  after: NameRecord,
): "link.opened" | "link.revoked" | "link.expired" | "link.renewed" | "link.retuned" | "link.closed" | null {
  if (!before.declared && after.declared && after.ended === null) return "link.opened";
  if (before.ended !== after.ended) {
    if (after.ended === "link_revoked") return "link.revoked";
    if (after.ended === "link_expired") return "link.expired";
    if (after.ended === null) return "link.renewed";
  }
  if (!after.declared) return before.declared ? "link.closed" : null;
  // Its daemon tells when it began with the next message, and that is no news to a trail.
  if (after.ended !== null || before.activatedAt === null || after.activatedAt === null) return null;
  if (after.activatedAt > before.activatedAt) return "link.renewed";
  return after.expiresAt === before.expiresAt ? null : "link.retuned";
}
