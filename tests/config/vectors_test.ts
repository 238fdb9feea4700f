import assert from "node:assert/strict";
import { readConfig } from "../../src/config/links.ts";
import { fixtures, NOW } from "./read.ts";

/** The block `# problems` at the end of a fixture. */
function expected(text: string): string[] {
  const block = text.split(/^# problems\n/m)[1];
  assert.ok(block !== undefined, "the fixture has a block of problems");
  return block.trimEnd().split("\n").map((line) => line.replace(/^# /, ""));
}

/** Of a text that can not be read on, only the line is promised. */
function told(line: string): string {
  return line.replace(/^(\d+):\d+ (error (?:syntax|too_deep))$/, "$1 $2");
}

Deno.test("every valid configuration is accepted without a word", async (t) => {
  for (const [name, text] of fixtures("valid")) {
    await t.step(name, () => {
      const { config, problems } = readConfig(text, { file: "/etc/links.yaml", now: NOW });
      assert.deepEqual(problems, []);
      assert.notEqual(config, null);
    });
  }
});

for (const [kind, accepted] of [["warned", true], ["invalid", false]] as const) {
  Deno.test(`${kind} configurations are ${accepted ? "accepted" : "refused"} with exactly their problems`, async (t) => {
    for (const [name, text] of fixtures(kind)) {
      await t.step(name, () => {
        const { config, problems } = readConfig(text, { file: "/etc/links.yaml", now: NOW });
        const lines = problems.map((p) => `${p.line}:${p.column} ${p.severity} ${p.code}`);
        assert.deepEqual(lines.map(told), expected(text).map(told));
        assert.equal(config !== null, accepted);
        for (const { source, line } of problems) {
          assert.equal(source, text.split("\n")[line - 1].replace("user:pass@", "*********@"));
        }
      });
    }
  });
}
