/** The shares of a hub: made, joined, approved, ended; durable before anybody is told. */
import { createHash } from "node:crypto";
import { ApiProblem } from "../api/problem.ts";
import type { Clock } from "../clock.ts";
import type { AuditEntry } from "../core/audit.ts";
import { parseDuration } from "../core/units.ts";
import { auditEntry } from "../store/audit.ts";
import type { Bucket, Store } from "../store/store.ts";
import type { EventType, HubEvents } from "./events.ts";
import { byChance, type Draw, randomText } from "./random.ts";
import { invalid, serviceKey, type ServiceRef, type Services } from "./services.ts";
import { admits, isLive, type Member, memberOf, shareJson, type ShareRecord } from "./share.ts";
import type { Identity } from "./tokens.ts";

/** Who makes or ends a share. */
export interface Sharer {
  /** Null: whoever sits at the hub, for whom `workspace` is null as well. */
  readonly token: string | null;
  readonly workspace: string | null;
  /** Everything in the workspace. */
  readonly admin: boolean;
  /** As the audit trail names them: `token:ci`. */
  readonly actor: string;
}

const DAY_MS = 24 * 3_600_000;
const DEFAULT_MS = DAY_MS;
const LONGEST_MS = 30 * DAY_MS;

/** What has ended so long ago is forgotten; the audit trail is not. */
const KEPT_MS = 30 * DAY_MS;

/** 75 bits, in groups that can be read out. */
const GROUPS = 3;
const GROUP = 5;

const SERVICES_MAX = 100;
const MEMBERS_MAX = 1000;
/** Live ones of a workspace. */
const SHARES_MAX = 1000;

export interface SharesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly services: Services;
  readonly events: HubEvents;
}

/** Called with what is about to be changed, when it is its turn; throws where that is not what was seen. */
type Check = (share: ShareRecord) => void;
const unchecked: Check = () => {};

/** All in memory, so that no connection waits for the store. */
export class Shares {
  readonly #records = new Map<string, ShareRecord>();
  readonly #ids = new Map<string, string>();
  readonly #listeners = new Set<(share: ShareRecord) => void>();
  /** Ids of those that end by themselves. */
  readonly #live = new Set<string>();
  /** Ids of those that have expired, which is not stored yet. */
  readonly #unstored = new Set<string>();
  readonly #bucket: Bucket;
  readonly #o: SharesOptions;
  /** One change of a share at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: SharesOptions) {
    this.#o = options;
    this.#bucket = options.store.bucket("shares");
  }

  /** Reads what the store holds. Throws Failure. */
  static async open(options: SharesOptions): Promise<Shares> {
    const shares = new Shares(options), now = options.clock.now();
    for (const { key, value } of await shares.#bucket.list()) {
      const share = JSON.parse(value) as ShareRecord;
      if ((share.endedAt ?? share.expiresAt) + KEPT_MS < now) await shares.#bucket.delete(key);
      else shares.#keep(share);
    }
    return shares;
  }

  /** Those of a workspace, or all (null), by when they were made. */
  list(workspace: string | null): ShareRecord[] {
    return [...this.#records.values()]
      .filter((share) => workspace === null || share.workspace === workspace)
      .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  }

  /** Null: `workspace` (null: all of them) has none of this id. */
  find(id: string, workspace: string | null): ShareRecord | null {
    const share = this.#records.get(id);
    return share !== undefined && (workspace === null || share.workspace === workspace) ? share : null;
  }

  /** The live share by which the token reaches `service` of its workspace, to be asked of each connection; null: none. */
  allows({ token, workspace }: Identity, service: ServiceRef): ShareRecord | null {
    if (token === null) return null;
    const now = this.#o.clock.now();
    for (const id of this.#live) {
      const share = this.#records.get(id)!;
      if (share.workspace === workspace && admits(share, token, service, now)) return share;
    }
    return null;
  }

  /** Calls `listener` with each share that has ended, in time or before, until what this returns is called: its streams must end. */
  onEnded(listener: (share: ShareRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Makes a share of a body `{services, expires?, requireApproval?}`, or finds the one that was made by the same `draw`. The
   * code is in this answer only. Throws ApiProblem, Failure.
   */
  async create(
    body: Readonly<Record<string, unknown>>,
    by: Sharer,
    draw: Draw = byChance,
  ): Promise<{ share: ShareRecord; code: string }> {
    const { clock } = this.#o, now = clock.now();
    const code = draw("share", GROUPS * GROUP).match(new RegExp(`.{${GROUP}}`, "g"))!.join("-");
    const made = this.#records.get(this.#ids.get(digest(code)) ?? "");
    if (made !== undefined) return { share: made, code };
    const { workspace, services, lifeMs, requireApproval } = this.#read(body, by);
    const live = this.list(workspace).filter((share) => isLive(share, now));
    if (live.length >= SHARES_MAX) {
      throw new ApiProblem(409, "limit", `A workspace has at most ${SHARES_MAX} shares: end one first.`);
    }
    const share: ShareRecord = {
      id: randomText(10),
      workspace,
      hash: digest(code),
      services,
      requireApproval,
      owner: by.token,
      by: by.actor.replace(/^token:/, ""),
      createdAt: now,
      expiresAt: now + lifeMs,
      endedAt: null,
      members: [],
    };
    const names = services.map(({ name }) => name);
    const data = { services: names, expiresAt: new Date(share.expiresAt).toISOString(), requireApproval };
    await this.#put(share, "share.created", by.actor, data);
    return { share, code };
  }

  /** Whoever has the code and a token becomes a member; again changes nothing. Throws ApiProblem, Failure. */
  join(code: string, identity: Identity): Promise<ShareRecord> {
    const { token, name, workspace } = identity;
    return this.#inTurn(async () => {
      const now = this.#o.clock.now();
      const share = this.#records.get(this.#ids.get(digest(code)) ?? "");
      if (share === undefined || share.workspace !== workspace || !isLive(share, now)) {
        throw new ApiProblem(
          404,
          "not_found",
          "There is no such share: it may have ended, or the code has a slip.",
        );
      }
      if (token === null) throw new ApiProblem(403, "forbidden", "To join needs a token.");
      if (memberOf(share, token) !== undefined) return share;
      if (share.members.length >= MEMBERS_MAX) {
        throw new ApiProblem(409, "limit", `A share has at most ${MEMBERS_MAX} members.`);
      }
      const approvedAt = share.requireApproval ? null : now;
      const members = [...share.members, { token, name, joinedAt: now, approvedAt }];
      return await this.#put({ ...share, members }, "share.joined", `token:${name}`, {
        approved: approvedAt !== null,
      });
    });
  }

  /** Lets in a member who waits, by the id or the name of their token; again changes nothing. Null: no such share. Throws ApiProblem, Failure. */
  approve(id: string, who: unknown, by: Sharer, check: Check = unchecked): Promise<ShareRecord | null> {
    return this.#inTurn(async () => {
      const share = this.#owned(id, by);
      if (share === null) return null;
      if (!isLive(share, this.#o.clock.now())) {
        throw new ApiProblem(409, "share_ended", "The share has ended.");
      }
      const member = findMember(share, who);
      if (member.approvedAt !== null) return share;
      check(share);
      const approved = { ...member, approvedAt: this.#o.clock.now() };
      const members = share.members.map((one) => one === member ? approved : one);
      return await this.#put({ ...share, members }, "share.approved", by.actor, { member: member.name });
    });
  }

  /** Ends a share, at once for everybody; again changes nothing. Null: no such share. Throws ApiProblem, Failure. */
  end(id: string, by: Sharer, check: Check = unchecked): Promise<ShareRecord | null> {
    return this.#inTurn(async () => {
      const share = this.#owned(id, by);
      const now = this.#o.clock.now();
      if (share === null || !isLive(share, now)) return share;
      check(share);
      const ended = await this.#put({ ...share, endedAt: now }, "share.ended", by.actor, {});
      this.#over(ended);
      return ended;
    });
  }

  /** Ends those whose time is up, and forgets those that ended long ago. */
  endExpired(): void {
    const now = this.#o.clock.now();
    for (const id of this.#live) {
      const share = this.#records.get(id)!;
      if (isLive(share, now)) continue;
      this.#expire(share);
      this.#over(share);
      this.#tell("share.ended", share);
    }
    // What the disk does not take is tried again with the next call.
    for (const id of this.#unstored) void this.#inTurn(() => this.#settle(id)).catch(() => {});
  }

  #expire(share: ShareRecord): void {
    this.#records.set(share.id, { ...share, expired: true });
    this.#unstored.add(share.id);
  }

  async #settle(id: string): Promise<void> {
    if (!this.#unstored.has(id)) return;
    await this.#bucket.put(id, JSON.stringify(this.#records.get(id)));
    this.#unstored.delete(id);
  }

  #over(share: ShareRecord): void {
    this.#live.delete(share.id);
    for (const listener of this.#listeners) listener(share);
  }

  /** Whoever made a share, and admins, say who is in it. Throws ApiProblem. */
  #owned(id: string, { token, workspace, admin }: Sharer): ShareRecord | null {
    const share = this.find(id, workspace);
    if (share === null || admin || (token !== null && share.owner === token)) return share;
    throw new ApiProblem(403, "forbidden", `Only ${share.by}, who made the share, and admins can do that.`);
  }

  async #put(
    share: ShareRecord,
    type: Extract<EventType, `share.${string}`>,
    actor: string,
    data: Readonly<Record<string, unknown>>,
  ): Promise<ShareRecord> {
    const { id: subject, workspace } = share;
    const audit: AuditEntry = auditEntry({ type, workspace, actor, subject, data }, this.#o.clock.now());
    await this.#bucket.put(share.id, JSON.stringify(share), { audit });
    this.#keep(share);
    this.#tell(type, share);
    return share;
  }

  #keep(share: ShareRecord): void {
    this.#records.set(share.id, share);
    this.#ids.set(share.hash, share.id);
    if (isLive(share, this.#o.clock.now())) this.#live.add(share.id);
    else if (share.endedAt === null && !share.expired) this.#expire(share);
  }

  #tell(type: EventType, share: ShareRecord): void {
    this.#o.events.emit(share.workspace, type, shareJson(share, this.#o.clock.now()));
  }

  #read(
    { services, expires = null, requireApproval = false, ...others }: Readonly<Record<string, unknown>>,
    by: Sharer,
  ) {
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) throw invalid(`/${unknown}`, "is not known");
    if (!Array.isArray(services) || services.length === 0 || services.length > SERVICES_MAX) {
      throw invalid("/services", `is needed: names of 1 to ${SERVICES_MAX} private services`);
    }
    if (typeof requireApproval !== "boolean") throw invalid("/requireApproval", "is neither true nor false");
    const found = services.map((name, i) => this.#service(name, by.workspace, `/services/${i}`));
    const [{ workspace }] = found;
    const strangers = found.findIndex((service) => service.workspace !== workspace);
    if (strangers >= 0) {
      throw invalid(`/services/${strangers}`, `is of another workspace than ${services[0]}`);
    }
    const unique = new Map(found.map(({ daemon, name }) => [serviceKey({ daemon, name }), { daemon, name }]));
    return { workspace, services: [...unique.values()], lifeMs: readLife(expires), requireApproval };
  }

  #service(text: unknown, workspace: string | null, pointer: string) {
    if (typeof text !== "string") throw invalid(pointer, "is no name of a service");
    // Where two daemons have it: DAEMON/NAME.
    const slash = text.indexOf("/");
    const daemon = slash < 0 ? null : text.slice(0, slash);
    const service = this.#o.services.find(workspace, text.slice(slash + 1), daemon, pointer, pointer);
    if (service.access !== "private") throw invalid(pointer, "is public: it needs no share");
    return service;
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => {});
    return done;
  }
}

function readLife(expires: unknown): number {
  if (expires === null) return DEFAULT_MS;
  let ms: number | null = null;
  try {
    ms = parseDuration(String(expires));
  } catch (error) {
    throw invalid("/expires", (error as Error).message);
  }
  if (ms === null || ms > LONGEST_MS) {
    throw invalid("/expires", "is more than 30d, the longest that a share lives");
  }
  if (ms === 0) throw invalid("/expires", "is over as it begins");
  return ms;
}

function findMember({ members }: ShareRecord, who: unknown): Member {
  const named = members.filter(({ token, name }) => token === who || name === who);
  const [found, another] = named;
  if (found === undefined) {
    throw invalid("/member", "is needed: the name or the id of a token that has joined");
  }
  if (another !== undefined) throw invalid("/member", "is the name of several: give the id of the token");
  return found;
}

/** However it was written down. */
function digest(code: string): string {
  return createHash("sha256").update(code.toLowerCase().replaceAll(/[^a-z0-9]/g, "")).digest("hex");
}
