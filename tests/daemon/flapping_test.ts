/** A hub that changes its mind all the time costs a daemon neither memory nor disk. */
import assert from "node:assert/strict";
import { newRecord, takeId } from "../../src/core/link.ts";
import { Records } from "../../src/daemon/records.ts";
import type { Bucket, Store } from "../../src/store/store.ts";
import { DaemonRig } from "./daemon_rig.ts";

/** A store whose disk takes its time, and what was written there. */
function slowStore(): { store: Store; written: string[] } {
  const written: string[] = [];
  const bucket = {
    get: () => Promise.resolve(null),
    list: () => Promise.resolve([]),
    delete: () => Promise.resolve(),
    async put(_: string, value: string) {
      await new Promise((later) => setTimeout(later, 1));
      return written.push(value);
    },
  } as unknown as Bucket;
  return { store: { bucket: () => bucket, close: () => Promise.resolve() } as unknown as Store, written };
}

Deno.test("of a record that changes while the disk is busy only the newest is written, and waited for", async () => {
  const { store, written } = slowStore();
  const records = await Records.open(store);
  written.length = 0;
  let record = newRecord({ ttlMs: null, until: null, maxUses: null });
  const puts = Array.from({ length: 1000 }, (_, i) => {
    record = takeId(record, "hub", `id${i}`);
    return records.put("f", "demo", record);
  });
  await puts[1];
  assert.equal(JSON.parse(written.at(-1)!).ids.hub, "id999", "later ones went with it");
  await Promise.all(puts);
  assert.equal(written.length, 2);
  await records.put("f", "demo", takeId(record, "hub", "last"));
  assert.equal(JSON.parse(written.at(-1)!).ids.hub, "last");
  void records.put("f", "demo", takeId(record, "hub", "begun"));
  void records.put("f", "demo", takeId(record, "hub", "behind"));
  await records.written();
  assert.equal(JSON.parse(written.at(-1)!).ids.hub, "behind");
});

Deno.test("a hub that gives a link an id after the other has its last one kept over a restart", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const { revision } = rig.hub.said.findLast((message) => message.type === "hello")!;
  for (let i = 0; i < 500; i++) {
    const id = `flap${i}`;
    rig.hub.tell({
      type: "granted",
      revision,
      links: [{ name: "demo", id, url: `http://${id}.localhost:8080` }],
    });
  }
  await rig.pass(1);
  assert.equal(rig.link("demo").id, "flap499");
  await rig.restart();
  assert.equal(rig.hub.declared("demo")!.id, "flap499");
});

Deno.test("a hub that refuses a link for another reason every time fills no log", async () => {
  await using rig = await DaemonRig.start("links: { demo: { target: echo } }");
  const { revision } = rig.hub.said.findLast((message) => message.type === "hello")!;
  const refuse = (message: string) =>
    rig.hub.tell({
      type: "granted",
      revision,
      links: [{ name: "demo", refused: { code: "limit", message } }],
    });
  const logged = () => rig.lines.filter((line) => line.includes("refused a link")).length;
  for (let i = 0; i < 500; i++) refuse(`reason ${i}`);
  await rig.pass(1);
  assert.equal(logged(), 1);
  assert.equal(rig.link("demo").lastError, "reason 499");
  await rig.pass(11_000);
  refuse("another");
  await rig.pass(1);
  assert.equal(logged(), 2);
});
