/** One fault at a time, at a random moment under load: what breaks, for how long, and what it does to visitors. */
import type { Random } from "../../../tests/pure/random.ts";
import { pause, type Report } from "../campaign.ts";
import type { Crowd, Fault } from "./crowd.ts";
import type { Proxy } from "./proxy.ts";
import { Times } from "./times.ts";
import { type Role, TIMEOUT_MS, type World } from "./world.ts";

/** Nobody waits longer: after a kill, for a frozen daemon or hub, for a frozen target (wheels turn by 200 ms). */
const KILL_MS = 6_000, FROZEN_MS = 15_000, FROZEN_TARGET_MS = TIMEOUT_MS + 1_000;

/** A request that waits for nothing is served within that. */
const PROMPT_MS = 2_000;

/** A session dies of 12 s without a sign of life. */
const DEATH_MS = 12_000;

/** Outages up to the first, and the p99 of the time from their end to a link that serves. */
const RECONNECT: readonly (readonly [upTo: number, p99: number])[] = [
  [5_000, 2_000],
  [60_000, 5_000],
  [Infinity, 15_000],
];

/** Ways in which a network fails and comes back. */
export type Outage = "refuse" | "stall" | "lose";

export class Rounds {
  /** By the row of RECONNECT. */
  readonly #reconnects = RECONNECT.map(() => new Times());

  constructor(
    private readonly world: World,
    private readonly crowd: Crowd,
    private readonly report: Report,
    private readonly random: Random,
    private readonly proxy: Proxy | null = null,
  ) {}

  /** Killed at any moment, back after up to `awayMs`. */
  async kill(role: Role, awayMs: number): Promise<void> {
    await this.#moment();
    const fault = this.#strike(`${role} killed`, KILL_MS);
    await this.world.end(role, "SIGKILL");
    await pause(this.random.below(awayMs));
    await this.world.begin(role);
    await this.#back(performance.now() - fault.at);
    await this.crowd.over(fault);
  }

  /** Frozen for `ms`. */
  async freeze(role: Role, ms: number): Promise<void> {
    await this.#moment();
    const limit = role === "target" ? FROZEN_TARGET_MS : FROZEN_MS;
    const fatal = ms > (role === "target" ? TIMEOUT_MS : DEATH_MS);
    const name = `${role} frozen${fatal ? " for long" : ""}`;
    const fault = this.#strike(name, limit, fatal && role !== "target", role === "target");
    this.world.process(role).signal("SIGSTOP");
    await pause(ms);
    this.world.process(role).signal("SIGCONT");
    await this.#back(fatal ? ms : 0);
    await this.crowd.over(fault);
  }

  /** The network between daemon and hub is away for `ms`, in that manner. */
  async outage(manner: Outage, ms: number): Promise<void> {
    await this.#moment();
    const name = `${manner} for ${ms <= 5_000 ? "up to 5 s" : ms <= 60_000 ? "up to a minute" : "longer"}`;
    const fault = this.#strike(name, FROZEN_MS, manner !== "stall" || ms > DEATH_MS);
    this.proxy!.manner = manner;
    await pause(ms);
    this.proxy!.manner = "pass";
    // A loss that neither side was told of lasts until they find out.
    await this.#back(manner === "lose" ? Math.max(ms, DEATH_MS) : ms, manner === "lose" ? DEATH_MS - ms : 0);
    await this.crowd.over(fault);
  }

  /** All connections between daemon and hub end in the middle of whatever they carry. */
  async cut(): Promise<void> {
    await this.#moment();
    const fault = this.#strike("cut", KILL_MS);
    this.proxy!.cut(1 + this.random.below(20_000));
    await pause(300);
    this.proxy!.cut();
    await this.#back(0);
    await this.crowd.over(fault);
  }

  /** The ways are lost, and the hub is not told; then the daemon is there again, as another process. */
  async halfDead(): Promise<void> {
    await this.#moment();
    const fault = this.#strike("half-dead", KILL_MS);
    this.proxy!.loseAll();
    await this.world.end("daemon", "SIGKILL");
    await this.world.begin("daemon");
    await this.#back(performance.now() - fault.at);
    await this.crowd.over(fault);
  }

  /** Nothing may fail for so long. */
  async calm(ms: number): Promise<void> {
    await pause(ms);
  }

  /** A wire is taken down for `ms`: nobody is told, and what was on its way is sent again by the kernels. */
  async unplugged(up: (up: boolean) => Promise<void>, ms: number): Promise<void> {
    await this.#moment();
    const fault = this.#strike(ms <= DEATH_MS ? "unplugged" : "unplugged for long", FROZEN_MS, ms > DEATH_MS);
    await up(false);
    await pause(ms);
    await up(true);
    // Kernels try again ever more seldom: a session may stand still for as long again while another one serves.
    await this.#serving(ms);
    await this.crowd.over(fault);
  }

  /** A bad way that breaks nothing. */
  async bad(manner: "delay" | "slice", ms: number): Promise<void> {
    this.proxy!.manner = manner;
    await pause(ms);
    this.proxy!.manner = "pass";
  }

  /** Says how long it took to be back, and holds that to what is promised. */
  tell(): void {
    for (const [n, [upTo, most]] of RECONNECT.entries()) {
      const times = this.#reconnects[n];
      if (times.count === 0) continue;
      const after = upTo === Infinity ? "a longer outage" : `an outage of up to ${upTo / 1000} s`;
      this.report.figure(`reconnect after ${after}: ${times}`);
      if (times.quantile(0.99) > most) {
        this.report.breaks(`reconnect p99 after ${after} is over ${most / 1000} s`);
      }
    }
  }

  #strike(name: string, limit: number, cuts = true, still = false): Fault {
    return this.crowd.strike({ name, limit, cuts, still });
  }

  async #moment(): Promise<void> {
    await pause(200 + this.random.below(600));
  }

  /** Waits for the link to serve. `awayMs`: how long that was impossible; `lateMs`: of the wait, what is still outage. */
  async #serving(awayMs: number, lateMs = 0): Promise<void> {
    const ms = Math.max(0, await this.world.serves() - Math.max(0, lateMs));
    this.#reconnects[RECONNECT.findIndex(([upTo]) => awayMs <= upTo)].add(ms);
  }

  /** The same, and then every request is to be served. */
  async #back(awayMs: number, lateMs = 0): Promise<void> {
    await this.#serving(awayMs, lateMs);
    // From now on all are served, whatever else the hub still takes for alive.
    for (let n = 0; n < 10; n++) {
      const begun = performance.now(), answer = await this.world.answer(PROMPT_MS);
      if (answer.startsWith("HTTP/1.1 200 ")) continue;
      const came = `${answer} after ${Math.round(performance.now() - begun)} ms`;
      this.report.breaks(`a request was not served though the link was back: it got ${came}`);
    }
  }
}
