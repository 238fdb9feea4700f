/** systemd's watchdog: it hears that this process is well while that answers, not while it merely exists. */
import type { Log } from "../log.ts";

/** What the watchdog leans on. */
export interface WatchdogOptions {
  /** So long it waits for a word before it ends the process, in ms. */
  readonly limitMs: number;
  /** Settles when the process has answered as it should; rejects when it does not, or when `signal` gives up. */
  probe(signal: AbortSignal): Promise<void>;
  /** All is well. */
  well(): void;
  readonly log: Log;
}

/** As sd_watchdog_enabled(3) reads the environment: ms, or null where no watchdog waits for this process. */
export function watchdogLimit(env: { get(name: string): string | undefined }, pid: number): number | null {
  const micros = Number(env.get("WATCHDOG_USEC"));
  const meant = env.get("WATCHDOG_PID");
  if (!(micros > 0) || (meant !== undefined && meant !== "" && Number(meant) !== pid)) return null;
  return micros / 1000;
}

/**
 * Tells the supervisor at half of its limit that all is well, until what is returned is called.
 *
 * A timer alone would prove that timers run. So it goes the way of a caller, through the listener and back, in a quarter
 * of the limit: a loop that is stuck or hopelessly late, and a listener that is gone, do not answer. One lost answer is
 * no reason yet: it is asked once more within the limit.
 */
export function startWatchdog({ limitMs, probe, well, log }: WatchdogOptions): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false, said = false;
  const beat = async () => {
    const began = performance.now();
    let wait = limitMs / 20;
    try {
      await probe(AbortSignal.timeout(limitMs / 4));
      if (ended) return;
      well();
      said = false;
      wait = Math.max(0, limitMs / 2 - (performance.now() - began));
    } catch (error) {
      if (ended) return;
      if (!said) {
        log.warn("it does not answer itself: the watchdog is not told that all is well", {
          error: (error as Error).message,
        });
      }
      said = true;
    }
    timer = setTimeout(beat, wait);
  };
  timer = setTimeout(beat, limitMs / 2);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
