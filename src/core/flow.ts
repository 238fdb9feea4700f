/**
 * Credit: how much a sender may send before the reader has dealt with it. Per stream and direction, so that a reader
 * that stops holds up its own stream and nobody else's. All sizes in octets.
 */

const KIB = 1024;

/** What a stream begins with, each way, unless the reader said otherwise. */
export const INITIAL_WINDOW = 256 * KIB;
/** What a window grows to. */
export const MAX_WINDOW = 4096 * KIB;
/** Windows of one session in sum: above it none grows. */
export const SESSION_CAP = 64 * 1024 * KIB;
/**
 * With so much promised no stream begins: 60,000 newcomers, of a peer that keeps to what it is told. One that does not
 * could have 16 GiB of us.
 */
export const PROMISED_MOST = 16 * SESSION_CAP;
/** What a window shrinks to above the cap, */
export const CROWDED_WINDOW = 64 * KIB;
/** and what a new stream begins with there. */
export const NEWCOMER_WINDOW = 16 * KIB;
/** The most credit that a sender may be given; a peer that gives more counts wrong. */
export const MAX_CREDIT = 2 ** 31 - 1;

/** The windows of one session, in sum. */
export class Budget {
  #sum = 0;
  #initial = INITIAL_WINDOW;

  /** What a new stream begins with. */
  get initial(): number {
    return this.#initial;
  }

  get crowded(): boolean {
    return this.#sum > SESSION_CAP;
  }

  get full(): boolean {
    return this.#sum > PROMISED_MOST;
  }

  /**
   * A window opened, changed its size or went. True where `initial` changed by it, of which the sender must be told.
   * It comes back only at half the cap, so that one stream more or less does not switch it to and fro.
   */
  add(octets: number): boolean {
    this.#sum += octets;
    const before = this.#initial;
    if (this.#sum > SESSION_CAP) this.#initial = NEWCOMER_WINDOW;
    else if (this.#sum <= SESSION_CAP / 2) this.#initial = INITIAL_WINDOW;
    return this.#initial !== before;
  }
}

/** The reading side of one stream. */
export class Window {
  #size: number;
  /** What the sender may still send. */
  #credit: number;
  /** What came and is not dealt with. */
  #held = 0;
  /** When credit was last given. */
  #since = -Infinity;

  constructor(size: number) {
    this.#size = size;
    this.#credit = size;
  }

  /** Held and still to come: never more than this, once what was promised before it shrank is used up. */
  get size(): number {
    return this.#size;
  }

  /** `n` octets came. False: the sender had no credit for them. */
  received(n: number): boolean {
    this.#held += n;
    return (this.#credit -= n) >= 0;
  }

  /** `n` octets that came are dealt with. True where it is time for `grant`: half a window is free. */
  consumed(n: number): boolean {
    this.#held -= n;
    return this.#free >= this.#size / 2;
  }

  /**
   * The credit to give now, 0 where the window shrank. It doubles where its size is what holds the sender up: the
   * reader has kept up, and half a window took less than two round trips. More than that would make nothing faster and
   * only stand in front of other streams' bytes.
   */
  grant(nowMs: number, rttMs: number, crowded: boolean): number {
    if (crowded) this.#size = CROWDED_WINDOW;
    else if (this.#size < INITIAL_WINDOW) this.#size = INITIAL_WINDOW;
    else if (this.#held <= this.#size / 4 && nowMs - this.#since <= 2 * rttMs) {
      this.#size = Math.min(MAX_WINDOW, 2 * this.#size);
    }
    this.#since = nowMs;
    const credit = Math.max(0, this.#free);
    this.#credit += credit;
    return credit;
  }

  get #free(): number {
    return this.#size - this.#held - this.#credit;
  }
}
