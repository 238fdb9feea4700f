/** `Idempotency-Key`: whoever had no answer to a create asks again, and gets the answer that was lost. */
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { ApiProblem } from "../api/problem.ts";
import type { Clock } from "../clock.ts";
import type { Bucket, Store } from "../store/store.ts";

/** So long an answer is kept. */
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
  /** The answer, which may hold a secret: sealed with what only the caller has. */
  readonly sealed: string;
}

interface Running {
  readonly digest: string;
  readonly answer: Promise<Kept>;
}

export class Idempotency {
  readonly #bucket: Bucket;
  readonly #running = new Map<string, Running>();

  constructor(store: Store, private readonly clock: Clock) {
    this.#bucket = store.bucket("idempotency", { ttlMs: KEPT_MS });
  }

  /** What tells `call` from every other. */
  static markOf(call: Call): string {
    return digest(placeOf(call), call.body);
  }

  /**
   * The answer that `act` gives, or gave to the same call in the last 24 h; one that is under way is waited for. What `act`
   * throws is not kept. Throws ApiProblem where the key is none, or was used for something else.
   */
  async once(call: Call, act: () => Promise<Kept>): Promise<Kept> {
    if (!KEY.test(call.key)) {
      throw new ApiProblem(400, "bad_request", "Idempotency-Key is 1 to 255 visible characters.");
    }
    const place = placeOf(call), wanted = digest(call.body);
    const running = this.#running.get(place);
    if (running !== undefined) {
      if (running.digest !== wanted) throw mismatch();
      return await running.answer;
    }
    const answer = this.#find(place, wanted, call).then((found) =>
      found ?? this.#act(place, wanted, call, act)
    );
    this.#running.set(place, { digest: wanted, answer });
    try {
      return await answer;
    } finally {
      this.#running.delete(place);
    }
  }

  async #find(place: string, wanted: string, call: Call): Promise<Kept | null> {
    const entry = await this.#bucket.get(place);
    if (entry === null) return null;
    const stored = JSON.parse(entry.value) as Stored;
    // A clock that was set back keeps nothing for ever.
    if (Math.abs(this.clock.now() - stored.at) > KEPT_MS) return null;
    if (stored.digest !== wanted) throw mismatch();
    return JSON.parse(open(stored.sealed, call)) as Kept;
  }

  async #act(place: string, wanted: string, call: Call, act: () => Promise<Kept>): Promise<Kept> {
    const kept = await act();
    const stored: Stored = {
      at: this.clock.now(),
      digest: wanted,
      sealed: seal(JSON.stringify(kept), call),
    };
    await this.#bucket.put(place, JSON.stringify(stored));
    return kept;
  }
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

function open(sealed: string, call: Call): string {
  const bytes = Buffer.from(sealed, "base64url");
  const decipher = createDecipheriv("aes-256-gcm", sealKey(call), bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(-16));
  return decipher.update(bytes.subarray(12, -16), undefined, "utf8") + decipher.final("utf8");
}
