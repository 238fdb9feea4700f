/** `plan FILE`: what an edit will do, before it is saved where the daemon takes it at once. */
import assert from "node:assert/strict";
import { Rig } from "./rig.ts";

Deno.test("`plan FILE` shows what a draft would do, its mistakes in their places, and leaves the daemon as it is", async () => {
  await using rig = new Rig();
  const { state } = await rig.daemon("version: 1\nlinks: { a: { target: echo } }\n");
  const draft = rig.file("next.yaml", "version: 1\ndrain_timeout: 5s\nlinks: { b: { target: echo } }\n");
  const plan = (file: string, ...more: string[]) => rig.run(["plan", file, "--state", state, ...more]);
  const shown = await plan(draft);
  assert.deepEqual([shown.code, shown.stdout], [0, "drain_timeout: 30s → 5s\n- a\n+ b\n"], shown.stderr);
  const json = JSON.parse((await plan(draft, "--json")).stdout);
  assert.deepEqual([json.plan.length, json.settings.length, json.problems], [2, 1, []]);

  const bad = await plan(rig.file("bad.yaml", "version: 1\nlinks: { b: { taget: echo } }\n"));
  assert.deepEqual([bad.code, bad.stdout], [2, ""]);
  assert.match(bad.stderr, /bad\.yaml:2:15: error: "taget" is no key here/);
  const none = await plan(`${rig.folder}/none.yaml`);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /there is no file \S+\/none\.yaml\n {2}see: connectd help plan/);
  const { links } = JSON.parse((await rig.run(["status", "--state", state, "--json"])).stdout);
  assert.deepEqual(links, { active: 1 });
  const list = JSON.parse((await rig.run(["list", "--state", state, "--json"])).stdout);
  assert.deepEqual(list.items.map(({ name }: { name: string }) => name), ["a"]);
});
