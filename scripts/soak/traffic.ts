/**
 * A hub, a daemon and a target for minutes on end, and everything at once: visitors of all manners, reloads, revocations,
 * processes that are killed. What a visitor got and what the target saw is held to what was sent; at the end nothing may
 * be open, and memory and files are what they were.
 */
import { Broken } from "../../tests/e2e/talk.ts";
import { Random } from "../../tests/pure/random.ts";
import { type Campaign, held, pause, type Report } from "./campaign.ts";
import { Ledger } from "./traffic/ledger.ts";
import { type Deed, DEEDS, PLUGS, renew } from "./traffic/operator.ts";
import { Target, trap } from "./traffic/target.ts";
import type { Place } from "./traffic/visitor.ts";
import { VISITS } from "./traffic/visits.ts";
import { FLEETING, type LinkSeen, World } from "./traffic/world.ts";

/** Visitors at a time. */
const LANES = 24;

/** Nobody is left waiting longer, in ms: slow visits take 10 s on an idle machine, those of a killed process 6 s more. */
const VISIT_MS = 60_000;

/** A target's connections idle for 4 s in the pool, and wheels turn by 200 ms. */
const REST_MS = 6_000;

/**
 * So much may a process grow between the middle and the end. What V8 puts off collecting was seen to differ by 43 MiB from
 * one rest to the next, with 160 visitors; a leak of 2 KiB a request is more than this in five minutes.
 */
const GROWTH_MIB = 64;

type Deeds = readonly (readonly [name: string, deed: Deed])[];

export const traffic: Campaign = {
  about: "visitors of all manners, and everything an owner does meanwhile",
  usual: { seconds: 180 },
  limitMs: ({ seconds }) => (seconds + 240) * 1_000,
  async run({ seconds, seed }, rig, report) {
    const soak = new Soak(new World(rig, new Ledger(report)), report, seed);
    await soak.run(seconds);
  },
};

class Soak {
  readonly #done = new Map<string, number>();
  /** Visits that got something else than what was due. */
  #wrong = 0;
  readonly #targets: Target[];

  constructor(private readonly world: World, private readonly report: Report, private readonly seed: number) {
    this.#targets = [new Target(world.ledger), trap(world.ledger)];
  }

  async run(seconds: number): Promise<void> {
    const [steady, trapped] = this.#targets;
    try {
      await this.world.start({ steady: steady.port, trap: trapped.port });
      await this.#phase(0, seconds / 10, DEEDS.slice(0, 1));
      const idle = await this.#rested();
      await this.#phase(1, seconds * 0.4, [...DEEDS, ...PLUGS], PLUGS);
      // Who was killed last is young: what these processes need is known only when they have been at work for a while.
      await this.#phase(2, seconds * 0.2, DEEDS);
      const middle = await this.#rested();
      await this.#phase(3, seconds * 0.3, DEEDS);
      const end = await this.#rested();
      for (const side of ["hub", "daemon"] as const) {
        this.#compare(side, idle[side], middle[side], end[side], seconds * 0.3);
      }
    } finally {
      this.#tell();
    }
  }

  /** Visits and deeds at random for so long, until all of them are over; one after the other `first`. */
  async #phase(phase: number, seconds: number, deeds: Deeds, first: Deeds = []): Promise<void> {
    const until = performance.now() + seconds * 1_000, { ledger } = this.world;
    const progress = setInterval(() => {
      if (!Deno.stderr.isTerminal()) return;
      const left = Math.max(0, (until - performance.now()) / 1000).toFixed(0);
      console.error(
        `${ledger.requests} requests, ${
          mib(ledger.octets)
        }, ${this.report.broken.length} broken, ${left} s left`,
      );
    }, 5_000);
    await Promise.all([
      this.#operate(new Random(this.seed + phase), until, deeds, first),
      ...Array.from(
        { length: LANES },
        (_, lane) => this.#visit(new Random(1_000 * this.seed + 100 * phase + lane), until),
      ),
    ]);
    clearInterval(progress);
  }

  async #visit(random: Random, until: number): Promise<void> {
    const place: Place = { port: this.world.port, ledger: this.world.ledger, fleeting: FLEETING };
    const kinds = VISITS.flatMap((kind) => Array.from({ length: kind[2] }, () => kind));
    while (performance.now() < until) {
      const [name, run] = random.of(kinds), { era } = this.world;
      try {
        await within(run(place, random));
        this.#tick(name);
      } catch (error) {
        const disturbed = era % 2 === 1 || era !== this.world.era;
        if (error instanceof Broken || !disturbed) {
          this.#wrong++;
          this.report.breaks(`${name}: ${error}`);
        } else this.#tick("interrupted");
        // A killed hub refuses connections: no use in asking without a pause.
        await pause(50);
      }
    }
  }

  /** Does `first`, then whatever of `deeds`. */
  async #operate(random: Random, until: number, deeds: Deeds, first: Deeds): Promise<void> {
    for (let n = 0; n < first.length || performance.now() < until; n++) {
      const [name, deed] = first[n] ?? random.of(deeds);
      try {
        await deed(this.world, random);
        this.#tick(name);
      } catch (error) {
        this.report.breaks(`${name}: ${error}`);
      }
      await pause(random.below(1_500));
    }
  }

  /** All is as it was at first, nobody visits: nothing is open. Returns what the processes hold then. */
  async #rested(): Promise<Record<"hub" | "daemon", { rssMiB: number; files: number }>> {
    const { world } = this;
    for (const name of FLEETING) world.present.add(name);
    await world.reload();
    for (const name of FLEETING) {
      if ((await world.atDaemon<LinkSeen>("GET", `/v1/links/${name}`)).body.state === "revoked") {
        await renew(world, name);
      }
    }
    await world.eventually("no request is open at the daemon", async () => {
      const { body } = await world.atDaemon<{ items: LinkSeen[] }>("GET", "/v1/links");
      return body.items.every(({ counters }) => counters.open === 0);
    });
    await world.eventually("no request is open at the hub", async () => {
      const { items } = await world.atHub<{ items: LinkSeen[] }>("GET", "/v1/links");
      return items.every(({ counters }) => counters.open === 0);
    });
    await pause(REST_MS);
    await world.eventually(
      "no connection to a target is open",
      () => Promise.resolve(this.#targets.every((t) => t.open === 0)),
    );
    return { hub: held(world.hub.pid), daemon: held(world.daemon.pid) };
  }

  /** `seconds`: from the middle to the end. */
  #compare(side: string, idle: Held, middle: Held, end: Held, seconds: number): void {
    const growth = end.rssMiB - middle.rssMiB;
    this.report.figure(
      `${side}: ${middle.rssMiB.toFixed(0)} MiB in the middle, ${end.rssMiB.toFixed(0)} MiB at the end, ${
        (growth / seconds * 3_600).toFixed(0)
      } MiB an hour; ${Math.max(0, end.files - idle.files)} sockets left`,
    );
    if (growth > GROWTH_MIB) this.report.breaks(`the ${side} grew by ${growth.toFixed(0)} MiB`);
    if (end.files > idle.files) {
      this.report.breaks(`the ${side} has ${end.files} files open, ${idle.files} when idle`);
    }
  }

  #tell(): void {
    const { world, report } = this, { requests, octets } = world.ledger;
    for (const line of world.complaints()) report.breaks(line);
    const counts = [...this.#done].sort(([a], [b]) => a < b ? -1 : 1).map(([name, n]) => `${name} ${n}`);
    report.figure(
      `${requests} requests, ${
        mib(octets)
      } of bodies, ${this.#wrong} wrong answers, ${world.ledger.twice} twice`,
    );
    report.figure(counts.join(", "));
  }

  #tick(name: string): void {
    this.#done.set(name, (this.#done.get(name) ?? 0) + 1);
  }
}

type Held = ReturnType<typeof held>;

async function within(visit: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Broken(`still waiting after ${VISIT_MS / 1000} s`)), VISIT_MS);
  });
  await Promise.race([visit, late]).finally(() => clearTimeout(timer));
}

function mib(octets: number): string {
  return `${(octets / 1024 / 1024).toFixed(0)} MiB`;
}
