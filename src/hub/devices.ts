/** Logins from elsewhere (RFC 8628): a command line asks, a person who is signed in says yes, and it gets a token. */
import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import { Buckets } from "../core/limit.ts";
import { rateFields } from "../core/rate_fields.ts";
import { Secret } from "../core/secret.ts";
import type { Rate } from "../core/units.ts";
import { ApiProblem } from "../api/problem.ts";
import { randomText } from "./random.ts";
import { type Scope, TokenConflict, type TokenRecord, type Tokens } from "./tokens.ts";
import type { TokenWish } from "./token_wish.ts";

/** What somebody wants to be let in as. */
export interface LoginAsk {
  readonly scope: Scope;
  /** Where it was asked from, and by what, as it says of itself. */
  readonly address: string;
  readonly software: string;
}

/** A login that waits: what whoever decides is shown. Times in ms since 1970. */
export interface Login extends LoginAsk {
  readonly createdAt: number;
  readonly expiresAt: number;
}

interface Waiting extends Login {
  readonly device: string;
  readonly user: string;
  /** By the clock that only goes forward. */
  readonly endsAt: number;
  polledAt: number;
  intervalMs: number;
  /** Null: nobody has said anything yet. */
  answer: { readonly wish: TokenWish; readonly by: string } | "denied" | null;
}

/** What the one who asks gets: `deviceCode` for itself, `userCode` for people. */
export interface LoginCodes {
  readonly deviceCode: Secret;
  readonly userCode: string;
  readonly expiresInMs: number;
  readonly intervalMs: number;
}

/** No vowels, so no words; no digit that looks like a letter (RFC 8628 §6.1). */
const LETTERS = "BCDFGHJKLMNPQRSTVWXZ";
const USER_CODE_LENGTH = 8;
/** 260 bits: it is what the token is given for. */
const DEVICE_CODE_LENGTH = 52;

const LIFE_MS = 600_000;
const INTERVAL_MS = 5_000;
/** Whoever asks too soon has to wait so much longer from then on (RFC 8628 §3.5). */
const SLOWER_MS = 5_000;

/** That wait at once, a kilobyte each. */
const MOST = 1_000;
/** New ones of an address, or /64 of IPv6. */
const NEW: readonly Rate[] = [{ count: 10, perMs: 60_000, burst: 10, perIp: true }];

/**
 * They are in memory alone, as digests: a hub that starts anew has forgotten them, and whoever waits asks again. Each
 * code is good once, for ten minutes.
 */
export class Devices {
  /** By the digest of the device code. */
  readonly #waiting = new Map<string, Waiting>();
  /** The same by the digest of the user code. */
  readonly #byUser = new Map<string, Waiting>();
  readonly #new = new Buckets();

  constructor(private readonly clock: Clock, private readonly tokens: Tokens) {}

  /** Somebody wants to be let in. Throws ApiProblem where too many do. */
  begin(ask: LoginAsk): LoginCodes {
    this.#forgetOld();
    const { clock } = this, mono = clock.mono(), now = clock.now();
    const wait = this.#new.take(NEW, ask.address, mono, this.#waiting.size < MOST);
    if (wait !== null) {
      const fields = rateFields(NEW, wait, () => "logins");
      throw new ApiProblem(
        429,
        "rate_limited",
        "Too many logins were begun from this address: wait.",
        fields,
      );
    }
    if (this.#waiting.size >= MOST) {
      throw new ApiProblem(
        503,
        "hub_busy",
        "As many logins wait as the hub admits: try again in a few minutes.",
      );
    }
    const deviceCode = new Secret(randomText(DEVICE_CODE_LENGTH)), userCode = this.#freshUserCode();
    const waiting: Waiting = {
      ...ask,
      device: digest(deviceCode.expose()),
      user: digest(userCode),
      createdAt: now,
      expiresAt: now + LIFE_MS,
      endsAt: mono + LIFE_MS,
      polledAt: -Infinity,
      intervalMs: INTERVAL_MS,
      answer: null,
    };
    this.#keep(waiting);
    const spelled = `${userCode.slice(0, USER_CODE_LENGTH / 2)}-${userCode.slice(USER_CODE_LENGTH / 2)}`;
    return { deviceCode, userCode: spelled, expiresInMs: LIFE_MS, intervalMs: INTERVAL_MS };
  }

  /** The login that waits for a word about `userCode`, however that is written; null: there is none. */
  find(userCode: string): Login | null {
    return this.#find(userCode);
  }

  /** Lets it in with a token as `wish` says, in the name of `by`. Null: there is none that waits. Throws TokenConflict. */
  approve(userCode: string, wish: TokenWish, by: string): Login | null {
    const waiting = this.#find(userCode);
    if (waiting === null) return null;
    this.tokens.checkFree(wish);
    waiting.answer = { wish, by };
    return waiting;
  }

  /** Does not let it in. Null: there is none that waits. */
  deny(userCode: string): Login | null {
    const waiting = this.#find(userCode);
    if (waiting !== null) waiting.answer = "denied";
    return waiting;
  }

  /**
   * What became of the login with `deviceCode`: its token, once. Throws ApiProblem 400 with the codes of RFC 8628 §3.5,
   * TokenConflict where its name was taken meanwhile, Failure.
   */
  async poll(deviceCode: string): Promise<{ token: Secret; record: TokenRecord }> {
    this.#forgetOld();
    const waiting = this.#waiting.get(digest(deviceCode));
    if (waiting === undefined) throw EXPIRED;
    const now = this.clock.mono(), due = waiting.polledAt + waiting.intervalMs;
    waiting.polledAt = now;
    if (now < due) {
      waiting.intervalMs += SLOWER_MS;
      throw new ApiProblem(400, "slow_down", `Ask every ${waiting.intervalMs / 1000} s, not more often.`);
    }
    if (waiting.answer === null) throw PENDING;
    this.#forget(waiting);
    if (waiting.answer === "denied") throw DENIED;
    try {
      return await this.tokens.create(waiting.answer.wish, waiting.answer.by);
    } catch (error) {
      // What could not be stored can be asked for again.
      if (!(error instanceof TokenConflict)) this.#keep(waiting);
      throw error;
    }
  }

  #find(userCode: string): Waiting | null {
    this.#forgetOld();
    const letters = userCode.toUpperCase().replaceAll(/[^A-Z]/g, "");
    const waiting = letters.length === USER_CODE_LENGTH ? this.#byUser.get(digest(letters)) : undefined;
    // It is good for one word.
    return waiting === undefined || waiting.answer !== null ? null : waiting;
  }

  #forgetOld(): void {
    const now = this.clock.mono();
    for (const waiting of this.#waiting.values()) {
      if (waiting.endsAt <= now) this.#forget(waiting);
    }
  }

  #keep(waiting: Waiting): void {
    this.#waiting.set(waiting.device, waiting);
    this.#byUser.set(waiting.user, waiting);
  }

  #forget({ device, user }: Waiting): void {
    this.#waiting.delete(device);
    this.#byUser.delete(user);
  }

  #freshUserCode(): string {
    for (;;) {
      const code = randomUserCode();
      if (!this.#byUser.has(digest(code))) return code;
    }
  }
}

const PENDING = new ApiProblem(400, "authorization_pending", "Nobody has approved this login yet.");
const DENIED = new ApiProblem(400, "access_denied", "This login was denied.");
const EXPIRED = new ApiProblem(400, "expired_token", "This login is over: begin another one.");

function randomUserCode(): string {
  let code = "";
  while (code.length < USER_CODE_LENGTH) {
    const [byte] = randomBytes(1);
    // The rest of a byte's values would make some letters likelier than others.
    if (byte < 240) code += LETTERS[byte % LETTERS.length];
  }
  return code;
}

function digest(code: string): string {
  return createHash("sha256").update(code).digest("hex");
}
