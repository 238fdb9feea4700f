/** A hub whose daemons are hostile: it goes on, and another workspace's visitors notice nothing. */
import assert from "node:assert/strict";
import { eventually, Rig } from "../e2e/rig.ts";
import { LIES } from "./hub_answers.ts";
import { CLAIMS, OFFENCES } from "./hub_claims.ts";
import { hello, HubWorld, link, visit } from "./hub_world.ts";
import { descriptors, peakMemory } from "./process.ts";
import { each } from "./rows.ts";
import { control, CREDIT, frame, octets, open, PING, RESET, type Tunnel, u32 } from "./tunnel.ts";

/** The world, while honest visitors come; afterwards none of them has missed anything, and nothing is left. */
async function among(attack: (world: HubWorld) => Promise<void>): Promise<void> {
  await using rig = new Rig();
  const world = await HubWorld.start(rig);
  const { pid } = world.hub;
  try {
    await eventually(() => Promise.resolve(world.visits), (visits) => visits > 3);
    const before = await descriptors(pid);
    await attack(world);
    await eventually(() => descriptors(pid), (count) => count <= before + 1);
  } finally {
    await world.end();
  }
  assert.deepEqual(world.failures, [], `of ${world.visits}`);
  const { items } = await world.api("links?limit=1000");
  // deno-lint-ignore no-explicit-any
  assert.deepEqual(items.filter(({ counters }: any) => counters.open !== 0), []);
  const most = await peakMemory(pid);
  assert.ok(most < 600, `${most} MiB`);
}

Deno.test("visitors of a daemon that lies get 502 or a cut connection, and another workspace's notice nothing", async () => {
  await among(async (world) => {
    let tunnel: Tunnel | null = null, label = "";
    await each(LIES, async ({ line, frames, status, whole, ends }) => {
      if (tunnel === null || tunnel.over) {
        const joined = await world.join([link("liar")]);
        tunnel = joined.tunnel;
        label = joined.ids.get("liar")!;
      }
      const { opened } = tunnel, before = opened.length;
      const visitor = visit(world.port, label, line);
      await tunnel.until(() => opened.length > before, "a request");
      await tunnel.say(...frames(opened.at(-1)!));
      const got = await visitor;
      assert.deepEqual([got.status, got.whole], [status, whole], JSON.stringify(got));
      assert.doesNotMatch(got.body, /poison|HTTP\/1/);
      if (ends) assert.match((await tunnel.end())!.reason, /^protocol_error/);
      else await tunnel.alive();
    });
    tunnel!.leave();
  });
});

Deno.test("a daemon gets no name of another's by claiming it, and is cut for what is no claim at all", async () => {
  await among(async (world) => {
    const honest = await world.api("sessions");
    await each(CLAIMS, async (claim) => {
      const { tunnel } = await world.join([link("a", claim.link)], { daemon: `d${CLAIMS.indexOf(claim)}` });
      const { links: [{ id, url, refused }] } = await tunnel.message("welcome");
      assert.equal(refused?.code ?? null, claim.code);
      if (claim.code === null) {
        assert.match(id, /^[a-z0-9]{13}$/);
        assert.match(url, new RegExp(`^http://${id}\\.`));
      }
      tunnel.leave();
    });
    await each(OFFENCES, async ({ frames, says, first }) => {
      const tunnel = first ? await world.dial() : (await world.join([link("a")])).tunnel;
      await tunnel.say(...frames);
      assert.match((await tunnel.end())!.reason, says);
    });
    // Who goes by another workspace's daemon is nobody to it.
    const { daemon } = honest.items[0];
    const { tunnel } = await world.join([link("echo")], { daemon, instance: "usurper" });
    await tunnel.say(control({
      type: "links",
      revision: 2,
      set: [link("x", { subdomain: "honest" })],
      remove: [{ name: "echo", id: "honest", reason: "revoked" }],
      more: false,
    }));
    const { links } = await tunnel.message("granted");
    assert.equal(links[0].refused.code, "name_taken");
    const { items } = await world.api("sessions");
    const ids = new Set(items.map((session: { id: string }) => session.id));
    for (const { id } of honest.items) assert.ok(ids.has(id), "an honest session was thrown out");
    tunnel.leave();
  });
});

Deno.test("a daemon that floods its hub is refused or cut, and the hub stays small", async () => {
  await among(async (world) => {
    const { flood } = world.tokens;
    const links = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => link(`l${from + i}`));
    const more = (from: number, count: number, more: boolean) =>
      control({ type: "links", revision: 1, set: links(from, count), remove: [], more });
    // A hundred thousand links in one hello: it is not heard to its end.
    const endless = await world.dial(flood);
    await endless.say(control(hello([], { more: true })));
    for (let i = 0; i < 50 && await endless.say(more(2000 * i, 2000, true)); i++);
    assert.match((await endless.end())!.reason, /too many links/);

    const many = await world.dial(flood);
    await many.say(control(hello(links(0, 2000), { more: true })));
    for (let i = 1; i < 5; i++) await many.say(more(2000 * i, 2000, true));
    await many.say(more(10_000, 50, false));
    type Granted = { links: { refused?: { code: string } }[] };
    const codes = () =>
      many.messages.flatMap(({ links }: Granted) => links.map(({ refused }) => refused?.code));
    await many.until(() => codes().length === 10_050, "an answer for each link", 30_000);
    assert.equal(codes().filter((code) => code === "limit").length, 50);
    await many.say(control({ type: "links", revision: 2, set: [], remove: [], more: false }));
    many.leave();

    const { tunnel, ids } = await world.join([link("flood")]);
    for (let id = 2; id < 20_002; id += 200) {
      await tunnel.say(...Array.from({ length: 100 }, (_, i) => open(id + 2 * i)));
    }
    await tunnel.until(() => tunnel.streams.size === 10_000, "ten thousand refusals");
    assert.ok([...tunnel.streams.values()].every(({ reset }) => reset === "hub_busy"));
    for (let i = 0; i < 30; i++) await tunnel.say(control({ type: "x", x: "x".repeat(1_000_000) }));
    for (let i = 2; i < 500; i++) {
      await tunnel.say(
        control({ type: "links", revision: i, set: [link("flood")], remove: [], more: false }),
      );
    }
    await tunnel.alive();

    // An upload that the daemon gives no credit for stops at the window, and ends when it says so.
    const upload = visit(world.port, ids.get("flood")!, "POST /", "x".repeat(2_000_000));
    await tunnel.until(() => tunnel.opened.length > 0, "a request");
    const id = tunnel.opened[0];
    await tunnel.until(() => tunnel.at(id).body.length >= 262_144, "a window's worth");
    for (let i = 0; i < 1000; i++) await tunnel.say(frame(CREDIT, id, u32(1)));
    await tunnel.until(() => tunnel.at(id).body.length >= 263_144, "an octet for each");
    await tunnel.alive();
    assert.equal(tunnel.at(id).body.length, 263_144);
    await tunnel.say(frame(RESET, id, "gone"));
    assert.equal((await upload).status, 502);

    tunnel.freeze();
    const pings = octets(...Array(10_000).fill(frame(PING, 0, "12345678")));
    for (let i = 0; i < 130; i++) if (!await tunnel.say(pings)) break;
    tunnel.thaw();
    tunnel.leave();
  });
});
