/** A role as a service: what its supervisor hears of it, from ready to stopping. Without a supervisor nothing happens. */
import type { Log } from "../log.ts";
import { descriptors } from "../net/descriptors.ts";
import { type Notifier, openNotifier } from "./notify.ts";
import { callUnix } from "./unix_call.ts";
import { startWatchdog, watchdogLimit } from "./watchdog.ts";

/** What is shown is looked at so often. */
const LOOK_MS = 2_000;

export class Service implements Disposable {
  #notifier: Notifier | null = null;
  #describe = (): string => "";
  /** As it was told last. */
  #told = "";
  #look: ReturnType<typeof setInterval> | undefined;
  #stopWatchdog = (): void => {};
  #stopping = false;

  /** `state`: the role's state directory, which must be its own by the time that it is ready. */
  constructor(private readonly state: string, private readonly log: Log) {}

  /**
   * It serves. From now on the watchdog hears of it, as long as its own API answers at `socket`. `describe` gives the
   * line that `systemctl status` shows.
   */
  ready(socket: string | null, describe: () => string): void {
    const notifier = this.#notifier = openNotifier(this.state, this.log);
    if (notifier === null) return;
    this.#describe = describe;
    notifier.tell("READY=1", this.#status());
    this.#look = setInterval(() => {
      const told = this.#told, status = this.#status();
      if (status !== told) notifier.tell(status);
    }, LOOK_MS);
    const limitMs = watchdogLimit(Deno.env, Deno.pid);
    if (limitMs === null) return;
    this.#stopWatchdog = startWatchdog({
      limitMs,
      // Its listeners close while it ends, and the last requests may take longer than the limit.
      probe: (signal) => this.#stopping || socket === null ? Promise.resolve() : answers(socket, signal),
      well: () => notifier.tell("WATCHDOG=1"),
      log: this.log,
    });
  }

  /**
   * A file is read anew, until what is returned is disposed of. Without MONOTONIC_USEC, which `Type=notify-reload` alone
   * asks for: there is no permission for that clock but all of them.
   */
  reloading(): Disposable {
    this.#notifier?.tell("RELOADING=1");
    return { [Symbol.dispose]: () => this.#notifier?.tell("READY=1", this.#status()) };
  }

  /** It ends, in its own time. */
  stopping(): void {
    this.#stopping = true;
    this.#describe = () => "finishing what is in flight";
    this.#notifier?.tell("STOPPING=1", this.#status());
  }

  [Symbol.dispose](): void {
    clearInterval(this.#look);
    this.#stopWatchdog();
    this.#notifier?.close();
  }

  #status(): string {
    return this.#told = `STATUS=${this.#describe()}`;
  }
}

/** `3 links: 2 active, 1 error`, of how many are in each state; the most frequent first. */
export function describeLinks(states: Readonly<Record<string, number>>): string {
  const counts = Object.entries(states).sort((a, b) => b[1] - a[1]);
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  const parts = counts.map(([state, count]) => `${count} ${state}`);
  return `${all} ${all === 1 ? "link" : "links"}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`;
}

/** Asks the role as anybody would. That no descriptor is left is not its own fault: it goes on serving who is there. */
async function answers(socket: string, signal: AbortSignal): Promise<void> {
  const call = { method: "GET", path: "/healthz", headers: {}, body: null };
  try {
    const { status } = await callUnix(socket, call, signal);
    if (status !== 200) throw new Error(`${socket} answered ${status}`);
  } catch (error) {
    if (!descriptors.ranOut(error)) throw error;
  }
}
