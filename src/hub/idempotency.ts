/** `Idempotency-Key`: whoever had no answer to a create asks again, and gets the answer that was lost. */
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { ApiProblem } from "../api/problem.ts";
import type { Clock } from "../clock.ts";
import type { Bucket, Store } from "../store/store.ts";
import { AskRefused, AskUnanswered } from "./asks.ts";
import { type Draw, drawFrom } from "./random.ts";

/** So long an answer is kept, and an attempt that had none. */
const KEPT_MS = 24 * 3_600_000;

const KEY = /^[\x21-\x7e]{1,255}$/;

/** A call, as far as it decides whether another is the same. */
export interface Call {
  /** As it came. */
  readonly key: string;
  /** Whose keys it is among: two workspaces may choose the same. */
  readonly caller: string;
  /** What the caller proves who they are with; empty over the hub's own socket. */
  readonly credential: string;
  /** Method and path. */
  readonly operation: string;
  readonly body: string;
}

/** An answer that can be given again. */
export interface Kept {
  readonly status: number;
  /** Of the thing that was made. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

interface Stored {
  readonly at: number;
  /** Of the body. */
  readonly digest: string;
  /** The answer or the seed, either of which may give a secret away: sealed with what only the caller has. */
  readonly sealed: string;
}

interface Running {
  readonly digest: string;
  readonly answer: Promise<Kept>;
}

/**
 * What is made has its ids and secrets from a seed, which is stored before anything is made: whoever says a call again after
 * the hub was killed in the midst of it meets what it had made, and not a second one.
 */
export class Idempotency {
  readonly #answers: Bucket;
  /** The seeds of calls that have no answer yet, or never had one. */
  readonly #attempts: Bucket;
  readonly #running = new Map<string, Running>();

  constructor(store: Store, private readonly clock: Clock) {
    this.#answers = store.bucket("idempotency", { ttlMs: KEPT_MS });
    this.#attempts = store.bucket("attempts", { ttlMs: KEPT_MS });
  }

  /**
   * The answer that `act` gives, or gave to the same call in the last 24 h; one that is under way is waited for. What `act`
   * throws is not kept. Throws ApiProblem where the key is none, or was used for something else; Failure: nothing was done.
   */
  async once(call: Call, act: (draw: Draw) => Promise<Kept>): Promise<Kept> {
    if (!KEY.test(call.key)) {
      throw new ApiProblem(400, "bad_request", "Idempotency-Key is 1 to 255 visible characters.");
    }
    const place = placeOf(call), wanted = digest(call.body);
    const running = this.#running.get(place);
    if (running !== undefined) {
      if (running.digest !== wanted) throw mismatch();
      return await running.answer;
    }
    const answer = this.#answer(place, wanted, call, act);
    this.#running.set(place, { digest: wanted, answer });
    try {
      return await answer;
    } finally {
      this.#running.delete(place);
    }
  }

  async #answer(
    place: string,
    wanted: string,
    call: Call,
    act: (draw: Draw) => Promise<Kept>,
  ): Promise<Kept> {
    const [answer, begun] = await Promise.all(
      [this.#answers, this.#attempts].map((bucket) => this.#find(bucket, place, wanted, call)),
    );
    if (answer !== null) return JSON.parse(answer) as Kept;
    const seed = begun ?? randomBytes(32).toString("base64url");
    if (begun === null) await this.#keep(this.#attempts, place, wanted, seed, call);
    let kept: Kept;
    try {
      kept = await act(drawFrom(Buffer.from(seed, "base64url")));
    } catch (error) {
      // Else a call that is put right would have to choose a new key.
      if (isUndone(error, begun === null)) await this.#attempts.delete(place).catch(() => {});
      throw error;
    }
    // What was made is there: the seed finds it again where this was not stored.
    await this.#keep(this.#answers, place, wanted, JSON.stringify(kept), call)
      .then(() => void this.#attempts.delete(place).catch(() => {}), () => {});
    return kept;
  }

  async #find(bucket: Bucket, place: string, wanted: string, call: Call): Promise<string | null> {
    const entry = await bucket.get(place);
    if (entry === null) return null;
    const stored = JSON.parse(entry.value) as Stored;
    // A clock that was set back keeps nothing for ever.
    if (Math.abs(this.clock.now() - stored.at) > KEPT_MS) return null;
    if (stored.digest !== wanted) throw mismatch();
    return open(stored.sealed, call);
  }

  async #keep(bucket: Bucket, place: string, wanted: string, text: string, call: Call): Promise<void> {
    const stored: Stored = { at: this.clock.now(), digest: wanted, sealed: seal(text, call) };
    await bucket.put(place, JSON.stringify(stored));
  }
}

/**
 * Whether it is certain that nothing was made. A refusal of an attempt that was begun before may be about this moment
 * alone: its daemon is not back yet, say.
 */
function isUndone(error: unknown, first: boolean): boolean {
  return error instanceof AskRefused ||
    (first && error instanceof ApiProblem && !(error instanceof AskUnanswered));
}

function mismatch(): ApiProblem {
  return new ApiProblem(
    422,
    "idempotency_mismatch",
    "This Idempotency-Key was used for another body: choose a new one.",
  );
}

function placeOf({ caller, operation, key }: Call): string {
  return digest(caller, operation, key);
}

function digest(...texts: string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}

/** A token's secret is kept nowhere at the hub: who reads its store can't open this. */
function sealKey({ credential, key }: Call): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", `${credential}\n${key}`, "", "connectd idempotency", 32));
}

function seal(text: string, call: Call): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", sealKey(call), nonce);
  const sealed = [nonce, cipher.update(text, "utf8"), cipher.final()];
  return Buffer.concat([...sealed, cipher.getAuthTag()]).toString("base64url");
}

/** Throws ApiProblem where it was sealed with another secret. */
function open(sealed: string, call: Call): string {
  const bytes = Buffer.from(sealed, "base64url");
  const decipher = createDecipheriv("aes-256-gcm", sealKey(call), bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(-16));
  try {
    return decipher.update(bytes.subarray(12, -16), undefined, "utf8") + decipher.final("utf8");
  } catch {
    throw new ApiProblem(
      422,
      "idempotency_mismatch",
      "This Idempotency-Key was used with another secret of the token, which alone opens its answer: choose a new one.",
    );
  }
}
