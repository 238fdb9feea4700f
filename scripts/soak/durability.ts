/**
 * A hub and a daemon under a stream of changes, killed at any moment, one or both, over and over: what was acknowledged
 * holds, what was under way was done or not, and nothing that ended lets anybody in, from the first moment on.
 */
import type { Rig } from "../../tests/e2e/rig.ts";
import { Random } from "../../tests/pure/random.ts";
import { type Campaign, pause, type Report } from "./campaign.ts";
import { Book } from "./durability/book.ts";
import { File } from "./durability/file.ts";
import type { LinkSeen } from "./durability/known.ts";
import { lanesOf, revokeAtHub } from "./durability/lanes.ts";
import { type Role, World } from "./durability/world.ts";

/** Changes go on for up to so long before a kill, in ms. */
const WORK_MS = 250;

/** So soon all is as it has to be, in ms: hub and daemon have found each other. */
const SETTLED_MS = 15_000;

/** What long rates have counted is stored so often, in ms; in such a round nobody is killed before. */
const SAVED_MS = 10_700;
const LONG_EVERY = 100, FIRST_LONG = 10;

/** Ended links, and links that serve, that are looked at after each round. */
const SAMPLE = 8;

export const durability: Campaign = {
  about: "daemon and hub killed under acknowledged changes: nothing is lost, nothing revived",
  usual: { rounds: 1_000 },
  limitMs: ({ rounds }) => 120_000 + rounds * 20_000,
  async run({ rounds, seed }, rig, report) {
    const trial = new Trial(rig, report, new Random(seed));
    await trial.start();
    const times: number[] = [];
    for (let n = 1; n <= rounds; n++) {
      const begun = performance.now();
      if (n % LONG_EVERY === FIRST_LONG) await trial.longRound();
      else await trial.round();
      times.push(performance.now() - begun);
      if (n % 100 === 0 || n === rounds) report.figure(`${n} rounds: ${trial.figures()}`);
    }
    await trial.verify();
    times.sort((a, b) => a - b);
    report.figure(
      `a round took ${(times[times.length >> 1] / 1000).toFixed(2)} s (median), ${
        (times.at(-1)! / 1000).toFixed(1)
      } s at most`,
    );
  },
};

class Trial {
  readonly #world: World;
  readonly #book: Book;
  readonly #file = new File();
  readonly #killed: Record<string, number> = {};

  constructor(rig: Rig, private readonly report: Report, private readonly random: Random) {
    const breaks = (what: string) => report.breaks(what);
    this.#world = new World(rig, breaks);
    this.#book = new Book(breaks, (story) => this.#tell(story));
  }

  async start(): Promise<void> {
    await this.#world.start();
    this.#file.write(this.#world, this.#book);
    await this.#world.begin("daemon");
    for (const seen of await this.#links()) this.#book.link(seen.name).sure = seen;
  }

  figures(): string {
    const { acknowledged, inFlight, lost, revived, probes } = this.#book;
    const kills = Object.entries(this.#killed).map(([who, n]) => `${who} ${n}`).join(", ");
    return `${acknowledged} changes acknowledged, ${inFlight} in flight at a kill (${kills}), ` +
      `${lost} lost, ${revived} revived; ${probes} probes of what had ended`;
  }

  async round(): Promise<void> {
    const { random } = this;
    let going = true;
    const turn = { world: this.#world, book: this.#book, random, going: () => going };
    const lanes = Promise.all(lanesOf(this.#file, this.#book).map((lane) => lane(turn)));
    // Whoever breaks a promise ends the campaign; until then it waits for the others.
    lanes.catch(() => {});
    await pause(random.below(WORK_MS));
    const roles = random.of<readonly Role[]>([["daemon"], ["daemon"], ["hub"], ["hub", "daemon"]]);
    const killed = Promise.all(roles.map((role) => this.#world.kill(role)));
    going = false;
    await killed;
    await lanes;
    await this.#again(roles);
  }

  /** One in which the daemon lives long enough to store what its long rates have counted. */
  async longRound(): Promise<void> {
    const id = this.#book.link("daily").sure!.id!;
    for (let n = 0; n < 20; n++) await this.#world.visit(id);
    const before = await this.#spent(), begun = Date.now();
    await pause(SAVED_MS);
    await this.round();
    if (this.#killed.daemon === undefined) return;
    // One comes back in 86.4 s.
    const back = Math.ceil((Date.now() - begun) / 86_400) + 1, after = await this.#spent();
    if (after < before - back) this.#loses(`of ${before} that daily's rate had counted ${after} are known`);
  }

  /** The trails of both are whole, and tell of what was acknowledged. */
  async verify(): Promise<void> {
    for (const [name, api] of [["daemon", this.#world.control], ["hub", this.#world.hub()]] as const) {
      const { ok, records } = await api.call<{ ok: boolean; records: number }>(
        "POST",
        "/v1/audit/verify",
        {},
      );
      if (!ok) this.report.breaks(`the trail of the ${name} is broken`);
      const expected = this.#book.records, missing = expected.missing(name, await api.all("/v1/audit"));
      for (const what of missing) this.#loses(what);
      this.report.figure(
        `the trail of the ${name}: ${records} records, ${ok ? "whole" : "broken"}; of ${
          expected.count(name)
        } that have to be there ${missing.length} are missing`,
      );
    }
  }

  async #again(roles: readonly Role[]): Promise<void> {
    const who = roles.join(" and ");
    this.#killed[who] = (this.#killed[who] ?? 0) + 1;
    const { random } = this;
    if (!roles.includes("hub") && random.below(2) === 0) await this.#revokeMeanwhile();
    let over = false;
    const probes = Promise.all([1, 2].map(() => this.#book.probe(this.#world, random, () => over)));
    probes.catch(() => {});
    // In either order: neither may need the other.
    await Promise.all(roles.map((role) => this.#world.begin(role)));
    await this.#settle();
    over = true;
    await probes;
    await this.#look();
  }

  /** A hub revokes also while the daemon is away, and tells it as it comes back. */
  async #revokeMeanwhile(): Promise<void> {
    const now = Date.now();
    const serving = this.#book.links.values().filter((known) =>
      known.doubt === null && !known.name.startsWith("file") && known.name !== "daily" &&
      !known.endedAt(now) && !known.onBrink(now)
    ).toArray();
    if (serving.length === 0) return;
    const turn = { world: this.#world, book: this.#book, random: this.random, going: () => false };
    await revokeAtHub(turn, this.random.of(serving));
  }

  /** What is listed becomes what has to be: what hubs revoked is told, links have their ids. */
  async #settle(): Promise<void> {
    const deadline = performance.now() + SETTLED_MS;
    // With its welcome a hub says what was revoked there.
    while (!await this.#connected() && performance.now() < deadline) await pause(20);
    for (;;) {
      const wrong = this.#book.judge(await this.#links(), Date.now());
      if (wrong.length === 0) return await this.#write();
      if (performance.now() < deadline) await pause(20);
      else {
        for (const { what, story } of wrong) this.#loses(what, story);
        // Else it would be told again in every round.
        return this.#book.forget(await this.#links());
      }
    }
  }

  /** What was only read may still be on its way to the disk; it is there when a change after it is acknowledged. */
  async #write(): Promise<void> {
    const daily = this.#book.link("daily");
    const renewed = this.#world.control.call<LinkSeen>("POST", "/v1/links/daily/renew");
    daily.sure = await this.#book.does(daily, "renew", renewed) ?? daily.sure;
  }

  /** Ended links are gone, others serve; tokens let in or do not. */
  async #look(): Promise<void> {
    const now = Date.now(), book = this.#book;
    for (const id of this.#sample(book.closed(now))) await this.#answers(id, 410);
    const open = book.links.values().filter((known) =>
      !known.endedAt(now) && !known.onBrink(now) && known.sure!.uses === null && known.name !== "daily"
    );
    for (const { sure } of this.#sample([...open])) await this.#answers(sure!.id!, 200);
    for (const what of await book.tokens.look(this.#world, this.random)) this.#loses(what);
    for (const what of await book.shares.look(this.#world)) this.#loses(what);
    for (const what of await book.services.look(this.#world)) this.#loses(what);
  }

  /** A hub that has just come back may not have heard of all from its daemon. */
  async #answers(id: string, status: number): Promise<void> {
    const deadline = performance.now() + SETTLED_MS;
    for (;;) {
      const seen = await this.#world.visit(id);
      if (seen?.status === status) return;
      if (status === 410 && seen?.status === 200) {
        return await this.#book.admits(this.#world, id);
      }
      if (performance.now() > deadline) {
        return this.#loses(`${id} answers ${JSON.stringify(seen)}, not ${status}`);
      }
      await pause(20);
    }
  }

  /** How much the rate of `daily` has counted. */
  async #spent(): Promise<number> {
    const { counters } = await this.#world.control.call<{ counters: { left: number; of: number }[] }>(
      "POST",
      "/v1/explain",
      { method: "GET", link: "daily", path: "/" },
    );
    return counters[0].of - counters[0].left;
  }

  async #connected(): Promise<boolean> {
    const { hubs } = await this.#world.control.call<{ hubs: { connections: number }[] }>("GET", "/v1/status");
    return hubs.some(({ connections }) => connections > 0);
  }

  #links(): Promise<LinkSeen[]> {
    return this.#world.control.all<LinkSeen>("/v1/links");
  }

  #sample<T>(all: readonly T[]): T[] {
    return Array.from({ length: Math.min(SAMPLE, all.length) }, () => this.random.of(all));
  }

  #loses(what: string, story: readonly string[] = []): void {
    this.#book.lost++;
    this.report.breaks(what);
    this.#tell(story);
  }

  /** How it came to what broke last. */
  #tell(story: readonly string[]): void {
    this.report.figure(`broken: ${[this.report.broken.at(-1), ...story].join("\n    ")}`);
  }
}
