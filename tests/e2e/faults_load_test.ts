/** Daemon, hub, target and the network between them fail under load: what the campaigns of scripts/soak do, a few times. */
import assert from "node:assert/strict";
import { Report } from "../../scripts/soak/campaign.ts";
import type { Rounds } from "../../scripts/soak/faults/rounds.ts";
import { stage } from "../../scripts/soak/faults/stage.ts";
import { ROLES } from "../../scripts/soak/faults/world.ts";
import { restartedUnderLoad } from "../../scripts/soak/restarts.ts";
import { Rig } from "./rig.ts";

class Quiet extends Report {
  override figure(): void {}
}

/** Worlds side by side, each with rounds of its own; nothing may have broken in any. */
async function sideBySide(acts: Record<string, (run: Rounds) => Promise<void>>): Promise<void> {
  await using rig = new Rig();
  const report = new Quiet();
  const stages = Object.entries(acts).map(([name, act], n) =>
    stage({ name, seed: n + 1, rig, report, apart: true, lanes: 6 }, act)
  );
  await Promise.all(stages);
  assert.deepEqual(report.broken, []);
}

Deno.test("killed at any moment: no request arrives twice, all visitors are through in 6 s, the link is back in 2 s", async () => {
  await sideBySide(Object.fromEntries(ROLES.map((role) => [role, async (run) => {
    for (let n = 0; n < 5; n++) await run.kill(role, 500);
  }])));
});

// Most of that is waiting, so it is done side by side.
Deno.test("frozen: visitors of a daemon or hub are through in 15 s, of a target within `timeout`; and a bad network is survived", async () => {
  await sideBySide({
    daemon: (run) => run.freeze("daemon", 12_500),
    hub: (run) => run.freeze("hub", 12_500),
    target: (run) => run.freeze("target", 9_500),
    ways: async (run) => {
      await run.halfDead();
      await run.outage("lose", 100);
    },
    network: async (run) => {
      for (const manner of ["slice", "delay"] as const) await run.bad(manner, 400);
      for (let n = 0; n < 3; n++) await run.cut();
      await run.outage("refuse", 1_000);
      await run.outage("stall", 1_000);
    },
  });
});

Deno.test("a daemon restarted five times under load fails no request", async () => {
  await using rig = new Rig();
  const report = new Quiet();
  await restartedUnderLoad("daemon", 5, 1, rig, report);
  assert.deepEqual(report.broken, []);
});
