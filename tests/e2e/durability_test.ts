/** Daemon and hub are killed under a stream of changes: a few rounds of the campaign of scripts/soak. */
import assert from "node:assert/strict";
import { Report } from "../../scripts/soak/campaign.ts";
import { durability } from "../../scripts/soak/durability.ts";
import type { LinkSeen } from "../../scripts/soak/durability/known.ts";
import { World } from "../../scripts/soak/durability/world.ts";
import { eventually, Rig } from "./rig.ts";

class Quiet extends Report {
  override figure(line: string): void {
    this.figures.push(line);
  }
}

Deno.test("over kills nothing that was acknowledged is lost, nothing that ended comes back, and the trails tell of it", async () => {
  await using rig = new Rig();
  const report = new Quiet();
  await durability.run({ rounds: 3, seconds: 0, seed: 1 }, rig, report);
  assert.deepEqual(report.broken, [], report.figures.join("\n"));
  assert.match(
    report.figures[0],
    /^3 rounds: [1-9]\d+ changes acknowledged.* 0 lost, 0 revived; [1-9]\d* probes/,
  );
});

const DEMO = "  demo: { target: echo, ttl: 1d }\n";

/** What the file says, one after the other, from when the daemon is back. */
const EDITS: Record<string, readonly string[]> = {
  "gave it another address": ["  demo: { target: echo, ttl: 1d, subdomain: shop }\n"],
  "dropped it, and is put right": ["", DEMO],
};
for (const [what, texts] of Object.entries(EDITS)) {
  Deno.test(`what was revoked at the hub while its daemon was away stays so where an edit of the file ${what}`, async () => {
    await using rig = new Rig();
    const world = new World(rig, () => {});
    await world.start();
    world.write(DEMO);
    await world.begin("daemon");
    const demo = () => world.control.call<LinkSeen>("GET", "/v1/links/demo");
    const { id } = await demo();
    await world.kill("daemon");
    await world.hub().call("DELETE", `/v1/links/${id}`);
    const [first, ...later] = texts;
    world.write(first);
    await world.begin("daemon");
    for (const text of later) {
      world.write(text);
      await world.control.call("POST", "/v1/reload");
    }
    const { id: now } = await eventually(demo, ({ state }) => state === "revoked");
    for (const at of new Set([id!, now!])) assert.equal((await world.visit(at))?.code, "link_revoked");
  });
}
