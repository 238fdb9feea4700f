/**
 * Memory while bodies of 1 GiB stand still: one, five hundred at once, five hundred whose visitors leave, whole ones with
 * their SHA-256, and ten thousand links. What hub and daemon grow by is held to what the windows admit, others are served
 * meanwhile, and nothing of it stays.
 */
import { type Pair, startPair } from "../../tests/e2e/pair.ts";
import { Broken } from "../../tests/e2e/talk.ts";
import { type Campaign, held, pause, type Report } from "./campaign.ts";
import { BodyTarget, digestOf, MIB, Visitor } from "./memory/bodies.ts";
import { holdsMiB, offersMiB, ONE_MIB } from "./memory/bounds.ts";
import { declaredLinks } from "./memory/links.ts";
import { crowdOf, isNarrow, runNarrow } from "./memory/narrow.ts";

/** Bodies at a time. */
const CROWD = crowdOf(500);

/** So much of a body moves before it stands still: windows grow on the way, one alone to their most. */
const MOVED_ALONE = 64 * MIB, MOVED_IN_CROWD = MIB;

/** What one round, the short form, has of what comes after the rounds. */
const USUAL = { whole: 1024 * MIB, links: 10_000 }, SHORT = { whole: 128 * MIB, links: 2_000 };

/** Small requests beside them, and how many at a time. */
const SMALL = 400, LANES = 4;

/** All of a daemon's connections are there after this, in ms. */
const DIALLED_MS = 1_000;

/** Nothing moved for so long: it stands still. */
const STILL_MS = 700;

/** Nothing takes longer, in ms. */
const DEADLINE_MS = 60_000;

/**
 * An idle process collects nothing: what a crowd held may stay, and serves the next one. By so much may rests differ, as
 * in the traffic campaign.
 */
const REST_MIB = 64;

const SIDES = ["hub", "daemon"] as const;
type Side = typeof SIDES[number];
type PerSide = Record<Side, number>;
type Way = "down" | "up";

export const memory: Campaign = {
  about: "bodies of 1 GiB that stand still, 500 at once, and 10,000 links",
  usual: { rounds: 3 },
  limitMs: ({ rounds }) => (rounds * 120 + 180) * 1_000,
  async run({ rounds }, rig, report) {
    if (!isNarrow()) {
      const code = await runNarrow(rig);
      if (code !== null) {
        // All has been told.
        await rig[Symbol.asyncDispose]();
        Deno.exit(code);
      }
    }
    using target = new BodyTarget();
    const pair = await startPair(rig, `  one:\n    target: localhost:${target.port}\n    subdomain: one\n`);
    const campaign = new Bodies(pair, target, report);
    await campaign.run(rounds);
    for (const side of SIDES) await pair[side].kill();
    await declaredLinks(rig, report, (rounds === 1 ? SHORT : USUAL).links);
  },
};

class Bodies {
  /** What is open while nobody visits. */
  #files: PerSide = { hub: Infinity, daemon: Infinity };

  constructor(
    private readonly pair: Pair,
    private readonly target: BodyTarget,
    private readonly report: Report,
  ) {}

  async run(rounds: number): Promise<void> {
    // All of the daemon's connections are there.
    await pause(DIALLED_MS);
    this.#files = { hub: held(this.pair.hub.pid).files, daemon: held(this.pair.daemon.pid).files };
    // Code and buffers that any body brings are there before anything counts.
    for (const way of ["down", "up"] as const) await this.#stand(way, 1, MOVED_ALONE, null);
    await this.#rested();
    const begin = rssOf(this.pair), quiet = await this.#small();
    for (const way of ["down", "up"] as const) await this.#stand(way, 1, MOVED_ALONE, quiet);
    let first: PerSide | null = null;
    for (let round = 1; round <= rounds; round++) {
      for (const way of ["down", "up"] as const) await this.#stand(way, CROWD, MOVED_IN_CROWD, quiet);
      await this.#leave();
      first ??= await this.#compare("after a round", begin, holdsMiB(CROWD));
    }
    for (const way of ["down", "up"] as const) await this.#whole(way, (rounds === 1 ? SHORT : USUAL).whole);
    await this.#compare(
      rounds === 1 ? "in the end" : `after ${rounds} rounds and whole bodies`,
      first!,
      REST_MIB,
    );
  }

  /** So many bodies of which `moved` octets went before they stand still. `quiet`: null where it is not to be judged. */
  async #stand(way: Way, bodies: number, moved: number, quiet: Latency | null): Promise<void> {
    using before = new Peak(this.pair);
    using crowd = new DisposableStack();
    const visitors: Visitor[] = [];
    const progress = () =>
      way === "down" ? this.target.offered : visitors.reduce((sum, { sent }) => sum + sent, 0);
    const from = progress();
    await Promise.all(Array.from({ length: bodies }, async () => {
      const visitor = crowd.use(await Visitor.to(this.pair.port));
      visitors.push(visitor);
      await (way === "down" ? visitor.download(moved) : visitor.upload(moved));
    }));
    await still(progress);
    const offered = progress() - from;
    if (quiet === null) return;
    const grown = before.grown(), beside = await this.#small();
    const what = `${bodies} ${bodies === 1 ? "body" : "bodies"} ${way}`;
    const [holder, other]: Side[] = way === "down" ? ["hub", "daemon"] : ["daemon", "hub"];
    const bounds = bodies === 1 ? [ONE_MIB, ONE_MIB] : [holdsMiB(bodies), offersMiB(bodies)];
    this.report.figure(
      `${what} of 1 GiB, standing still after ${mib(moved)}${bodies === 1 ? "" : " each"}: ` +
        [holder, other].map((side, i) => `${side} +${grown[side].toFixed(1)} of ${bounds[i].toFixed(0)} MiB`)
          .join(", ") +
        `; ${mib(offered - bodies * moved)} on the way, mostly in the kernel; ` +
        `small requests p50 ${beside.p50.toFixed(1)}, p99 ${beside.p99.toFixed(1)} ms ` +
        `(alone ${quiet.p50.toFixed(1)}, ${quiet.p99.toFixed(1)})`,
    );
    [holder, other].forEach((side, i) => {
      if (grown[side] > bounds[i]) {
        this.report.breaks(
          `${what}: the ${side} grew by ${grown[side].toFixed(1)} MiB, more than ${bounds[i]}`,
        );
      }
    });
    if (offered >= bodies * 1024 * MIB) this.report.breaks(`${what}: nothing held the sender up`);
  }

  /** A crowd that is in the middle of its bodies, both ways, and is gone at once. */
  async #leave(): Promise<void> {
    using peak = new Peak(this.pair);
    using crowd = new DisposableStack();
    await Promise.all(Array.from({ length: CROWD }, async (_, i) => {
      const visitor = crowd.use(await Visitor.to(this.pair.port));
      await (i % 2 === 0 ? visitor.download(MOVED_IN_CROWD) : visitor.upload(1024 * MIB));
    }));
    crowd.dispose();
    const grown = peak.grown();
    this.report.figure(
      `${CROWD} visitors who leave in the middle of a body, half of them up: ` +
        SIDES.map((side) => `${side} +${grown[side].toFixed(1)} MiB`).join(", "),
    );
  }

  /** One body, whole, and what its processes grow by at most meanwhile. */
  async #whole(way: Way, octets: number): Promise<void> {
    await this.#rested();
    using peak = new Peak(this.pair);
    using visitor = await Visitor.to(this.pair.port);
    const begun = performance.now();
    const digest = way === "down" ? await visitor.whole(octets) : await visitor.put(octets);
    const seconds = (performance.now() - begun) / 1_000, grown = peak.grown();
    this.report.figure(
      `${mib(octets)} ${way}, whole, in ${seconds.toFixed(1)} s, SHA-256 ${digest.slice(0, 12)}…: ` +
        SIDES.map((side) => `${side} at most +${grown[side].toFixed(1)} MiB`).join(", "),
    );
    if (digest !== digestOf(octets)) this.report.breaks(`${mib(octets)} ${way}: another body came`);
    for (const side of SIDES) {
      if (grown[side] > ONE_MIB) {
        this.report.breaks(`${mib(octets)} ${way}: the ${side} grew by ${grown[side]} MiB`);
      }
    }
  }

  /** Small requests of others. */
  async #small(): Promise<Latency> {
    const times: number[] = [];
    await Promise.all(Array.from({ length: LANES }, async () => {
      using visitor = await Visitor.to(this.pair.port);
      for (let i = 0; i < SMALL / LANES; i++) times.push(await visitor.small());
    }));
    times.sort((a, b) => a - b);
    return { p50: times[SMALL / 2], p99: times[Math.floor(SMALL * 0.99)] };
  }

  /** Nobody visits, and hub and daemon have closed what they had open for it. */
  async #rested(): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    this.target.letGo();
    for (const side of SIDES) {
      while (held(this.pair[side].pid).files > this.#files[side]) {
        if (performance.now() > deadline) throw new Broken(`the ${side} keeps files open`);
        await pause(100);
      }
    }
    while (this.target.open > 0) await pause(100);
  }

  /** What both have at rest; neither may have more than `most` MiB on top of `before`. */
  async #compare(when: string, before: PerSide, most: number): Promise<PerSide> {
    await this.#rested();
    const now = rssOf(this.pair);
    this.report.figure(
      `${when}, at rest: ` +
        SIDES.map((side) => `${side} ${now[side].toFixed(0)} MiB, before ${before[side].toFixed(0)}`).join(
          ", ",
        ) +
        "; no file is open that was not",
    );
    for (const side of SIDES) {
      const growth = now[side] - before[side];
      if (growth > most) this.report.breaks(`${when}: the ${side} keeps ${growth.toFixed(0)} MiB`);
    }
    return now;
  }
}

interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Resident memory of both, in MiB. */
function rssOf({ hub, daemon }: Pair): PerSide {
  return { hub: held(hub.pid).rssMiB, daemon: held(daemon.pid).rssMiB };
}

/** The most that both processes grew by, looked at ten times a second. */
class Peak implements Disposable {
  readonly #begin: PerSide;
  readonly #most: PerSide;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(private readonly pair: Pair) {
    this.#begin = rssOf(this.pair);
    this.#most = { ...this.#begin };
    this.#timer = setInterval(() => this.#look(), 100);
  }

  grown(): PerSide {
    this.#look();
    return {
      hub: this.#most.hub - this.#begin.hub,
      daemon: this.#most.daemon - this.#begin.daemon,
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = rssOf(this.pair);
    for (const side of SIDES) this.#most[side] = Math.max(this.#most[side], now[side]);
  }
}

/** Resolves once `progress` has stood still for a while. */
async function still(progress: () => number): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (let last = -1, since = 0;;) {
    const now = progress(), at = performance.now();
    if (now !== last) [last, since] = [now, at];
    else if (at - since >= STILL_MS) return;
    if (at > deadline) throw new Broken("it moves on and on");
    await pause(50);
  }
}

function mib(octets: number): string {
  return `${(octets / MIB).toFixed(0)} MiB`;
}
