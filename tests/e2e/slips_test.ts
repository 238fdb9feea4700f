/** What is typed a little wrong while one looks for a request: told, not just not found. */
import assert from "node:assert/strict";
import { Rig } from "./rig.ts";

Deno.test("a search for a link or code that is none says which one was meant, and an ID that is none where those are", async () => {
  await using rig = new Rig();
  const { state } = await rig.daemon("version: 1\nlinks: { stripe: { target: echo } }\n");
  const ROWS: [args: string[], code: number, stdout: RegExp, stderr: RegExp][] = [
    [
      ["requests", "--link", "strip"],
      0,
      /^no such request is kept\n$/,
      /no link "strip": did you mean stripe\?/,
    ],
    [["requests", "--link", "zebra"], 0, /^no such/, /no link "zebra": `connectd list` shows/],
    [["requests", "--link", "stripe"], 0, /^no such/, /^$/],
    [["requests"], 0, /^no request was captured\n$/, /^$/],
    [
      ["requests", "--code", "rate_limit"],
      0,
      /^no such/,
      /no code "rate_limit": did you mean rate_limited\?/,
    ],
    [["requests", "--code", "visitor_left"], 0, /^no such/, /^$/],
    [["requests", "--status", "9xx"], 2, /^$/, /"9xx" is neither a status such as 503 nor a class/],
    [
      ["requests", "abc"],
      1,
      /^$/,
      /no captured request "abc"\n {2}`connectd requests` shows those that are kept/,
    ],
    [
      ["replay", "abc"],
      1,
      /^$/,
      /no captured request "abc"\n {2}`connectd requests` shows those that are kept/,
    ],
    [
      ["audit", "--type", "link.open"],
      0,
      /^no such records\n$/,
      /there are daemon\.started, link\.opened, session\.opened among the last 1000/,
    ],
    [["audit", "--link", "zebra"], 0, /^no such records\n$/, /^$/],
    [["logs", "--link", "strip"], 0, /^no such request was logged\n$/, /did you mean stripe\?/],
    [["logs", "--code", "path_denid"], 0, /^no such/, /did you mean path_denied\?/],
  ];
  await Promise.all(ROWS.map(async ([args, code, stdout, stderr]) => {
    const run = await rig.run([...args, "--state", state]);
    assert.equal(run.code, code, `${args}: ${run.stderr}`);
    assert.match(run.stdout, stdout, `${args}`);
    assert.match(run.stderr, stderr, `${args}`);
  }));
});
