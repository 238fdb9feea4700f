/** A hub that ends while it is asked about tokens: what it may have done is not done a second time. */
import assert from "node:assert/strict";
import { openTokens } from "../../src/hub/place.ts";
import { Rig } from "../e2e/rig.ts";

Deno.test("a token is not rotated, made or revoked on the store of a hub that took the call and gave no answer", async () => {
  await using rig = new Rig();
  const state = `${rig.folder}/hub`, words = ["--state", state];
  const made = await rig.run(["token", "create", "--scope", "daemon", "--name", "ci", ...words]);
  assert.equal(made.code, 0, made.stderr);
  using listener = Deno.listen({ transport: "unix", path: `${state}/hub.sock` });
  void (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      connection.close();
    }
  })();
  for (
    const verb of [["rotate", "ci"], ["revoke", "ci"], ["create", "--scope", "viewer", "--name", "two"]]
  ) {
    const { code, stdout, stderr } = await rig.run(["token", ...verb, ...words]);
    assert.deepEqual([code, stdout], [1, ""], verb[0]);
    assert.match(stderr, /nobody answers at .*\n.*see with `connectd token list` whether/);
  }
  const { tokens, close } = await openTokens(`${state}/hub.db`);
  const left = tokens.list(null).map(({ name, generation, revokedAt }) => [name, generation, revokedAt]);
  await close();
  assert.deepEqual(left, [["ci", 0, null]]);
});
