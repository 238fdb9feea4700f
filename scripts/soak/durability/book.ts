/** All that is known: links, ids that have ended, tokens; and what was counted. */
import { Refused, Unanswered } from "../../../src/cli/client.ts";
import { Broken } from "../../../tests/e2e/talk.ts";
import type { Random } from "../../../tests/pure/random.ts";
import { type Deed, Known, type LinkSeen } from "./known.ts";
import type { World } from "./world.ts";

/** A token of scope viewer. */
export interface TokenKnown {
  readonly id: string;
  readonly text: string;
  /** Null: its revocation was asked for and not answered. */
  live: boolean | null;
}

/** Ended ids and tokens that are kept in mind: the newest. */
const KEPT = 400;

export class Book {
  readonly links = new Map<string, Known>();
  readonly tokens: TokenKnown[] = [];
  /** Ids that are no link's any more, for good. */
  readonly past: string[] = [];
  acknowledged = 0;
  inFlight = 0;
  lost = 0;
  revived = 0;
  probes = 0;

  constructor(readonly breaks: (what: string) => void) {}

  link(name: string): Known {
    let known = this.links.get(name);
    if (known === undefined) this.links.set(name, known = new Known(name));
    return known;
  }

  /** `id` is given up. */
  bury(id: string | null): void {
    if (id === null || this.past.includes(id)) return;
    this.past.push(id);
    if (this.past.length > KEPT) this.past.shift();
  }

  /** Ids that nobody may get in by at `now`: not those of links with whom something is under way. */
  closed(now: number): string[] {
    const ended = this.links.values().filter((known) =>
      known.doubt === null && known.sure !== null && known.sure.id !== null && known.endedAt(now) &&
      !(known.present && known.onBrink(now))
    );
    return [...this.past, ...ended.map(({ sure }) => sure!.id!)];
  }

  /** Has `deed` done to `known`. Null: nobody answered, and it was done or it was not. Throws Broken. */
  async does<T>(known: Known | null, deed: Deed | "token", call: Promise<T>): Promise<T | null> {
    if (known !== null && deed !== "token") known.doubt = deed;
    try {
      const answer = await call;
      if (known !== null) known.doubt = null;
      this.acknowledged++;
      return answer;
    } catch (error) {
      const cut = error instanceof Unanswered || (error instanceof Refused && error.status === 503);
      // A connection that breaks off in an answer is an error of the runtime's.
      if (error instanceof Refused && !cut) throw new Broken(`${deed} of ${known?.name}: ${error.message}`);
      this.inFlight++;
      return null;
    }
  }

  /** Holds what the daemon lists to what is known; returns what can't be. */
  judge(seen: readonly LinkSeen[], now: number): string[] {
    const byName = new Map(seen.map((link) => [link.name, link]));
    const wrong: string[] = [];
    for (const known of this.links.values()) {
      const before = known.sure?.id ?? null, found = byName.get(known.name);
      byName.delete(known.name);
      const problem = known.judge(found, now);
      if (problem !== null) wrong.push(problem);
      else if (found !== undefined && before !== found.id) this.bury(before);
    }
    return [...wrong, ...[...byName.keys()].map((name) => `${name}: nobody asked for it`)];
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
      const ids = this.closed(Date.now()), tokens = this.tokens.filter(({ live }) => live === false);
      if (ids.length > 0) {
        const id = random.of(ids), seen = await world.visit(id);
        if (seen !== null) this.probes++;
        if (seen?.status === 200) this.revives(`${id} has ended, and answers 200`);
      }
      if (tokens.length > 0 && random.below(4) === 0) {
        const { text, id } = random.of(tokens);
        if (await admitted(world, text) === true) this.revives(`the token ${id} is admitted`);
      }
      await new Promise((turn) => setTimeout(turn, 10));
    }
  }

  /** Something that had ended lets somebody in. */
  revives(what: string): void {
    this.revived++;
    this.breaks(what);
  }
}

/** Whether the hub takes the token; null: nobody answers. */
export async function admitted(world: World, text: string): Promise<boolean | null> {
  try {
    await world.hub(text).call("GET", "/v1/links?limit=1");
    return true;
  } catch (error) {
    return error instanceof Refused && error.status === 401 ? false : null;
  }
}
