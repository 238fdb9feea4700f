/** Who is signed in at the local page: one-time keys and the sessions that they open, in memory only. */
import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../clock.ts";

/** A key is carried from a terminal to a browser; whoever needs longer asks for another. */
export const KEY_MS = 60_000;

/** A working day: after it a browser that was left open is nobody's way in. */
export const SESSION_MS = 12 * 3600_000;

/** More than a person has browsers; beyond it the oldest goes. */
const MOST = 32;

/** Secrets of 256 bits, kept as digests with the time at which each was made: a dump of memory signs nobody in. */
class Secrets {
  readonly #made = new Map<string, number>();

  constructor(private readonly clock: Clock, private readonly lifeMs: number) {}

  make(): string {
    const secret = randomBytes(32).toString("base64url");
    this.#made.set(digest(secret), this.clock.now());
    for (const oldest of this.#made.keys()) {
      if (this.#made.size <= MOST) break;
      this.#made.delete(oldest);
    }
    return secret;
  }

  /** Looked up by its digest: the time that this takes says nothing about the secret. */
  knows(secret: string): boolean {
    const key = digest(secret);
    const made = this.#made.get(key);
    if (made === undefined) return false;
    const age = this.clock.now() - made;
    // A clock that was turned back lengthens nothing.
    if (age >= 0 && age < this.lifeMs) return true;
    this.#made.delete(key);
    return false;
  }

  /** Forgets it. False: it was not known. */
  take(secret: string): boolean {
    const known = this.knows(secret);
    this.#made.delete(digest(secret));
    return known;
  }
}

export class Sessions {
  readonly #keys: Secrets;
  readonly #sessions: Secrets;

  constructor(clock: Clock) {
    this.#keys = new Secrets(clock, KEY_MS);
    this.#sessions = new Secrets(clock, SESSION_MS);
  }

  /** A key that opens one session within a minute. */
  invite(): string {
    return this.#keys.make();
  }

  /** The secret of a new session for `key`; null: it is none, was used, or came too late. */
  open(key: string): string | null {
    return this.#keys.take(key) ? this.#sessions.make() : null;
  }

  admits(secret: string): boolean {
    return this.#sessions.knows(secret);
  }

  close(secret: string): void {
    this.#sessions.take(secret);
  }
}

/**
 * The cookie of a session at `port`. `__Host-` binds it to this very name; the port in it keeps two daemons of one
 * machine apart, whose cookies a browser would take for one.
 */
export function cookieName(port: number): string {
  return `__Host-connectd-${port}`;
}

/** The session's secret in a Cookie field; null: there is none. */
export function readCookie(field: string | undefined, port: number): string | null {
  const lead = `${cookieName(port)}=`;
  for (const part of (field ?? "").split(";")) {
    const pair = part.trim();
    if (pair.startsWith(lead)) return pair.slice(lead.length);
  }
  return null;
}

/** Set-Cookie for `secret`; null: for none any more. */
export function writeCookie(secret: string | null, port: number): string {
  const age = secret === null ? 0 : SESSION_MS / 1000;
  return `${cookieName(port)}=${secret ?? ""}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=${age}`;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
