/** Secrets that were handed to somebody's browser, and the cookie that brings one back. */
import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";

/** A working day: after it a browser that was left open is nobody's way in. */
export const SESSION_MS = 12 * 3600_000;

/**
 * Secrets of 256 bits and what each stands for, in memory only, kept as digests: a dump of memory signs nobody in. Of more
 * than `most` of one owner the oldest go, so that nobody can push out what is another's.
 */
export class Secrets<T> {
  readonly #made = new Map<string, { readonly at: number; readonly value: T }>();

  constructor(
    private readonly clock: Clock,
    private readonly lifeMs: number,
    private readonly most: number,
    private readonly ownerOf: (value: T) => string | null = () => null,
  ) {}

  make(value: T): string {
    const secret = freshSecret(), now = this.clock.now(), owner = this.ownerOf(value);
    for (const [key, { at }] of this.#made) {
      if (!this.#lasts(at, now)) this.#made.delete(key);
    }
    const own = [...this.#made].filter(([, made]) => this.ownerOf(made.value) === owner);
    for (const [oldest] of own.slice(0, Math.max(0, own.length + 1 - this.most))) this.#made.delete(oldest);
    this.#made.set(digestOf(secret), { at: now, value });
    return secret;
  }

  /** What it stands for; undefined: nobody was given it, or its time is over. Found by its digest: the time that this takes says nothing about the secret. */
  find(secret: string): T | undefined {
    const key = digestOf(secret);
    const made = this.#made.get(key);
    if (made === undefined) return undefined;
    if (this.#lasts(made.at, this.clock.now())) return made.value;
    this.#made.delete(key);
    return undefined;
  }

  /** Forgets it. False: it was not known. */
  take(secret: string): boolean {
    const known = this.find(secret) !== undefined;
    this.#made.delete(digestOf(secret));
    return known;
  }

  #lasts(at: number, now: number): boolean {
    // A clock that was turned back lengthens nothing.
    return now >= at && now - at < this.lifeMs;
  }
}

/**
 * The cookie of a session at `port`. `__Host-` binds it to this very name; the port in it keeps two servers of one
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

/** 256 bits that nobody guesses. */
export function freshSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What is kept of a secret. */
export function digestOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
