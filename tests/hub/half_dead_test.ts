/** Sessions whose way is gone without a word: the hub takes them for alive, and its visitors are to notice nothing of it. */
import assert from "node:assert/strict";
import { systemClock } from "../../src/clock.ts";
import { memoryPair } from "../../src/wire/memory.ts";
import type { CloseReason, Wire, WireReceiver } from "../../src/wire/wire.ts";
import { FakeDaemon, HubRig, link } from "./rig.ts";

/** A wire that can be lost: nothing passes then, either way, and nobody is told. */
class Losable implements Wire {
  lost = false;
  onDrain: (() => void) | null = null;

  constructor(private readonly wire: Wire) {}

  get busy(): boolean {
    return this.wire.busy;
  }
  get queued(): number {
    return this.wire.queued;
  }
  send(buffer: Uint8Array<ArrayBuffer>, from: number, to: number): void {
    if (!this.lost) this.wire.send(buffer, from, to);
  }
  start(receiver: WireReceiver): void {
    this.wire.start({
      bytes: (bytes, from, to) => this.lost || receiver.bytes(bytes, from, to),
      boundary: () => this.lost || receiver.boundary(),
      closed: (reason) => this.lost || receiver.closed(reason),
    });
  }
  close(reason: CloseReason): void {
    if (!this.lost) this.wire.close(reason);
  }
  destroy(): void {
    if (!this.lost) this.wire.destroy();
  }
}

function joined(rig: HubRig, instance: string, connection: number): { wire: Losable; daemon: FakeDaemon } {
  const [ours, theirs] = memoryPair(), wire = new Losable(ours);
  rig.hub.attach(theirs, { token: null, name: "embedded", scope: "daemon", workspace: "default" });
  return { wire, daemon: new FakeDaemon(wire, { instance, connection, clock: systemClock }) };
}

for (const [what, instance] of [["by another way", "one"], ["as another process", "another"]]) {
  Deno.test(`a daemon that comes back ${what} is served at once, whatever became of its old sessions`, async () => {
    await using rig = await HubRig.start();
    const old = [joined(rig, "one", 0), joined(rig, "one", 1)];
    let id = "";
    for (const { daemon } of old) id = (await daemon.hello([link("web")])).links[0].id;
    for (const { wire } of old) wire.lost = true;
    const { daemon } = joined(rig, instance, 0);
    assert.equal((await daemon.hello([link("web")], { revision: 2 })).links[0].id, id);
    const visits = Promise.all(Array.from({ length: 20 }, async () => (await rig.visit(id)).status));
    const late = Promise.withResolvers<string>(), timer = setTimeout(() => late.resolve("they wait"), 3_000);
    assert.deepEqual(await Promise.race([visits, late.promise]), Array(20).fill(200));
    clearTimeout(timer);
    daemon.leave();
    for (const { daemon } of old) daemon.leave();
  });
}

Deno.test("sessions that are alive share the streams again once they have said so", async () => {
  await using rig = await HubRig.start();
  const daemons = [0, 1, 2].map((connection) => joined(rig, "one", connection).daemon);
  let id = "";
  for (const daemon of daemons) id = (await daemon.hello([link("web")])).links[0].id;
  while (!daemons.every(({ opened }) => opened.length > 0)) {
    await Promise.all(Array.from({ length: 20 }, () => rig.visit(id)));
  }
  for (const daemon of daemons) daemon.leave();
});
