/** Who changes things, each a few links of its own: one call after the other until nobody answers or the round is over. */
import type { Random } from "../../../tests/pure/random.ts";
import type { Book } from "./book.ts";
import type { Known, LinkSeen } from "./known.ts";
import type { World } from "./world.ts";

export interface Turn {
  readonly world: World;
  readonly book: Book;
  readonly random: Random;
  /** The round goes on. */
  going(): boolean;
}

type Lane = (turn: Turn) => Promise<void>;

const pick = (random: Random, name: string, n: number) => `${name}-${random.below(n)}`;

/** One-offs that come, are used, end, begin anew under the same or another id, and give their names to others. */
function oneOffs(lane: number): Lane {
  return async (turn) => {
    const { book, random, going } = turn;
    while (going()) {
      const known = book.link(pick(random, `once-${lane}`, 3));
      // What is under way is known after the next start.
      if (known.doubt !== null) return;
      const ended = known.endedAt(Date.now()) && !known.onBrink(Date.now());
      if (known.sure === null || (ended && random.below(2) === 0)) {
        if (!await create(turn, known)) return;
      } else if (!await change(turn, known)) return;
    }
  };
}

async function create({ world, book, random }: Turn, known: Known): Promise<boolean> {
  const body = {
    name: known.name,
    target: "echo",
    ttl: random.of(["1h", "never", "3s"]),
    ...(random.below(3) === 0 ? { maxUses: 1 + random.below(3) } : {}),
  };
  const made = await book.does(known, "create", world.control.call<LinkSeen>("POST", "/v1/links", body));
  if (made === null) return false;
  book.bury(known.sure?.id ?? null);
  known.sure = made;
  return true;
}

async function change(turn: Turn, known: Known): Promise<boolean> {
  const { random } = turn;
  switch (random.below(6)) {
    case 0:
      return await revoke(turn, known);
    case 1:
      return await revokeAtHub(turn, known);
    case 2:
      return await renew(turn, known, false);
    case 3:
      return await renew(turn, known, true);
    default:
      return await visit(turn, known);
  }
}

async function revoke({ world, book }: Turn, known: Known): Promise<boolean> {
  const call = world.control.call<LinkSeen>("DELETE", `/v1/links/${known.name}`);
  const seen = await book.does(known, "revoke", call);
  if (seen !== null) known.sure = seen;
  return seen !== null;
}

/** The hub's word is enough; the daemon hears of it when it is there. */
async function revokeAtHub({ world, book, going }: Turn, known: Known): Promise<boolean> {
  const { sure } = known;
  if (sure === null || sure.id === null || sure.state === "revoked") return true;
  const done = await book.does(
    known,
    "revoke at the hub",
    world.hub().call("DELETE", `/v1/links/${sure.id}`),
  );
  if (done === null) return false;
  known.sure = { ...sure, state: "revoked", revokedAt: null };
  while (going()) {
    const seen = await world.control.call<LinkSeen>("GET", `/v1/links/${known.name}`).catch(() => null);
    if (seen === null) return false;
    // When, the daemon may still be writing down.
    if (seen.state === "revoked") return true;
  }
  return false;
}

async function renew({ world, book, random }: Turn, known: Known, newId: boolean): Promise<boolean> {
  const { sure, name } = known;
  if (sure === null) return true;
  // A file's link has its ttl from there.
  const ttl = name.startsWith("once") ? { ttl: random.of(["1h", "never"]) } : {};
  const deed = newId ? "renew with a new id" : "renew";
  const call = world.control.call<LinkSeen>("POST", `/v1/links/${name}/renew`, { ...ttl, newId });
  const seen = await book.does(known, deed, call);
  if (seen === null) return false;
  if (newId) book.bury(sure.id);
  known.sure = seen;
  return true;
}

/** A visitor; one that is let in takes a use. */
async function visit({ world, book }: Turn, known: Known): Promise<boolean> {
  const { sure } = known;
  if (sure === null || sure.id === null) return true;
  const open = !known.endedAt(Date.now());
  if (!open || sure.uses === null) {
    const seen = await world.visit(sure.id);
    if (!open && !known.onBrink(Date.now()) && seen?.status === 200) {
      book.revives(`${known.name} has ended, and answers 200`);
    }
    return seen !== null;
  }
  known.lostUses++;
  const seen = await world.visit(sure.id);
  // Of one whose way broke off nobody knows how far it came.
  if (seen?.status !== 200 && seen?.status !== 410) return false;
  known.lostUses--;
  if (seen.status === 200) known.sure = { ...sure, uses: { ...sure.uses, left: sure.uses.left - 1 } };
  return true;
}

/** Of the file: name → its keys. */
const TTLS = { "1h": 3_600_000, "2h": 7_200_000, "3s": 3_000, never: null } as const;
type Ttl = keyof typeof TTLS;

/** Links of the file, which is edited, too: what it says counts whether anybody was told so or not. */
export class File {
  readonly #ttls = new Map<string, Ttl>(
    Array.from({ length: 6 }, (_, i) => [`file-${i}`, "1h"] as const),
  );

  write(world: World, book: Book): void {
    const lines = this.#ttls.entries().filter(([name]) => book.link(name).present)
      .map(([name, ttl]) => `  ${name}: { target: echo, ttl: ${ttl} }\n`);
    world.write([...lines, "  daily: { target: echo, rate: 1000/d }\n"].join(""));
  }

  readonly lane: Lane = async (turn) => {
    const { book, random, going } = turn;
    while (going()) {
      const known = book.link(pick(random, "file", 6));
      if (known.doubt !== null) return;
      const edits = !known.present || random.below(3) === 0;
      if (!await (edits ? this.#edit(turn, known) : change(turn, known))) return;
    }
  };

  async #edit({ world, book, random }: Turn, known: Known): Promise<boolean> {
    const ttl = random.of(Object.keys(TTLS) as Ttl[]);
    if (!known.present) known.present = true;
    else if (random.below(3) === 0) known.present = false;
    else {
      this.#ttls.set(known.name, ttl);
      const { sure } = known, ms = TTLS[ttl];
      const from = Date.parse(sure?.activatedAt ?? "");
      if (sure !== null) {
        known.sure = {
          ...sure,
          state: sure.state === "revoked" ? "revoked" : "active",
          expiresAt: ms === null || Number.isNaN(from) ? null : new Date(from + ms).toISOString(),
        };
      }
    }
    this.write(world, book);
    return await book.does(null, "token", world.control.call("POST", "/v1/reload")) !== null;
  }
}

/** Tokens that are made and revoked. */
const tokens: Lane = async ({ world, book, random, going }) => {
  while (going()) {
    const live = book.tokens.filter(({ live }) => live === true);
    if (live.length < 5 || (live.length < 30 && random.below(2) === 0)) {
      const call = world.hub().call<{ id: string; token: string }>("POST", "/v1/tokens", { scope: "viewer" });
      const made = await book.does(null, "token", call);
      if (made === null) return;
      book.tokens.push({ id: made.id, text: made.token, live: true });
    } else {
      const token = random.of(live);
      token.live = null;
      const call = world.hub().call("DELETE", `/v1/tokens/${token.id}`);
      if (await book.does(null, "token", call) === null) return;
      token.live = false;
    }
  }
};

/** All of them; `file` is edited by one. */
export function lanesOf(file: File): readonly Lane[] {
  return [oneOffs(0), oneOffs(1), oneOffs(2), file.lane, tokens];
}
