/** The hub's credentials: made here, shown once, kept as digests. */
import type { Clock } from "../clock.ts";
import { Failure } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import type { AuditEntry } from "../core/audit.ts";
import { auditEntry } from "../store/audit.ts";
import { Conflict, type Store } from "../store/store.ts";
import { byChance, type Draw } from "./random.ts";
import { hashOf, matches, readBearer, tokenId, tokenText } from "./token_secret.ts";
import { checkWish, type TokenWish } from "./token_wish.ts";

/**
 * What a token is for: everything in its workspace, a daemon's session, its members' work, looking; `metrics` is for the
 * hub's figures and nothing else.
 */
export const SCOPES = ["admin", "daemon", "member", "viewer", "metrics"] as const;
export type Scope = typeof SCOPES[number];

export type TokenEvent = "token.created" | "token.revoked" | "token.rotated";

/** Who somebody is, once a token or the process itself said so. */
export interface Identity {
  /** The token's id; null: no token was needed. */
  readonly token: string | null;
  readonly name: string;
  readonly scope: Scope;
  readonly workspace: string;
  /** Which of the token's secrets was shown, by how often it had been rotated; absent: none was needed. */
  readonly generation?: number;
}

/** What is kept of a token. Times in ms since 1970. */
export interface TokenRecord {
  readonly id: string;
  /** Unique among the live tokens of its workspace. */
  readonly name: string;
  readonly scope: Scope;
  readonly workspace: string;
  /** SHA-256 of the whole token, hex. */
  readonly hash: string;
  /** How often it was rotated, and when last. */
  readonly generation: number;
  readonly rotatedAt: number | null;
  /** The secret before the last rotation, while it is good. */
  readonly previous: { readonly hash: string; readonly endsAt: number } | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** To `USED_MS`; null: it was never used. */
  readonly lastUsedAt: number | null;
  /** Its time was seen to be over, and no clock that is set back brings it back. */
  readonly expired?: true;
}

/** What is asked for does not go together with the tokens there are. */
export class TokenConflict extends Failure {
  constructor(readonly code: "name_taken" | "ambiguous" | "token_ended", message: string, hint: string) {
    super(message, { hint, permanent: true });
  }
}

/** Called with what is about to be changed, when it is its turn; throws where that is not what was seen. */
type Check = (record: TokenRecord) => void;
const unchecked: Check = () => {};

/** What records lack that were written before there were rotations. */
const UNROTATED = { generation: 0, rotatedAt: null, previous: null, lastUsedAt: null };

/** A use is written down so long after the one that was before. */
const USED_MS = 5 * 60_000;

/** A token that ended is listed so long. */
const KEEP_ENDED_MS = 30 * 24 * 3_600_000;

/** The tokens of a hub: all in memory, so that a request never waits for the store. */
export class Tokens {
  readonly #records = new Map<string, TokenRecord>();
  /** Called with every use of a token. */
  onUsed: ((identity: Identity) => void) | null = null;
  /** Called when a token, or a secret of it, is good no more; its sessions must end. */
  onRevoked: ((id: string) => void) | null = null;
  /** Called when a token was made, revoked or rotated, and that is durable. */
  onChanged: ((type: TokenEvent, record: TokenRecord) => void) | null = null;
  /** Revocations and rotations, one after the other: the second of two at once must not answer before the first is durable. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(private readonly store: Store, private readonly clock: Clock) {}

  /** Reads what `store` holds. Throws Failure. */
  static async open(store: Store, clock: Clock): Promise<Tokens> {
    const tokens = new Tokens(store, clock);
    for (const { value } of await store.bucket("tokens").list()) {
      const record = { ...UNROTATED, ...JSON.parse(value) } as TokenRecord;
      tokens.#records.set(record.id, record);
    }
    return tokens;
  }

  /** Whether there is a token at all that lets somebody in. */
  get any(): boolean {
    return this.#records.values().some((record) => this.#isLive(record));
  }

  /**
   * Makes a token, or finds the one that was made by the same `draw`; durable when it resolves, and readable in the answer
   * only. Throws TokenConflict, Failure.
   */
  async create(
    wish: TokenWish,
    by = "process",
    draw: Draw = byChance,
  ): Promise<{ token: Secret; record: TokenRecord }> {
    const drawn = tokenId(draw), made = this.#records.get(drawn), its = tokenText(drawn, draw);
    if (made !== undefined && matches(its, made.hash)) return { token: its, record: made };
    this.checkFree(wish);
    const id = made === undefined ? drawn : this.#freshId(), token = tokenText(id, draw);
    const name = wish.name ?? `${wish.scope}-${id}`;
    const now = this.clock.now();
    const record: TokenRecord = {
      ...UNROTATED,
      id,
      name,
      scope: wish.scope,
      workspace: wish.workspace,
      hash: hashOf(token),
      createdAt: now,
      expiresAt: wish.ttlMs === null ? null : now + wish.ttlMs,
      revokedAt: null,
    };
    // In memory first: two that are made at once must not get one name.
    this.#records.set(id, record);
    try {
      await this.store.bucket("tokens").put(id, JSON.stringify(record), {
        ifRevision: 0,
        audit: tokenEntry("token.created", record, by, now),
      });
    } catch (error) {
      this.#records.delete(id);
      throw error instanceof Conflict ? new Failure("the token's id was just taken: try again") : error;
    }
    this.onChanged?.("token.created", record);
    return { token, record };
  }

  /** Throws TokenConflict where no such token can be made now, Failure where never. */
  checkFree(wish: TokenWish): void {
    checkWish(wish);
    const { name, workspace } = wish;
    if (this.list(workspace).some((other) => other.name === name && this.#isLive(other))) {
      throw new TokenConflict(
        "name_taken",
        `the workspace ${workspace} has a token ${name} already`,
        "choose another name, or revoke that one first",
      );
    }
  }

  /** Those of `workspace`, or of all (null), by name. */
  list(workspace: string | null): TokenRecord[] {
    return [...this.#records.values()]
      .filter((record) => workspace === null || record.workspace === workspace)
      .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1);
  }

  /**
   * Revokes the token with this id or name; again changes nothing. Null: `workspace` (null: all of them) has no such
   * token. Resolves when it is durable and sessions were told. Throws TokenConflict, Failure.
   */
  revoke(
    idOrName: string,
    workspace: string | null,
    by = "process",
    check: Check = unchecked,
  ): Promise<TokenRecord | null> {
    return this.#inTurn(async () => {
      const record = this.#find(idOrName, workspace);
      if (record === null || record.revokedAt !== null) return record;
      check(record);
      const now = this.clock.now();
      const revoked = await this.#change(
        record,
        { revokedAt: now },
        tokenEntry("token.revoked", record, by, now),
      );
      this.onRevoked?.(record.id);
      this.onChanged?.("token.revoked", revoked);
      return revoked;
    });
  }

  /**
   * Gives the token another secret; the one that it has is good for `overlapMs` more, and one that was rotated out
   * before ends now. A token that expires is good as long again. Null: there is none. Throws TokenConflict, Failure.
   */
  rotate(
    idOrName: string,
    overlapMs: number,
    workspace: string | null,
    by = "process",
    check: Check = unchecked,
  ): Promise<{ token: Secret; record: TokenRecord } | null> {
    return this.#inTurn(async () => {
      const record = this.#find(idOrName, workspace);
      if (record === null) return null;
      const { id, name, hash, generation, createdAt, rotatedAt, expiresAt } = record;
      if (!this.#isLive(record)) {
        throw new TokenConflict("token_ended", `the token ${name} has ended`, "make another one");
      }
      check(record);
      const token = tokenText(id, byChance), now = this.clock.now();
      const rotated = await this.#change(record, {
        hash: hashOf(token),
        generation: generation + 1,
        rotatedAt: now,
        previous: overlapMs > 0 ? { hash, endsAt: Math.min(now + overlapMs, expiresAt ?? Infinity) } : null,
        expiresAt: expiresAt === null ? null : now + expiresAt - (rotatedAt ?? createdAt),
      }, tokenEntry("token.rotated", record, by, now));
      this.onRevoked?.(id);
      this.onChanged?.("token.rotated", rotated);
      return { token, record: rotated };
    });
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** In memory first: what is written behind meanwhile must not bring back what was. Throws Failure: it is as before. */
  async #change({ id }: TokenRecord, to: Partial<TokenRecord>, audit?: AuditEntry): Promise<TokenRecord> {
    const before = this.#records.get(id)!, after = { ...before, ...to };
    this.#records.set(id, after);
    try {
      await this.store.bucket("tokens").put(id, JSON.stringify(after), audit === undefined ? {} : { audit });
      return after;
    } catch (error) {
      const back = Object.fromEntries(
        Object.keys(to).map((key) => [key, before[key as keyof TokenRecord]]),
      );
      const restored = { ...this.#records.get(id)!, ...back };
      this.#records.set(id, restored);
      // A use that was written down meanwhile may have been stored, and the change with it.
      this.store.bucket("tokens").put(id, JSON.stringify(restored)).catch(() => {});
      throw error;
    }
  }

  #find(idOrName: string, workspace: string | null): TokenRecord | null {
    const own = this.list(workspace);
    const byId = own.find(({ id }) => id === idOrName);
    if (byId !== undefined) return byId;
    const named = own.filter(({ name }) => name === idOrName);
    const live = named.filter((record) => this.#isLive(record));
    if (live.length < 2) return live[0] ?? named[0] ?? null;
    throw new TokenConflict(
      "ambiguous",
      `${live.length} workspaces have a token ${idOrName}`,
      "name it by its id",
    );
  }

  /** Who sends `authorization`, a field's value; null: nobody that is known. */
  identify(authorization: string | undefined): Identity | null {
    const shown = readBearer(authorization);
    const record = shown === null ? undefined : this.#records.get(shown.id);
    if (shown === null || record === undefined || !this.#isLive(record)) return null;
    const current = matches(shown.token, record.hash);
    if (!current && !(record.previous !== null && matches(shown.token, record.previous.hash))) return null;
    const { id, name, scope, workspace } = record;
    const generation = current ? record.generation : record.generation - 1;
    const identity: Identity = { token: id, name, scope, workspace, generation };
    if (!this.isLive(identity)) return null;
    this.#used(record);
    this.onUsed?.(identity);
    return identity;
  }

  /** Written behind: whoever shows a token does not wait for it, and a kill may take it. */
  #used(record: TokenRecord): void {
    const now = this.clock.now();
    if (record.lastUsedAt !== null && now - record.lastUsedAt < USED_MS) return;
    const used: TokenRecord = { ...record, lastUsedAt: now };
    this.#records.set(record.id, used);
    this.store.bucket("tokens").put(record.id, JSON.stringify(used)).catch(() => {});
  }

  /** Whether a session under `identity` may go on. */
  isLive(identity: Pick<Identity, "token" | "generation">): boolean {
    if (identity.token === null) return true;
    const record = this.#records.get(identity.token);
    if (record === undefined || !this.#isLive(record)) return false;
    const { generation, previous } = record;
    if (identity.generation === generation) return true;
    return identity.generation === generation - 1 && previous !== null && previous.endsAt > this.clock.now();
  }

  /**
   * Writes down which tokens and secrets have ended: no clock that is set back brings them back. What the disk does not
   * take is tried again with the next call.
   */
  settle(): void {
    const now = this.clock.now();
    for (const record of this.#records.values()) {
      const { previous, expiresAt, expired } = record;
      const over = previous !== null && previous.endsAt <= now;
      if (over) this.#change(record, { previous: null }).catch(() => {});
      if (expired || expiresAt === null || expiresAt > now) continue;
      this.#change(record, { expired: true }).catch(() => {});
    }
  }

  /** Forgets what ended long ago; its records in the trail stay as long as those do. */
  tidy(): void {
    const due = this.clock.now() - KEEP_ENDED_MS;
    for (const record of this.#records.values()) {
      const { id, revokedAt, expiresAt } = record;
      if (this.#isLive(record) || (revokedAt ?? expiresAt ?? Infinity) > due) continue;
      // From the store first: what that does not take is tried again.
      this.store.bucket("tokens").delete(id).then(() => this.#records.delete(id), () => {});
    }
  }

  #isLive({ revokedAt, expiresAt, expired }: TokenRecord): boolean {
    return revokedAt === null && !expired && (expiresAt === null || expiresAt > this.clock.now());
  }

  #freshId(): string {
    for (;;) {
      const id = tokenId(byChance);
      if (!this.#records.has(id)) return id;
    }
  }
}

/** Goes into the trail with the token itself. */
function tokenEntry(
  type: string,
  { id, name, scope, workspace, expiresAt }: TokenRecord,
  by: string,
  now: number,
) {
  const data = { id, scope, expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString() };
  return auditEntry({ type, workspace, actor: by, subject: name, data }, now);
}
