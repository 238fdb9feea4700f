/** What a campaign and the thread that runs it tell each other. */

/** What a thread is to run. */
export interface Wish {
  readonly name: string;
  readonly seed: number;
  readonly cases: number;
  /** Ends it before its last case; Infinity: never. */
  readonly seconds: number;
  /** One Int32: which case it is at. Whoever waits for a thread that hangs reads it here. */
  readonly at: Int32Array;
}

/** How far it is. */
export interface Progress {
  readonly kind: "progress" | "done";
  readonly cases: number;
  /** How many of them were let through. */
  readonly taken: number;
  /** Octets on the thread's heap and in its buffers. */
  readonly heap: number;
  /** Octets that its heap has taken from the system, garbage and room included. */
  readonly room: number;
}

/** A promise broke in case `at`. */
export interface Broken {
  readonly kind: "broken";
  readonly at: number;
  readonly why: string;
}

export type Message = Progress | Broken;

/** No case may take longer. */
export const SLOW_MS = 1_000;
