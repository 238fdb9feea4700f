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

Deno.test("what was revoked at the hub while its daemon was away stays so where its file was edited meanwhile", async () => {
  await using rig = new Rig();
  const world = new World(rig, () => {});
  await world.start();
  world.write("  demo: { target: echo, ttl: 1d }\n");
  await world.begin("daemon");
  const demo = () => world.control.call<LinkSeen>("GET", "/v1/links/demo");
  const { id } = await demo();
  await world.kill("daemon");
  await world.hub().call("DELETE", `/v1/links/${id}`);
  world.write("  demo: { target: echo, ttl: 1d, subdomain: shop }\n");
  await world.begin("daemon");
  await eventually(demo, ({ state }) => state === "revoked");
  for (const at of [id!, "shop"]) assert.equal((await world.visit(at))?.code, "link_revoked");
});
