/** The last net below a role that runs: a defect of ours costs what it happened in, never the process. */
import type { Log } from "../log.ts";

/** Logs what nobody caught, with where it came from, and goes on. */
export function surviveDefects(log: Log): void {
  const say = (error: unknown) =>
    log.error("a defect, please report it", {
      error: error instanceof Error ? error.stack ?? error.message : String(error),
    });
  addEventListener("error", (event) => {
    event.preventDefault();
    say(event.error);
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    say(event.reason);
  });
}
