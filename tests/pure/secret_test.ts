import assert from "node:assert/strict";
import { inspect } from "node:util";
import { equalBytes, Secret } from "../../src/core/secret.ts";

Deno.test("a secret prints as *** however it is printed, and comes out only by expose", () => {
  const secret = new Secret("hunter2");
  const prints = [
    String(secret),
    `${secret}`,
    "" + secret,
    JSON.stringify({ secret }),
    Deno.inspect(secret),
    Deno.inspect({ deep: [secret] }, { showHidden: true }),
    inspect(secret, { showHidden: true }),
    JSON.stringify(Object.entries(secret)),
  ];
  for (const print of prints) assert.ok(!print.includes("hunter2"), print);
  for (const print of prints.slice(0, 7)) assert.ok(print.includes("***"), print);
  assert.equal(secret.expose(), "hunter2");
});

Deno.test("bytes are equal when all are, wherever they differ", () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
  assert.ok(equalBytes(bytes, bytes.slice()));
  for (let i = 0; i < 32; i++) {
    const other = bytes.slice();
    other[i] ^= 1 << (i % 8);
    assert.ok(!equalBytes(bytes, other), `byte ${i}`);
  }
  assert.ok(!equalBytes(bytes, bytes.subarray(1)));
  assert.ok(equalBytes(new Uint8Array(), new Uint8Array()));
});
