/** Daemon and hub are killed under a stream of changes: a few rounds of the campaign of scripts/soak. */
import assert from "node:assert/strict";
import { Report } from "../../scripts/soak/campaign.ts";
import { durability } from "../../scripts/soak/durability.ts";
import { Rig } from "./rig.ts";

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
