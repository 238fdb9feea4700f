/** What one workspace's token can use up of a hub that is everybody's. */
import assert from "node:assert/strict";
import type { LinkDecl } from "../../src/wire/hello.ts";
import { liveOctets } from "../heap.ts";
import { type FakeDaemon, HubRig, link, type Message } from "./rig.ts";

const MIB = 1024 * 1024;

/** A policy of nearly 1 MiB: no message holds two. */
const heavy = (name: string, first = 0): LinkDecl =>
  link(name, {
    policy: { paths: Array.from({ length: 250 }, (_, i) => `/${first + i}/`.padEnd(4000, "p")) },
  });

const codes = ({ links }: Message) =>
  links.map((grant: { refused?: { code: string } }) => grant.refused?.code ?? "ok");

Deno.test("a hello that never ends is cut before it fills the memory", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  const said = daemon.hello([], { more: true });
  said.catch(() => {});
  for (let i = 0; i < 60 && daemon.ended === null; i++) {
    daemon.session.control({ type: "links", revision: 1, set: [heavy(`l${i}`)], remove: [], more: true });
    await new Promise((turn) => setTimeout(turn, 0));
  }
  assert.equal((await daemon.end()).code, "protocol_error");
  // What it held is free again.
  const other = rig.attached({ daemon: "daemon-2" });
  assert.deepEqual(codes(await other.hello([heavy("web")])), ["ok"]);
});

Deno.test("a workspace has so much policy in all its daemons, and another's are none the worse", async () => {
  await using rig = await HubRig.start();
  const fill = async (daemon: FakeDaemon) => {
    await daemon.hello([]);
    const outcomes = [];
    for (let i = 0; i < 20; i++) outcomes.push(...codes(await daemon.change([heavy(`l${i}`)])));
    return outcomes;
  };
  const first = await fill(rig.attached());
  assert.deepEqual(new Set(first), new Set(["ok"]));
  const second = rig.attached({ daemon: "daemon-2" });
  const outcomes = await fill(second);
  assert.deepEqual([outcomes[0], outcomes.at(-1)], ["ok", "limit"]);
  const other = rig.attached({ workspace: "other" });
  assert.deepEqual(codes(await other.hello([heavy("web")])), ["ok"]);
  // Who takes something away has room again, and a policy that replaces another counts once.
  await second.change([], [{ name: "l0", id: second.messages[1].links[0].id, reason: "removed" }]);
  assert.deepEqual(codes(await second.change([heavy("new")])), ["ok"]);
  assert.deepEqual(codes(await second.change([heavy("new", 1000)])), ["ok"]);
});

Deno.test("a link that is no more leaves its policy behind nowhere", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  await daemon.hello([]);
  const once = async (name: string) => {
    const [{ id }] = (await daemon.change([heavy(name)])).links;
    await daemon.change([], [{ name, id, reason: "removed" }]);
  };
  await once("warm");
  const before = liveOctets();
  for (let i = 0; i < 60; i++) await once(`l${i}`);
  const grown = liveOctets() - before;
  assert.ok(grown < 20 * MIB, `${grown} octets of 60 links that were removed`);
});

Deno.test("new names run out for whoever makes them up by thousands, not for another workspace", async () => {
  await using rig = await HubRig.start();
  let refused = 0;
  for (let i = 0; i < 5 && refused === 0; i++) {
    const daemon = rig.attached({ daemon: `daemon-${i}` });
    await daemon.hello([]);
    for (let j = 0; j < 4; j++) {
      const set = Array.from({ length: 1250 }, (_, k) => link(`l${j}-${k}`));
      const granted = await daemon.change(set);
      refused += codes(granted).filter((code: string) => code === "limit").length;
      const remove = granted.links.filter(({ id }: { id?: string }) => id !== undefined)
        .map(({ name, id }: { name: string; id: string }) => ({ name, id, reason: "removed" }));
      await daemon.change([], remove);
    }
  }
  assert.ok(refused > 0);
  const other = rig.attached({ workspace: "other" });
  assert.deepEqual(codes(await other.hello([link("web")])), ["ok"]);
});
