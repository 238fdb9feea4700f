/** The hub's credentials: made here, shown once, kept as digests. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import { Failure } from "../core/errors.ts";
import { isName } from "../core/names.ts";
import { equalBytes, Secret } from "../core/secret.ts";
import { auditEntry } from "../store/audit.ts";
import { Conflict, type Store } from "../store/store.ts";
import { randomText } from "./random.ts";

/**
 * What a token is for: everything in its workspace, a daemon's session, its members' work, looking; `metrics` is for the
 * hub's figures and nothing else.
 */
export const SCOPES = ["admin", "daemon", "member", "viewer", "metrics"] as const;
export type Scope = typeof SCOPES[number];

/** Who somebody is, once a token or the process itself said so. */
export interface Identity {
  /** The token's id; null: no token was needed. */
  readonly token: string | null;
  readonly name: string;
  readonly scope: Scope;
  readonly workspace: string;
}

/** What is kept of a token. Times in ms since 1970. */
export interface TokenRecord {
  readonly id: string;
  /** Unique among the live tokens of its workspace. */
  readonly name: string;
  readonly scope: Scope;
  readonly workspace: string;
  /** SHA-256 of the whole token, hex. 160 random bits need no slow hash. */
  readonly hash: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** Its time was seen to be over, and no clock that is set back brings it back. */
  readonly expired?: true;
}

/** What a new token shall be. */
export interface TokenWish {
  readonly scope: Scope;
  readonly workspace: string;
  /** Null: one is made of scope and id. */
  readonly name: string | null;
  /** Null: it does not expire. */
  readonly ttlMs: number | null;
}

/** What is asked for does not go together with the tokens there are. */
export class TokenConflict extends Failure {
  constructor(readonly code: "name_taken" | "ambiguous", message: string, hint: string) {
    super(message, { hint, permanent: true });
  }
}

const ID_LENGTH = 8;
/** 160 bits. */
const SECRET_LENGTH = 32;
const FORM = /^connectd_([a-z2-7]{8})_[a-z2-7]{32}$/;

/** The tokens of a hub: all in memory, so that a request never waits for the store. */
export class Tokens {
  readonly #records = new Map<string, TokenRecord>();
  /** Called with every use of a token. */
  onUsed: ((identity: Identity) => void) | null = null;
  /** Called when a token was revoked; its sessions must end. */
  onRevoked: ((id: string) => void) | null = null;

  private constructor(private readonly store: Store, private readonly clock: Clock) {}

  /** Reads what `store` holds. Throws Failure. */
  static async open(store: Store, clock: Clock): Promise<Tokens> {
    const tokens = new Tokens(store, clock);
    for (const { value } of await store.bucket("tokens").list()) {
      const record = JSON.parse(value) as TokenRecord;
      tokens.#records.set(record.id, record);
    }
    return tokens;
  }

  /** Whether there is a token at all that lets somebody in. */
  get any(): boolean {
    return this.#records.values().some((record) => this.#isLive(record));
  }

  /** Makes a token; durable when it resolves, and readable in the answer only. Throws TokenConflict, Failure. */
  async create(wish: TokenWish, by = "process"): Promise<{ token: Secret; record: TokenRecord }> {
    checkWish(wish);
    const id = this.#freshId();
    const name = wish.name ?? `${wish.scope}-${id}`;
    if (this.list(wish.workspace).some((other) => other.name === name && this.#isLive(other))) {
      throw new TokenConflict(
        "name_taken",
        `the workspace ${wish.workspace} has a token ${name} already`,
        "choose another name, or revoke that one first",
      );
    }
    const token = new Secret(`connectd_${id}_${randomText(SECRET_LENGTH)}`);
    const now = this.clock.now();
    const record: TokenRecord = {
      id,
      name,
      scope: wish.scope,
      workspace: wish.workspace,
      hash: digest(token.expose()).toString("hex"),
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
    return { token, record };
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
  async revoke(idOrName: string, workspace: string | null, by = "process"): Promise<TokenRecord | null> {
    const record = this.#find(idOrName, workspace);
    if (record === null || record.revokedAt !== null) return record;
    const now = this.clock.now();
    const revoked: TokenRecord = { ...record, revokedAt: now };
    await this.store.bucket("tokens").put(record.id, JSON.stringify(revoked), {
      audit: tokenEntry("token.revoked", record, by, now),
    });
    this.#records.set(record.id, revoked);
    this.onRevoked?.(record.id);
    return revoked;
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

  /** Who sends `authorization`, a field's value; null: nobody that is known (RFC 6750 §2.1). */
  identify(authorization: string | undefined): Identity | null {
    const token = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    const id = FORM.exec(token ?? "")?.[1];
    const record = id === undefined ? undefined : this.#records.get(id);
    if (token === undefined || record === undefined || !this.#isLive(record)) return null;
    if (!equalBytes(digest(token), new Uint8Array(Buffer.from(record.hash, "hex")))) return null;
    const { name, scope, workspace } = record;
    const identity: Identity = { token: record.id, name, scope, workspace };
    this.onUsed?.(identity);
    return identity;
  }

  /** Whether a session under `identity` may go on. */
  isLive(identity: Identity): boolean {
    if (identity.token === null) return true;
    const record = this.#records.get(identity.token);
    return record !== undefined && this.#isLive(record);
  }

  /** Writes down which tokens have expired. What the disk does not take is tried again with the next call. */
  settle(): void {
    const now = this.clock.now();
    for (const [id, record] of this.#records) {
      if (record.expired || record.expiresAt === null || record.expiresAt > now) continue;
      const expired: TokenRecord = { ...record, expired: true };
      this.#records.set(id, expired);
      this.store.bucket("tokens").put(id, JSON.stringify(expired)).catch(() => {
        // It was not revoked meanwhile: that replaces the record.
        if (this.#records.get(id) === expired) this.#records.set(id, record);
      });
    }
  }

  #isLive({ revokedAt, expiresAt, expired }: TokenRecord): boolean {
    return revokedAt === null && !expired && (expiresAt === null || expiresAt > this.clock.now());
  }

  #freshId(): string {
    for (;;) {
      const id = randomText(ID_LENGTH);
      if (!this.#records.has(id)) return id;
    }
  }
}

function checkWish({ workspace, name }: TokenWish): void {
  for (const [what, text] of [["workspace", workspace], ["token", name]] as const) {
    if (text !== null && !isName(text)) {
      throw new Failure(`${JSON.stringify(text)} can not name a ${what}`, {
        hint: `write a-z, 0-9 and "-", a letter or a digit first, 63 characters at most`,
        permanent: true,
      });
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

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
