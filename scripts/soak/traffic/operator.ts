/** Who runs the links: edits, closes, revokes, renews, freezes; and who pulls plugs. */
import type { Random } from "../../../tests/pure/random.ts";
import { Broken } from "../../../tests/e2e/talk.ts";
import { pause } from "../campaign.ts";
import { FLEETING, type LinkSeen, type World } from "./world.ts";

/** One thing done to a world that is served meanwhile. Throws Broken. */
export type Deed = (world: World, random: Random) => Promise<void>;

/** A steady link's rate changes: nothing is cut. */
async function retune(world: World, random: Random): Promise<void> {
  world.rate = 1_000_000 + random.below(1_000_000);
  await world.reload();
}

/** A link goes with its entry, at once, and comes back with it. */
async function toggle(world: World, random: Random): Promise<void> {
  const name = random.of(FLEETING);
  if (world.present.delete(name)) {
    await world.reload();
    await due(world, name, ["link_removed", "link_revoked"]);
  } else {
    world.present.add(name);
    await world.reload();
    await world.eventually(
      `${name} is on the hub`,
      async () => (await linkOf(world, name)).state !== "pending",
    );
  }
}

/** A revoked link ends at once, no reload revives it, and renewal does. */
async function revoke(world: World, random: Random): Promise<void> {
  const name = random.of([...world.present, "one"]);
  if (!world.present.has(name)) return;
  if (random.below(2) === 0) await world.atDaemon("DELETE", `/v1/links/${name}`);
  else {
    await world.atHub("DELETE", `/v1/links/${(await linkOf(world, name)).id}`);
    await world.eventually(`${name} is revoked`, async () => (await linkOf(world, name)).state === "revoked");
  }
  await due(world, name, ["link_revoked"]);
  await retune(world, random);
  await due(world, name, ["link_revoked"]);
  await pause(random.below(500));
  await renew(world, name);
}

export async function renew(world: World, name: string): Promise<void> {
  await world.atDaemon("POST", `/v1/links/${name}/renew`);
  await world.eventually(
    `${name} is active after its renewal`,
    async () => (await world.ask(name)).status === 502,
  );
}

async function due(world: World, link: string, codes: readonly string[]): Promise<void> {
  const { status, code } = await world.ask(link, false);
  if (!codes.includes(code)) throw new Broken(`${link} is ended and answers ${status} ${code}`);
}

async function linkOf(world: World, name: string): Promise<LinkSeen> {
  return (await world.atDaemon<LinkSeen>("GET", `/v1/links/${name}`)).body;
}

const freeze: Deed = (world, random) =>
  world.freeze(random.below(2) === 0 ? world.daemon : world.hub, 100 + random.below(1_500));

/** What may happen at any time. */
export const DEEDS: readonly (readonly [name: string, deed: Deed])[] = [
  ["retune", retune],
  ["toggle", toggle],
  ["toggle", toggle],
  ["revoke", revoke],
  ["bad file", (world) => world.reloadBadly()],
  ["freeze", freeze],
  ["token revoked", (world) => world.disturb(() => world.revokeToken())],
];

/** What ends a process, whose memory can't be watched further. */
export const PLUGS: readonly (readonly [name: string, deed: Deed])[] = [
  ["daemon killed", (world) => world.disturb(() => world.killDaemon())],
  ["hub killed", (world) => world.disturb(() => world.killHub())],
];
