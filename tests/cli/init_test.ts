/** The first file that somebody has. */
import assert from "node:assert/strict";
import { readConfig } from "../../src/config/links.ts";
import { firstFile } from "../../src/cli/init.ts";
import { Rig } from "../e2e/rig.ts";

const HERE = { file: "/here/links.yaml", dir: "/here", home: "/home", now: 0 };

/** The file with every line that is commented out as a key taken in, and those of a hub left out. */
function takenIn(text: string): string {
  return text.replaceAll(/^( *)# (?=(?: *)(?:stripe|target|methods|paths|rate|auth):)/gm, "$1");
}

Deno.test("a first file is fine as it stands, with a link for each server, and so is what is commented out in it", () => {
  for (const hub of [null, "https://hub.example.com"]) {
    for (const servers of [[], ["localhost:3000", "localhost:5173"]]) {
      const text = firstFile(hub, servers);
      const { config, problems } = readConfig(text, HERE);
      assert.deepEqual(problems, []);
      assert.deepEqual([...config!.links.keys()], ["hello", ...servers.map((s) => s.replace(":", "-"))]);
      assert.deepEqual(config!.hubs.map(({ url }) => url), hub === null ? [] : [hub]);
      const all = readConfig(takenIn(text), HERE);
      assert.deepEqual(all.problems, []);
      const { policy } = all.config!.links.get(servers.length > 0 ? "localhost-3000" : "stripe")!;
      assert.ok(policy.rate !== undefined && policy.paths !== undefined && policy.methods !== undefined);
    }
  }
});

Deno.test("init writes links.yaml for what it finds, says what is next, and never writes over a file", async () => {
  await using rig = new Rig();
  const first = await rig.run(["init"]);
  assert.deepEqual([first.code, first.stderr], [0, ""]);
  assert.match(first.stdout, /wrote .*links\.yaml\n {2}hello .*\n[^]*next: connectd run\n$/);
  const text = Deno.readTextFileSync(`${rig.folder}/links.yaml`);
  assert.equal((await rig.run(["check"])).code, 0);
  const second = await rig.run(["init", "--hub", "https://hub.example.com"]);
  assert.deepEqual([second.code, second.stdout], [1, ""]);
  assert.match(second.stderr, /links\.yaml is there already.*\n.*connectd check/);
  assert.equal(Deno.readTextFileSync(`${rig.folder}/links.yaml`), text);
  // Nor through a link that leads to where nothing is yet.
  Deno.removeSync(`${rig.folder}/links.yaml`);
  Deno.symlinkSync(`${rig.folder}/elsewhere`, `${rig.folder}/links.yaml`);
  assert.equal((await rig.run(["init"])).code, 1);
  assert.throws(() => Deno.lstatSync(`${rig.folder}/elsewhere`), Deno.errors.NotFound);
});
