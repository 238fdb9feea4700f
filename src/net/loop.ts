/** How late the event loop runs: whatever holds it up holds up every request and every session at once. */
import { Histogram } from "../core/metrics.ts";

/** It is looked so often: what lasts shorter nobody feels. */
const EVERY_MS = 50;

/** The worst is told for at least so long, so that a scrape a minute misses none, and at most for twice as long. */
const WINDOW_MS = 60_000;

/** In seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class Loop {
  /** Seconds by which looks were late, since it was first watched. */
  readonly lag = new Histogram(BOUNDS);
  #watchers = 0;
  #timer: ReturnType<typeof setInterval> | null = null;
  #due = 0;
  #worst = 0;
  #worstBefore = 0;
  #windowAt = 0;

  /** Watches until what is returned is called; all who watch share one timer, which keeps no process alive. */
  watch(): () => void {
    if (this.#watchers++ === 0) this.#start();
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      if (--this.#watchers === 0) this.#stop();
    };
  }

  /** The most by which it was late in the last minute or two, in seconds; counts a delay that is still going on. */
  get worst(): number {
    return Math.max(this.#worst, this.#worstBefore, this.#late());
  }

  #start(): void {
    this.#windowAt = performance.now();
    this.#due = this.#windowAt + EVERY_MS;
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#due = 0;
  }

  #late(): number {
    return this.#due === 0 ? 0 : Math.max(0, performance.now() - this.#due) / 1000;
  }

  #look(): void {
    const late = this.#late(), now = performance.now();
    this.lag.observe(late);
    if (now - this.#windowAt >= WINDOW_MS) {
      this.#worstBefore = this.#worst;
      this.#worst = 0;
      this.#windowAt = now;
    }
    this.#worst = Math.max(this.#worst, late);
    this.#due = now + EVERY_MS;
  }
}

/** That of this process. */
export const loop = new Loop();
