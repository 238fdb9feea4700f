/** All that is known: links, ids that have ended, tokens, shares; and what was counted. */
import { Refused, Unanswered } from "../../../src/cli/client.ts";
import { Broken } from "../../../tests/e2e/talk.ts";
import type { Random } from "../../../tests/pure/random.ts";
import { type Deed, Known, type LinkSeen, short } from "./known.ts";
import { ExpectedRecords } from "./records.ts";
import { ExposedServices } from "./services.ts";
import { Shares } from "./shares.ts";
import { Tokens } from "./tokens.ts";
import type { World } from "./world.ts";

/** Ended ids that are kept in mind: the newest. */
const KEPT = 400;

/** Something that can not be, and how it came to it. */
export interface Wrong {
  readonly what: string;
  readonly story: readonly string[];
}

export class Book {
  readonly links = new Map<string, Known>();
  readonly tokens = new Tokens(this);
  readonly shares = new Shares(this);
  readonly services = new ExposedServices(this);
  readonly records = new ExpectedRecords();
  /** Ids that are no link's any more, for good: id → whose it was. */
  readonly past = new Map<string, Known>();
  acknowledged = 0;
  inFlight = 0;
  lost = 0;
  revived = 0;
  probes = 0;

  constructor(readonly breaks: (what: string) => void, readonly tells: (story: readonly string[]) => void) {}

  link(name: string): Known {
    let known = this.links.get(name);
    if (known === undefined) this.links.set(name, known = new Known(name));
    return known;
  }

  /** `id` is the link's no more. A subdomain, which is the link's name, is the next one's of this name. */
  bury(id: string | null, known: Known): void {
    if (id === null || id === known.name || this.past.has(id)) return;
    known.tell(`${id} is given up`);
    this.past.set(id, known);
    if (this.past.size > KEPT) this.past.delete(this.past.keys().next().value!);
  }

  /** `known` is as an answer says, which may have given it another id. */
  takes(known: Known, made: LinkSeen): void {
    if (known.sure !== null && known.sure.id !== made.id) this.bury(known.sure.id, known);
    known.sure = made;
  }

  /** Ids that nobody may get in by at `now`: not those of links with whom something is under way. */
  closed(now: number): string[] {
    const ended = this.links.values().filter((known) =>
      known.doubt === null && known.sure !== null && known.sure.id !== null && known.endedAt(now) &&
      !(known.present && known.onBrink(now))
    );
    return [...this.past.keys(), ...ended.map(({ sure }) => sure!.id!)];
  }

  /** Has `deed` done to `known`, or to what is no link. Null: nobody answered, and it was done or it was not. Throws Broken. */
  async does<T>(known: Known, deed: Deed, call: Promise<T>): Promise<T | null>;
  async does<T>(known: null, deed: string, call: Promise<T>): Promise<T | null>;
  async does<T>(known: Known | null, deed: string, call: Promise<T>): Promise<T | null> {
    if (known !== null) known.doubt = deed as Deed;
    known?.tell(`${deed}…`);
    try {
      const answer = await call;
      if (known !== null) known.doubt = null;
      known?.tell(`${deed}: ${short(answer as LinkSeen)}`);
      this.acknowledged++;
      return answer;
    } catch (error) {
      const cut = error instanceof Unanswered || (error instanceof Refused && error.status === 503);
      // A connection that breaks off in an answer is an error of the runtime's.
      if (error instanceof Refused && !cut) {
        const what = known === null ? deed : `${deed} of ${known.name}`;
        throw new Broken([`${what}: ${error.message}`, ...known?.story ?? []].join("\n    "));
      }
      this.inFlight++;
      known?.tell(`${deed}: not answered, ${(error as Error).message}`);
      return null;
    }
  }

  /** Holds what the daemon lists to what is known; returns what can't be. */
  judge(seen: readonly LinkSeen[], now: number): Wrong[] {
    const byName = new Map(seen.map((link) => [link.name, link]));
    const wrong: Wrong[] = [];
    for (const known of this.links.values()) {
      const before = known.sure?.id ?? null, found = byName.get(known.name);
      byName.delete(known.name);
      const problem = known.judge(found, now);
      if (problem !== null) wrong.push({ what: problem, story: known.story });
      else if (found !== undefined && before !== found.id) this.bury(before, known);
    }
    const strangers = [...byName.keys()].map((name) => ({ what: `${name}: nobody asked for it`, story: [] }));
    return [...wrong, ...strangers];
  }

  /** Takes what the daemon lists for what is known: what was lost has been told. */
  forget(seen: readonly LinkSeen[]): void {
    for (const known of this.links.values()) {
      if (!known.present) continue;
      known.sure = seen.find(({ name }) => name === known.name) ?? null;
      known.doubt = null;
      known.lostUses = 0;
    }
  }

  /** Asks for ids and tokens that have ended until `over`, from the first moment on at which anybody answers. */
  async probe(world: World, random: Random, over: () => boolean): Promise<void> {
    while (!over()) {
      const ids = this.closed(Date.now());
      if (ids.length > 0) {
        const id = random.of(ids), seen = await world.visit(id);
        if (seen !== null) this.probes++;
        if (seen?.status === 200) await this.admits(world, id);
      }
      if (random.below(4) === 0) await this.tokens.probe(world, random);
      if (random.below(4) === 0) await this.shares.probe(world, random);
      await new Promise((turn) => setTimeout(turn, 10));
    }
  }

  /** An id that has ended let somebody in: tells how it came to that. */
  async admits(world: World, id: string): Promise<void> {
    const owner = this.past.get(id) ?? this.links.values().find(({ sure }) => sure?.id === id);
    this.revives(`${id} of ${owner?.name} has ended, and answers 200`);
    const now = await world.account(id, owner?.name ?? "");
    this.tells([...owner?.story ?? [], ...now]);
  }

  /** Something that had ended lets somebody in. */
  revives(what: string): void {
    this.revived++;
    this.breaks(what);
  }
}
