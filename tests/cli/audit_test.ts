/** What can be asked of the audit verb, and what it says of the rest. */
import assert from "node:assert/strict";
import { audit } from "../../src/cli/audit.ts";
import { readWords, UsageError } from "../../src/cli/verb.ts";
import { Failure } from "../../src/core/errors.ts";

const CASES: [args: string[], usage: boolean, says: RegExp][] = [
  [["--verify", "--head"], true, /needs HEAD/],
  [["--verify", "--head", "none"], true, /no file none/],
  [["--verify", "--head", "{}"], true, /line 1 of the heads is none/],
  [["--verify", "--head", "{"], true, /line 1 of the heads is none/],
  [["word"], true, /only with --verify --head/],
  [["--head", "word"], true, /only with --verify --head/],
  [["--limit", "0"], true, /--limit: "0"/],
  [["--limit", "x"], true, /--limit: "x"/],
  [["--verify", "--type", "link"], true, /are for the list/],
  [["--head", "--limit", "3"], true, /are for the list/],
  [["--control", "192.0.2.1:1"], true, /not this machine's own/],
  [["--hub", "http://192.0.2.1"], true, /in the clear/],
  [["--state", "/nonexistent"], false, /no trail lies there/],
];

for (const [args, usage, says] of CASES) {
  Deno.test(`audit ${args.join(" ")}: said in a sentence`, async () => {
    await assert.rejects(async () => await audit.run(readWords(audit, args)), (error: Error) => {
      assert.match(error.message, says);
      assert.equal(error instanceof UsageError, usage);
      return error instanceof Failure;
    });
  });
}
