/** What `connectd token` refuses before it asks anybody. */
import assert from "node:assert/strict";
import { token } from "../../src/cli/token.ts";
import { readWords, UsageError } from "../../src/cli/verb.ts";
import { Failure } from "../../src/core/errors.ts";

const ROWS: readonly (readonly [words: string, says: RegExp])[] = [
  ["destroy", /destroy/],
  ["create", /needs --scope/],
  ["create laptop --scope daemon", /takes no word like "laptop"/],
  ["create --scope root", /--scope/],
  ["create --scope daemon --overlap 1h", /--overlap is for `token rotate`, not `create`/],
  ["list --out ./x", /--out is for `token create` and `rotate`, not `list`/],
  ["rotate", /needs ID/],
  ["rotate a b", /takes no word like "b"/],
  ["rotate a --overlap never", /the old secret has to end/],
  ["rotate a --scope viewer", /--scope is for/],
  ["revoke", /needs ID…/],
  ["approve", /needs CODE/],
  ["deny A B", /takes no word like "B"/],
  ["deny A --scope member", /--scope is for/],
];

for (const [words, says] of ROWS) {
  Deno.test(`connectd token ${words}: exit 2, with the reason`, async () => {
    await assert.rejects(
      async () => await token.run(readWords(token, words.split(" "))),
      (error: Error) => error instanceof UsageError && says.test(error.message),
    );
  });
}

Deno.test("no token is made for a file that can not be written", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const words = [
      "create",
      "--scope",
      "daemon",
      "--state",
      `${folder}/state`,
      "--out",
      `${folder}/no/token`,
    ];
    await assert.rejects(
      token.run(readWords(token, words)),
      (error: Error) => error instanceof Failure && /no token can be written/.test(error.message),
    );
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
