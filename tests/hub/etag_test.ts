/** `If-Match` as it is written (RFC 9110 §13.1.1). */
import assert from "node:assert/strict";
import { type Context, Hono } from "hono";
import { checkIfMatch, heedIfMatch } from "../../src/api/etag.ts";
import { ApiProblem } from "../../src/api/problem.ts";

/** What `check` says of a call with such a field, of a thing whose tag is `"now"`: 200, or the status of its problem. */
async function says(check: (context: Context, etag: string) => void, field: string | null): Promise<number> {
  const app = new Hono();
  app.onError((error) => new Response(null, { status: error instanceof ApiProblem ? error.status : 500 }));
  app.get("/", (context) => {
    check(context, '"now"');
    return context.text("done");
  });
  return (await app.request("/", field === null ? {} : { headers: { "If-Match": field } })).status;
}

const ROWS: readonly (readonly [field: string | null, needed: number, heeded: number])[] = [
  [null, 428, 200],
  ["*", 200, 200],
  ['"now"', 200, 200],
  ['"then", "now"', 200, 200],
  ['"then","now"', 200, 200],
  ['"then"', 412, 412],
  // Compared strongly: a weak tag is never the one that is there.
  ['W/"now"', 412, 412],
  ["now", 412, 412],
  ["", 412, 412],
];

for (const [field, needed, heeded] of ROWS) {
  Deno.test(`If-Match ${field ?? "that is absent"}: ${needed} where it is needed, ${heeded} where it is heeded`, async () => {
    assert.deepEqual([await says(checkIfMatch, field), await says(heedIfMatch, field)], [needed, heeded]);
  });
}
