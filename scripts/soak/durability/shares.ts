/** Shares of a private service that are made, joined, approved and ended at a hub. */
import { Refused } from "../../../src/cli/client.ts";
import type { Random } from "../../../tests/pure/random.ts";
import type { Book } from "./book.ts";
import type { Lane, Turn } from "./lanes.ts";
import { type Made, PRIVATE, type World } from "./world.ts";

/** A share as the API prints it; its code only when it is made. */
interface ShareSeen {
  readonly id: string;
  readonly code?: string;
  readonly state: "active" | "expired" | "ended";
  readonly members: readonly { readonly token: string; readonly state: "waiting" | "approved" }[];
}

type Deed = "join a share" | "approve a member" | "end a share";

interface ShareKnown {
  sure: ShareSeen;
  readonly code: string;
  doubt: Deed | null;
}

/** Of each: shares that are good; and those that ended and are kept in mind. */
const LIVE = 6, KEPT = 200;

export class Shares {
  readonly #all: ShareKnown[] = [];

  constructor(private readonly book: Book) {}

  readonly lane: Lane = async (turn) => {
    const { random, going } = turn;
    while (going()) {
      const live = this.#all.filter(({ sure, doubt }) => sure.state === "active" && doubt === null);
      const makes = live.length < 2 || (live.length < LIVE && random.below(3) === 0);
      if (!await (makes ? this.#make(turn) : this.#change(turn, random.of(live)))) return;
    }
  };

  /** Tries the code of one that has ended. */
  async probe(world: World, random: Random): Promise<void> {
    const ended = this.#all.filter(({ sure }) => sure.state === "ended");
    if (ended.length === 0) return;
    const { code, sure: { id } } = random.of(ended);
    try {
      await join(world, code, random.of(world.members));
      this.book.revives(`the share ${id} has ended, and is joined`);
    } catch (error) {
      // 404 is what it has to be; without an answer nothing is known.
      if (error instanceof Refused && ![404, 503].includes(error.status)) throw error;
    }
  }

  /** Holds what the hub lists to what is known; returns what can't be. */
  async look(world: World): Promise<string[]> {
    const seen = new Map((await world.hub().all<ShareSeen>("/v1/shares")).map((share) => [share.id, share]));
    return this.#all.flatMap((known) => {
      const { sure } = known, found = seen.get(sure.id), problem = problemOf(known, found);
      known.sure = found ?? sure;
      known.doubt = null;
      if (problem === null) return [];
      return [`the share ${sure.id}: ${problem}; it was ${printed(sure)}, and is ${printed(found)}`];
    });
  }

  async #make({ world, random }: Turn): Promise<boolean> {
    const wish = { services: [PRIVATE], requireApproval: random.below(2) === 0 };
    const made = await this.book.does(
      null,
      "make a share",
      world.hub().call<ShareSeen>("POST", "/v1/shares", wish),
    );
    if (made === null) return false;
    this.#all.push({ sure: made, code: made.code!, doubt: null });
    this.book.records.expect("hub", "share.created", made.id);
    const ended = this.#all.filter(({ sure }) => sure.state === "ended");
    if (ended.length > KEPT) this.#all.splice(this.#all.indexOf(ended[0]), 1);
    return true;
  }

  async #change({ world, random }: Turn, known: ShareKnown): Promise<boolean> {
    const { sure, code } = known, waits = sure.members.find(({ state }) => state === "waiting");
    const deed = random.of<Deed>([
      "join a share",
      waits ? "approve a member" : "join a share",
      "end a share",
    ]);
    const path = `/v1/shares/${sure.id}`, member = random.of(world.members);
    const act = async (): Promise<ShareSeen> => {
      if (deed === "end a share") return await world.hub().call("DELETE", path);
      if (deed === "approve a member") {
        return await world.hub().call("POST", `${path}/approve`, { member: waits!.token });
      }
      const { state } = await join(world, code, member);
      const others = sure.members.filter(({ token }) => token !== member.id);
      return { ...sure, members: [...others, { token: member.id, state }] };
    };
    known.doubt = deed;
    const done = await this.book.does(null, deed, act());
    if (done === null) return false;
    known.doubt = null;
    known.sure = done;
    if (deed === "end a share") this.book.records.expect("hub", "share.ended", sure.id);
    return true;
  }
}

/** Who joins is told of themselves alone. */
function join(world: World, code: string, { token }: Made): Promise<ShareSeen["members"][number]> {
  return world.hub(token).call("POST", "/v1/shares/join", { code });
}

/** What can not be; null: nothing. */
function problemOf({ sure, doubt }: ShareKnown, seen: ShareSeen | undefined): string | null {
  if (seen === undefined) return "it is not there";
  if (seen.state !== sure.state && doubt !== "end a share") return `it is ${seen.state}`;
  if (sure.state === "ended" && seen.state !== "ended") return "it is revived";
  const states = new Map(seen.members.map(({ token, state }) => [token, state]));
  for (const { token, state } of sure.members) {
    const now = states.get(token);
    if (now === undefined) return `the member ${token} is not there`;
    if (now !== state && doubt !== "approve a member") return `the member ${token} is ${now}`;
    if (state === "approved" && now !== "approved") return `the member ${token} waits again`;
  }
  const more = seen.members.length - sure.members.length;
  return more > (doubt === "join a share" ? 1 : 0) ? "somebody joined whom nobody asked to" : null;
}

function printed(share: ShareSeen | undefined): string {
  if (share === undefined) return "not there";
  return [share.state, ...share.members.map(({ token, state }) => `${token} ${state}`)].join(", ");
}
