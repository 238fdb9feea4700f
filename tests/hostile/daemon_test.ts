/** A daemon whose hubs are hostile: it contacts nothing but its links' targets, and goes on. */
import assert from "node:assert/strict";
import { eventually, Rig } from "../e2e/rig.ts";
import { dials } from "./daemon_dials.ts";
import { BREACHES } from "./daemon_frames.ts";
import { ODDITIES } from "./daemon_oddities.ts";
import { asks } from "./daemon_requests.ts";
import { HostileHub, welcoming, World } from "./daemon_world.ts";
import { FLOODS } from "./daemon_floods.ts";
import { asked, descriptors, peakMemory } from "./process.ts";
import { each } from "./rows.ts";
import { LAST, request, type Tunnel } from "./tunnel.ts";

Deno.test("a daemon between hostile hubs forwards what it should, contacts nothing else, and serves its honest hub", async () => {
  await using rig = new Rig();
  await using world = await World.start(rig);
  const { ground, process } = world;
  await world.honest();
  const before = await descriptors(process.pid);
  const asking = new HostileHub(welcoming);
  const breached = BREACHES.map(() => new HostileHub(welcoming));
  const odd = ODDITIES.map(({ welcome }) => new HostileHub((conn) => welcoming(conn, welcome?.(world))));
  const rows = dials(ground), dialled = rows.map(({ serve }) => new HostileHub(serve));
  const hubs = [asking, ...breached, ...odd, ...dialled];
  try {
    const welcomed = hubs.slice(0, -rows.length);
    await world.reload(welcomed);
    await Promise.all(welcomed.map(({ served }) => served));
    // They go on while all of the others do their worst.
    await world.reload(hubs);
    await world.api("links/gone", "DELETE");
    const tunnel = await asking.served as Tunnel;
    await each(asks(ground), async (ask) => {
      const seen = ground.seen.length, { open, flags = LAST } = ask;
      const got = await tunnel.ask(open, ask.head ?? request(), flags, ...ask.more?.(tunnel.next) ?? []);
      assert.equal(got.status || got.reset, ask.gets);
      assert.deepEqual(ground.seen.slice(seen), ask.seen === undefined ? [] : [ask.seen]);
      if (ask.without !== undefined) assert.doesNotMatch(ground.heads.at(-1)!, ask.without);
    });
    await tunnel.alive();
    await each(BREACHES, async ({ bytes, code, says }, i) => {
      const tunnel = await breached[i].served as Tunnel;
      await tunnel.raw(bytes);
      const closed = await tunnel.end();
      assert.equal(closed?.code, code, JSON.stringify(closed));
      assert.match(closed!.reason, says);
      await world.honest();
    });
    // A link that expires while its hub goes on asking for it.
    await eventually(async () => (await tunnel.ask({ link: "h-brief" })).status, (status) => status === 410);
    await each(ODDITIES, async ({ act, ends }, i) => {
      const tunnel = await odd[i].served as Tunnel;
      tunnel.next = 3;
      await act?.(tunnel, world);
      if (ends) await tunnel.end();
      else {
        await tunnel.alive();
        assert.equal((await tunnel.ask({ link: "nope" })).status, 404);
      }
      await world.honest();
    });
    await each(rows, async (_, i) => void await dialled[i].served);
    await world.honest();
    assert.equal(ground.trapped, 0);
  } finally {
    for (const hub of hubs) hub[Symbol.dispose]();
  }
  await world.reload([]);
  await eventually(() => descriptors(process.pid), (count) => count <= before);
  const { items } = await world.api("links");
  // deno-lint-ignore no-explicit-any
  assert.deepEqual(items.map(({ counters }: any) => counters.open), [0, 0, 0, 0, 0]);
  const known = [ground.target, ...hubs.map(({ port }) => port), 0].map((port) => `127.0.0.1:${port}`);
  const others = asked(world.audit).difference(new Set([...known, new URL(world.hubs.hub.url).host]));
  assert.deepEqual([...others].filter((place) => !place.startsWith(`unix:${rig.folder}/daemon/`)), []);
  const grown = await peakMemory(process.pid);
  assert.ok(grown < 600, `${grown} MiB`);
  await world.honest();
});

Deno.test("a daemon that a hub floods stays small, serves its honest hub, and holds nothing of it afterwards", async () => {
  await using rig = new Rig();
  await using world = await World.start(rig);
  const { pid } = world.process;
  await world.honest();
  const before = await descriptors(pid);
  const hubs = FLOODS.map(() => new HostileHub(welcoming));
  try {
    await world.reload(hubs);
    await each(FLOODS, async ({ act }, i) => {
      hubs[i].forgiving = true;
      // Where one flood takes long, others may have been dialled anew meanwhile.
      const tunnel = await eventually(() => hubs[i].last as Promise<Tunnel>, ({ over }) => !over);
      await act(tunnel, world);
      await world.honest();
      hubs[i].forgiving = false;
      tunnel.leave();
    });
  } finally {
    for (const hub of hubs) hub[Symbol.dispose]();
  }
  await world.reload([]);
  await eventually(() => descriptors(pid), (count) => count <= before);
  const { items } = await world.api("links");
  // deno-lint-ignore no-explicit-any
  assert.deepEqual(items.map(({ counters }: any) => counters.open), [0, 0, 0, 0, 0]);
  const most = await peakMemory(pid);
  assert.ok(most < 700, `${most} MiB`);
  assert.ok(world.process.stderr.length < 1024 * 1024, "a flood of log lines");
  await world.honest();
});
