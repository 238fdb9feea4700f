/** Passwords wait here for their turn in the one worker that verifies them. */
import type { Clock, Timer } from "../clock.ts";
import type { BcryptAnswer, BcryptQuestion } from "./bcrypt_worker.ts";

/** One password to verify. */
export interface BcryptJob {
  /** Whose it is: no owner fills the queue alone. */
  readonly owner: object;
  readonly password: string;
  readonly hash: string;
  /** `null`: the worker failed, nothing is known. */
  done(right: boolean | null): void;
}

/**
 * At a quarter of a second each (cost 12) a full queue is worked off in eight seconds: whoever waits longer
 * has left. A flood of guesses meets a full queue, never a growing one.
 */
const QUEUE = 32;
const QUEUE_OF_ONE = 8;

/** An idle worker costs memory and no more: it is given back after a while. */
const IDLE_MS = 60_000;

/** A queue before one worker, which is started when the first password comes. */
export class Bcrypt {
  #worker: Worker | null = null;
  #queue: BcryptJob[] = [];
  #running: BcryptJob | null = null;
  #asked = 0;
  readonly #idle: Timer;

  constructor(clock: Clock) {
    this.#idle = clock.timer(() => this.#stop());
  }

  /** Takes `job` into the queue, or returns false: too many wait already. */
  verify(job: BcryptJob): boolean {
    if (this.#queue.length >= QUEUE) return false;
    let own = 0;
    for (const waiting of this.#queue) if (waiting.owner === job.owner) own++;
    if (own >= QUEUE_OF_ONE) return false;
    this.#queue.push(job);
    this.#next();
    return true;
  }

  /** Ends the worker; jobs that wait are told that nothing is known. */
  close(): void {
    this.#idle.drop();
    this.#stop();
    const left = this.#queue;
    this.#queue = [];
    for (const job of left) job.done(null);
  }

  #next(): void {
    if (this.#running !== null) return;
    const job = this.#queue.shift();
    if (job === undefined) return this.#idle.set(IDLE_MS);
    this.#idle.clear();
    this.#running = job;
    this.#worker ??= this.#start();
    const question: BcryptQuestion = { id: ++this.#asked, password: job.password, hash: job.hash };
    this.#worker.postMessage(question);
  }

  #start(): Worker {
    const worker = new Worker(new URL("./bcrypt_worker.ts", import.meta.url), {
      type: "module",
      name: "bcrypt",
    });
    worker.onmessage = ({ data }: MessageEvent<BcryptAnswer>) => {
      if (data.id === this.#asked) this.#settle(data.right);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (this.#worker !== worker) return;
      worker.terminate();
      this.#worker = null;
      this.#settle(null);
    };
    return worker;
  }

  #settle(right: boolean | null): void {
    const job = this.#running;
    this.#running = null;
    job?.done(right);
    this.#next();
  }

  #stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
    const job = this.#running;
    this.#running = null;
    job?.done(null);
  }
}
