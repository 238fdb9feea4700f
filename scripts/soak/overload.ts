/**
 * Attackers by the thousand against a hub and its daemon, one manner after the other, and 64 honest visitors who must
 * notice little and lose nothing; then all of it with few file descriptors. After each attack everything is as before.
 */
import { type Campaign, pause, type Report } from "./campaign.ts";
import { type Ground, makeGround } from "./overload/ground.ts";
import { HONEST, type Seen, Stage, type Told } from "./overload/stage.ts";
import { Target } from "./overload/target.ts";

/**
 * What honest visitors are promised, in ms, of a machine that is not at work for others. One pause of a machine within a few
 * seconds is more than a hundredth of their requests: what is broken is slow twice.
 */
const P99_MS = 250, OTHERS = 0.25, TRIES = 2;

/** Attackers of each manner, and the addresses they share: a hub admits 256 connections from each. */
const MANY = 4_000, ADDRESSES = 20;

/** All of them are there after so long at most, in ms. */
const COMING_MS = 30_000;

/** How long it may take until nothing of an attack is left: refused ones linger, targets' connections idle in the pool. */
const OVER_MS = 20_000;

/** A few files may be open besides: an API call, a target's connection that an honest visitor needs. */
const FILES = 24;

/** With few of them. */
const DESCRIPTORS = 1_024;

interface Attack {
  readonly name: string;
  readonly kind: string;
  readonly count: number;
  readonly addresses: number;
  /** It takes what honest visitors need, too: they are told so. */
  readonly costly?: true;
  /** What must have come of it. */
  readonly holds?: (told: Told, ground: Ground) => boolean;
}

const ATTACKS: readonly Attack[] = [
  { name: "heads an octet at a time", kind: "heads", count: MANY, addresses: ADDRESSES },
  { name: "bodies an octet at a time", kind: "bodies", count: MANY, addresses: ADDRESSES },
  { name: "readers who do not read", kind: "readers", count: MANY, addresses: ADDRESSES },
  { name: "connections that say nothing", kind: "idle", count: MANY, addresses: ADDRESSES },
  { name: "connections that are kept", kind: "keepers", count: MANY, addresses: ADDRESSES },
  {
    name: "connections of one address",
    kind: "keepers",
    count: 600,
    addresses: 1,
    // Refused ones are open for as long as they take to leave.
    holds: ({ answers, open }, { foreign }) =>
      !foreign || (answers["200"] === 256 && open < 300 && (answers["503 hub_busy"] ?? 0) >= 344),
  },
  {
    name: "more connections than there may be",
    kind: "idle",
    count: 11_000,
    addresses: 60,
    holds: ({ answers }) => (answers["503 hub_busy"] ?? 0) > 0,
  },
  { name: "coming and leaving", kind: "comers", count: 200, addresses: 1 },
  {
    name: "requests of one address beyond its rate",
    kind: "floods",
    count: 64,
    addresses: 1,
    holds: ({ answers }) => (answers["429 rate_limited"] ?? 0) > (answers["200"] ?? 0),
  },
];

/** Those that take descriptors: visitors' at the hub, and targets' at the daemon. */
const GREEDY: readonly Attack[] = [
  { name: "few descriptors: connections that say nothing", kind: "idle", count: MANY, addresses: ADDRESSES },
  { name: "few descriptors: connections that are kept", kind: "keepers", count: MANY, addresses: ADDRESSES },
  {
    name: "few descriptors: bodies an octet at a time",
    kind: "bodies",
    count: MANY,
    addresses: ADDRESSES,
    costly: true,
  },
];

export const overload: Campaign = {
  about:
    "attackers by the thousand beside 64 honest visitors, and few file descriptors; the seconds are for each attack",
  usual: { seconds: 15 },
  limitMs: ({ seconds }) =>
    TRIES * (ATTACKS.length + GREEDY.length) * (seconds * 1_000 + COMING_MS + OVER_MS) + 120_000,
  async run({ seconds }, rig, report) {
    const ground = await makeGround(rig);
    using target = new Target();
    const stage = new Stage(rig, ground, target.port, "many", null);
    await new Siege(stage, ground, report).run(seconds, ATTACKS);
    await stage.end();
    const scarce = new Stage(rig, ground, target.port, "few", DESCRIPTORS);
    await new Siege(scarce, ground, report).run(seconds, GREEDY, true);
    await scarce.end();
  },
};

class Siege {
  constructor(
    private readonly stage: Stage,
    private readonly ground: Ground,
    private readonly report: Report,
  ) {}

  /** `restart`: the daemon is killed amid each attack, and must come back. */
  async run(seconds: number, attacks: readonly Attack[], restart = false): Promise<void> {
    const { stage, report } = this;
    await stage.start();
    await stage.connected();
    const others = stage.others();
    await pause(seconds * 1_000);
    const before = stage.held();
    this.#tell({ name: "alone" }, stage.look(), before, others());
    for (const attack of attacks) {
      try {
        for (let left = TRIES; left > 0; left--) {
          if (await this.#attack(attack, seconds, restart, before) <= P99_MS) break;
          if (left === 1) {
            report.breaks(`${attack.name}: p99 of honest visitors was above ${P99_MS} ms ${TRIES} times`);
          }
        }
      } catch (error) {
        report.breaks(`${attack.name}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }

  /** Returns the p99 of honest visitors, in ms; 0 where it is no measure. */
  async #attack(attack: Attack, seconds: number, restart: boolean, before: Held): Promise<number> {
    const { stage, report } = this;
    stage.look();
    const attackers = stage.attack(attack.kind, attack.count, attack.addresses);
    const others = stage.others(attackers.process);
    for (let ms = 0; ms < COMING_MS && attackers.told().made < attack.count; ms += 250) await pause(250);
    await stage.inCharge();
    await pause(seconds * 1_000);
    await stage.inCharge();
    const during = stage.held(), told = attackers.told(), seen = stage.look(), share = others();
    if (restart) await this.#restart(attack);
    await attackers.process.kill("SIGKILL");
    const p99 = this.#tell(attack, seen, during, share, told);
    if (attack.holds?.(told, this.ground) === false) {
      report.breaks(`${attack.name}: ${JSON.stringify(told)}`);
    }
    await this.#calm(attack, before);
    return p99;
  }

  /** Visitors of a daemon that is killed wait, or are told; they are no measure of anything. */
  async #restart({ name }: Attack): Promise<void> {
    const { stage, report } = this;
    await stage.daemon.kill("SIGKILL");
    await stage.startDaemon();
    await stage.connected().catch(() => report.breaks(`${name}: the daemon does not come back`));
  }

  /** Nothing is left of it. */
  async #calm({ name }: Attack, before: Held): Promise<void> {
    const { stage, report } = this, begin = performance.now();
    for (;;) {
      await pause(500);
      const now = stage.held();
      const more = (["hub", "daemon"] as const).filter((side) =>
        now[side].files > before[side].files + FILES
      );
      const open = await stage.open();
      if (more.length === 0 && open <= HONEST) return;
      if (performance.now() - begin < OVER_MS) continue;
      const files =
        `files ${before.hub.files}, ${before.daemon.files} before and ${now.hub.files}, ${now.daemon.files} now`;
      return report.breaks(`${name}: ${OVER_MS / 1000} s later ${open} requests are open, ${files}`);
    }
  }

  /** `others`: the part of the machine that was at work for somebody else. Returns the p99 as far as it is a measure. */
  #tell(
    { name, costly }: Pick<Attack, "name" | "costly">,
    seen: Seen,
    held: Held,
    others: number,
    told?: Told,
  ): number {
    const { report } = this;
    const answers = Object.entries(told?.answers ?? {}).map(([what, n]) => `${n} × ${what}`).join(", ");
    const sides = (["hub", "daemon"] as const).map((side) =>
      `; ${side} ${held[side].rssMiB.toFixed(0)} MiB, ${held[side].files} files`
    );
    report.figure(
      `${name}: ${seen.requests} requests, p50 ${seen.p50} ms, p99 ${seen.p99} ms, max ${seen.most} ms, ` +
        `${seen.errors.length} errors` +
        (told === undefined
          ? ""
          : `; ${told.made} connections, ${told.open} open, ${answers || "no answer"}`) +
        sides.join("") + `; others had ${(others * 100).toFixed(0)} % of the machine`,
    );
    if (costly) return 0;
    if (seen.errors.length > 0) report.breaks(`${name}: ${seen.errors.length} errors, as ${seen.errors[0]}`);
    if (seen.requests === 0) report.breaks(`${name}: no honest visitor had an answer`);
    if (seen.p99 <= P99_MS || others <= OTHERS) return seen.p99;
    report.figure(`${name}: that p99 is no measure, the machine was busy elsewhere`);
    return 0;
  }
}

type Held = ReturnType<Stage["held"]>;
