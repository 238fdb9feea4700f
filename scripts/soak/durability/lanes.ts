/** Who changes things, each a few links of its own: one call after the other until nobody answers or the round is over. */
import type { Random } from "../../../tests/pure/random.ts";
import type { Book } from "./book.ts";
import type { File } from "./file.ts";
import type { Deed, Known, LinkSeen } from "./known.ts";
import { ASK_MS, REMOTE, type World } from "./world.ts";

export interface Turn {
  readonly world: World;
  readonly book: Book;
  readonly random: Random;
  /** The round goes on. */
  going(): boolean;
}

export type Lane = (turn: Turn) => Promise<void>;

/** One of `n` names that begin so. */
export const pick = (random: Random, name: string, n: number) => `${name}-${random.below(n)}`;

/**
 * One-offs that come, are used, end, begin anew under the same or another id, and give their names to others; with a
 * subdomain, which is their name, to one of the same address.
 */
function oneOffs(group: string, subdomain: boolean): Lane {
  return async (turn) => {
    const { book, random, going } = turn;
    while (going()) {
      const known = book.link(pick(random, group, 3));
      // What is under way is known after the next start.
      if (known.doubt !== null) return;
      const ended = known.endedAt(Date.now()) && !known.onBrink(Date.now());
      if (known.sure === null || (ended && random.below(2) === 0)) {
        if (!await create(turn, known, subdomain)) return;
      } else if (!await change(turn, known)) return;
    }
  };
}

async function create({ world, book, random }: Turn, known: Known, subdomain: boolean): Promise<boolean> {
  const body = {
    name: known.name,
    target: "echo",
    ttl: random.of(["1h", "never", "3s"]),
    ...(subdomain ? { subdomain: known.name } : {}),
    ...(random.below(3) === 0 ? { maxUses: 1 + random.below(3) } : {}),
  };
  const made = await book.does(known, "create", world.control.call<LinkSeen>("POST", "/v1/links", body));
  if (made === null) return false;
  book.takes(known, made);
  return true;
}

/** Links that the hub has made and renewed by whoever asks there. */
const fromHub: Lane = async (turn) => {
  const { book, random, going } = turn;
  while (going()) {
    const known = book.link(pick(random, "hub", 3)), { name, sure } = known;
    if (known.doubt !== null) return;
    const ended = known.endedAt(Date.now()) && !known.onBrink(Date.now());
    if (sure === null || (ended && random.below(2) === 0)) {
      const wish = { service: REMOTE, name, ttl: random.of(["1h", "never", "3s"]) };
      if (!await askHub(turn, known, "create", "/v1/links", wish)) return;
    } else if (sure.id !== null && random.below(4) === 0) {
      if (!await edit(turn, known)) return;
    } else if (sure.id !== null && random.below(2) === 0) {
      const newId = random.below(2) === 0, deed = newId ? "renew with a new id" : "renew";
      if (!await askHub(turn, known, deed, `/v1/links/${sure.id}/renew`, { newId })) return;
    } else if (!await change(turn, known)) return;
  }
};

async function askHub({ world, book }: Turn, known: Known, deed: Deed, path: string, body: unknown) {
  const made = await book.does(known, deed, world.hub().call<LinkSeen>("POST", path, body, ASK_MS));
  // What a hub does not know, uses, none of these has.
  if (made !== null) book.takes(known, { ...made, uses: null });
  return made !== null;
}

/** The hub has another policy written into the link, one that lets visitors in. */
async function edit({ world, book, random }: Turn, known: Known): Promise<boolean> {
  const methods = random.of([["GET"], ["GET", "POST"], null]), sure = known.sure!;
  const made = await book.does<LinkSeen>(known, "edit", world.edit(sure.id!, { methods }));
  if (made !== null) known.sure = { ...sure, policy: { methods } };
  return made !== null;
}

/** Does one thing of many to a link that was there. False: nothing more in this round. */
export async function change(turn: Turn, known: Known): Promise<boolean> {
  const { random } = turn;
  switch (random.below(6)) {
    case 0:
      return await revoke(turn, known);
    case 1:
      return await revokeAtHub(turn, known);
    case 2:
      return await renew(turn, known, false);
    case 3:
      // A subdomain stays.
      return await renew(turn, known, !known.name.startsWith("named"));
    default:
      return await visit(turn, known);
  }
}

async function revoke({ world, book }: Turn, known: Known): Promise<boolean> {
  const again = known.sure?.state === "revoked";
  const call = world.control.call<LinkSeen>("DELETE", `/v1/links/${known.name}`);
  const seen = await book.does(known, "revoke", call);
  if (seen === null) return false;
  known.sure = seen;
  if (!again) book.records.expect("daemon", "link.revoked", known.name, seen.revokedAt);
  return true;
}

/** The hub's word is enough; the daemon hears of it when it is there. */
export async function revokeAtHub({ world, book, going }: Turn, known: Known): Promise<boolean> {
  const { sure } = known;
  if (sure === null || sure.id === null || sure.state === "revoked") return true;
  const done = await book.does<LinkSeen>(
    known,
    "revoke at the hub",
    world.hub().call("DELETE", `/v1/links/${sure.id}`),
  );
  if (done === null) return false;
  book.records.expect("hub", "link.revoked", sure.id);
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
  book.takes(known, seen);
  book.records.expect("daemon", "link.renewed", name, seen.activatedAt);
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
      await book.admits(world, sure.id);
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

/** All of them; `file` is edited by one. */
export function lanesOf(file: File, { tokens, shares, services }: Book): readonly Lane[] {
  const named = [0, 1, 2].map((lane) => oneOffs(`once-${lane}`, false));
  return [...named, oneOffs("named", true), fromHub, file.lane, tokens.lane, shares.lane, services.lane];
}
