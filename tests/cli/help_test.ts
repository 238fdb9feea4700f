import assert from "node:assert/strict";
import { VERBS } from "../../src/cli/main.ts";
import { verbHelp } from "../../src/cli/verb.ts";
import deno from "../../deno.json" with { type: "json" };

Deno.test("the help of a verb names every flag it takes, and what follows it", () => {
  for (const verb of VERBS) {
    const help = verbHelp(verb);
    assert.ok(help.startsWith(`connectd ${verb.name}`), verb.name);
    for (const { name, short, value } of verb.flags) {
      const flag = `--${name}${value === undefined ? "" : ` ${value}`}`;
      const line = help.split("\n").find((line) => line.startsWith("  ") && line.includes(`${flag} `));
      assert.ok(line !== undefined, `${verb.name} ${flag}`);
      if (short !== undefined) assert.ok(line.includes(`-${short}, --${name}`), `${verb.name} -${short}`);
    }
    assert.ok(help.includes("--help"), verb.name);
  }
});

Deno.test("no verb has two flags of one name or one letter", () => {
  for (const { name, flags } of VERBS) {
    const taken = [
      "help",
      "h",
      ...flags.flatMap(({ name, short }) => short === undefined ? [name] : [name, short]),
    ];
    assert.equal(new Set(taken).size, taken.length, `${name}: ${taken.join(" ")}`);
  }
});

Deno.test("every verb is a task of the checkout that never asks for a permission", () => {
  const tasks: Record<string, string> = deno.tasks;
  for (const { name } of VERBS) {
    assert.match(tasks[name] ?? "", new RegExp(`^deno run --no-prompt .* mod\\.ts ${name}$`), name);
  }
});
