import assert from "node:assert/strict";
import { Rig } from "../e2e/rig.ts";

Deno.test("whoever mistypes the name of a link or a service is told which was meant, and nothing is done", async () => {
  await using rig = new Rig();
  const { state } = await rig.daemon(
    "version: 1\nservices:\n  my-api: echo\nlinks:\n  stripe: { target: echo, ttl: 1h }\n",
  );
  const cases: [string[], RegExp][] = [
    [["revoke", "strpe"], /^connectd: there is no link "strpe"\n {2}did you mean stripe\?\n$/],
    [["renew", "strip", "1h"], /^connectd: there is no link "strip"\n {2}did you mean stripe\?\n$/],
    [["revoke", "elsewhere"], /^connectd: there is no link "elsewhere"\n {2}`connectd list` shows .*\n$/],
    [["explain", "GET", "/", "--link", "stirpe"], /\n {2}did you mean stripe\?\n$/],
    [["link", "my-ap", "--detach"], /did you mean "my-api"\?/],
  ];
  for (const [args, sentence] of cases) {
    const run = await rig.run([...args, "--state", state]);
    assert.deepEqual([run.code, run.stdout], [1, ""], args.join(" "));
    assert.match(run.stderr, sentence);
  }
  const { items } = JSON.parse((await rig.run(["list", "--json", "--state", state])).stdout);
  assert.deepEqual(items.map(({ name, state }: Record<string, string>) => `${name} ${state}`), [
    "stripe active",
  ]);
});
