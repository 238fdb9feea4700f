/** Judges the credentials that visitors of one link send (RFC 7617 Basic, RFC 6750 Bearer). */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Entry } from "../core/entry.ts";
import type { AuthFile, AuthFiles } from "./auth_file.ts";
import type { Bcrypt } from "./bcrypt.ts";

/** `busy`: too many passwords wait already. */
export type Judgement = "right" | "wrong" | "busy";

/** Who waits for a judgement. */
export interface Judged {
  judged(judgement: Judgement): void;
}

/** How long a password that was verified need not be verified again. */
const VERIFIED_MS = 5 * 60_000;
const VERIFIED_MAX = 1_000;

/** For users that do not exist: checking it takes the time that a real one would. Nobody knows its password. */
const NOBODY = "$2b$10$" + ".".repeat(53);

/** Keyed anew in every process, so that a digest in memory tells nothing about a credential. */
const KEY = randomBytes(32);

/** What all links share. */
export interface AuthMeans {
  readonly files: AuthFiles;
  readonly bcrypt: Bcrypt;
  readonly clock: Clock;
}

/** The verifier of one link. With both kinds of file either one admits. */
export class Auth {
  readonly #basic: AuthFile | null;
  readonly #bearer: AuthFile | null;
  readonly #means: AuthMeans;
  readonly #changed: () => void;
  #tokens: Uint8Array[] = [];
  /** Digest of what stood after `Basic ` → when that must be verified again, ms of the forward clock. */
  #verified = new Map<string, number>();
  /** Passwords under verification: the same one sent by many is verified once. */
  readonly #pending = new Map<string, Judged[]>();

  private constructor(
    basic: AuthFile | null,
    bearer: AuthFile | null,
    means: AuthMeans,
    changed: () => void,
  ) {
    this.#basic = basic;
    this.#bearer = bearer;
    this.#means = means;
    this.#changed = changed;
    basic?.lean(this.#reread);
    bearer?.lean(this.#reread);
    this.#take();
  }

  /** The verifier for `entry`, null where it has no `auth`. `changed` is called when a file was read anew and all are known. */
  static open(entry: Entry, means: AuthMeans, changed: () => void): Auth | null {
    const { basicFile, bearerFile } = entry.auth;
    if (basicFile === null && bearerFile === null) return null;
    const basic = basicFile === null ? null : means.files.open("basic", basicFile);
    const bearer = bearerFile === null ? null : means.files.open("bearer", bearerFile);
    return new Auth(basic, bearer, means, changed);
  }

  /** What is wrong with a file, as one sentence; while it is not null nobody is admitted. */
  get problem(): string | null {
    return this.#basic?.problem ?? this.#bearer?.problem ?? null;
  }

  /** Settles when the files were read for the first time. */
  get ready(): Promise<unknown> {
    return Promise.all([this.#basic?.ready, this.#bearer?.ready]);
  }

  /** True where `authorization` is an attempt at this link's own auth; another scheme is the target's business. */
  concerns(authorization: string): boolean {
    const scheme = schemeOf(authorization);
    return (scheme === "basic" && this.#basic !== null) || (scheme === "bearer" && this.#bearer !== null);
  }

  /** Judges the value of an Authorization field that `concerns` this link. Null: `waiter` hears it later. */
  judge(authorization: string, waiter: Judged): Judgement | null {
    if (this.problem !== null) return "wrong";
    const credential = authorization.slice(authorization.indexOf(" ") + 1).trim();
    if (schemeOf(authorization) === "bearer") return this.#isToken(credential) ? "right" : "wrong";
    const key = digest(credential).toString("latin1");
    const until = this.#verified.get(key);
    if (until !== undefined && until > this.#means.clock.mono()) return "right";
    const waiting = this.#pending.get(key);
    if (waiting !== undefined) {
      waiting.push(waiter);
      return null;
    }
    const pair = decodeBasic(credential);
    if (pair === null) return "wrong";
    const users = this.#basic!.users;
    const hash = users.get(pair.user);
    const taken = this.#means.bcrypt.verify({
      owner: this,
      password: pair.password,
      hash: hash ?? alike(users),
      done: (right) => this.#settle(key, right === null ? null : right && this.#stands(pair.user, hash)),
    });
    if (!taken) return "busy";
    this.#pending.set(key, [waiter]);
    return null;
  }

  close(): void {
    this.#basic?.leave(this.#reread);
    this.#bearer?.leave(this.#reread);
  }

  /** A user that was removed or changed while the password waited for its turn is not let in by the old line. */
  #stands(user: string, hash: string | undefined): boolean {
    return hash !== undefined && this.#basic!.users.get(user) === hash;
  }

  #settle(key: string, right: boolean | null): void {
    const waiting = this.#pending.get(key) ?? [];
    this.#pending.delete(key);
    if (right) {
      if (this.#verified.size >= VERIFIED_MAX) this.#verified.delete(this.#verified.keys().next().value!);
      this.#verified.delete(key);
      this.#verified.set(key, this.#means.clock.mono() + VERIFIED_MS);
    }
    for (const waiter of waiting) waiter.judged(right === null ? "busy" : right ? "right" : "wrong");
  }

  /** Every token is compared, and by digest: neither its place nor a common beginning shows in the time. */
  #isToken(token: string): boolean {
    const sent = digest(token);
    let found = false;
    for (const known of this.#tokens) found = timingSafeEqual(known, sent) || found;
    return found;
  }

  #take(): void {
    this.#verified = new Map();
    this.#tokens = this.#bearer === null ? [] : this.#bearer.tokens.map(digest);
  }

  readonly #reread = (): void => {
    this.#take();
    // Whoever hears of it asks for `problem`, and a file that is not read yet has none to tell.
    if ((this.#basic?.known ?? true) && (this.#bearer?.known ?? true)) this.#changed();
  };
}

function schemeOf(authorization: string): string {
  const space = authorization.indexOf(" ");
  return space < 0 ? authorization.toLowerCase() : authorization.slice(0, space).toLowerCase();
}

function digest(text: string) {
  return createHash("sha256").update(KEY).update(text, "latin1").digest();
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `user:password` in UTF-8 under base64 (RFC 7617 §2.1), or null. */
function decodeBasic(credential: string): { user: string; password: string } | null {
  try {
    const text = decoder.decode(Uint8Array.from(atob(credential), (c) => c.charCodeAt(0)));
    const colon = text.indexOf(":");
    return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
  } catch {
    return null;
  }
}

/** A hash that nobody's password fits, of the cost that the file's users have. */
function alike(users: ReadonlyMap<string, string>): string {
  for (const hash of users.values()) return hash.slice(0, 7) + NOBODY.slice(7);
  return NOBODY;
}
