import assert from "node:assert/strict";
import { parseRate } from "../../src/core/units.ts";
import { workspaceLimits } from "../../src/core/workspace_limits.ts";
import { hubConfig, hubProblemsOf } from "./read.ts";

Deno.test("hub.yaml: a workspace has what `workspaces` says, and for the rest what each has", () => {
  const { workspaces } = hubConfig(
    "version: 1\nlimits: { workspace: { links: 10, sessions: 20, requests: 6000/m } }\n" +
      "workspaces:\n  acme: { links: 1000, requests: none }\n  small: { streams: 1, requests: 1/s burst 5 }\n",
  );
  const of = (name: string) => workspaceLimits(name, workspaces);
  const each = { links: 10, sessions: 20, streams: null, requests: parseRate("6000/m") };
  assert.deepEqual(of("default"), each);
  assert.deepEqual(of("acme"), { ...each, links: 1000, requests: null });
  assert.deepEqual(of("small"), { ...each, streams: 1, requests: parseRate("1/s burst 5") });
});

Deno.test("hub.yaml: workspaces have no limits of their own unless it says so", () => {
  for (const text of ["", "workspaces:\n", "limits: { workspace: {} }\n", "workspaces: { acme: {} }\n"]) {
    const { workspaces } = hubConfig(`version: 1\n${text}`);
    assert.deepEqual(workspaceLimits("acme", workspaces), {
      ...{ links: null, sessions: null, streams: null, requests: null },
    });
  }
});

Deno.test("hub.yaml: limits of a workspace that can not be are problems in their place", () => {
  for (
    const [text, problem] of [
      ["workspaces: { Acme: { links: 1 } }", "2:15 error bad_name"],
      ["workspaces: { acme: { links: 0 } }", "2:30 error bad_value"],
      ["workspaces: { acme: { links: never } }", "2:30 error bad_value"],
      ["workspaces: { acme: { link: 1 } }", "2:23 error unknown_key"],
      ["workspaces: { acme: 5 }", "2:21 error wrong_type"],
      ["workspaces: [acme]", "2:13 error wrong_type"],
      ["limits: { workspace: { requests: 5/m per ip } }", "2:34 error bad_rate"],
      ["limits: { workspace: { requests: fast } }", "2:34 error bad_rate"],
      ["limits: { workspace: { sessions: 2.5 } }", "2:34 error wrong_type"],
    ]
  ) {
    assert.deepEqual(hubProblemsOf(`version: 1\n${text}\n`), [problem], text);
  }
});
