import assert from "node:assert/strict";
import { taken } from "../pure/fuzz.ts";
import { long, REQUESTS, RESPONSES } from "../pure/http1_vectors.ts";
import { headersCase } from "./headers_fuzz.ts";
import { requestCase, responseCase } from "./http1_fuzz.ts";
import { ask, METHODS } from "./llhttp.ts";

const CASES = 20_000;

Deno.test("the oracle is the parser that the vectors were asked of", () => {
  for (const { name, bytes, llhttp, expect } of REQUESTS) {
    const { seen } = ask("request", [long(bytes)]);
    assert.equal(seen[0]?.complete ?? false, llhttp ?? expect.accept, name);
  }
  for (const { name, bytes, request, llhttp, expect } of RESPONSES) {
    const { seen } = ask("response", [long(bytes)], { bodiless: request.method === "HEAD", ends: true });
    const answer = seen.find(({ status }) => status >= 200 || status === 101 || status < 100);
    assert.equal(answer?.complete ?? false, llhttp ?? expect.accept, name);
  }
  assert.equal(METHODS.has("PROPFIND") && !METHODS.has("FROBNICATE"), true);
});

const PROPERTIES = {
  "what we take as a request, llhttp takes and reads alike": requestCase,
  "what we take as a response, llhttp takes and reads alike": responseCase,
  "what goes on to a target is one request, as it came but for what is ours to say": headersCase,
};

for (const [title, run] of Object.entries(PROPERTIES)) {
  Deno.test(title, async () => {
    const n = await taken(run, CASES);
    // Inputs that are all refused would prove nothing, and neither would inputs that are all right.
    assert.ok(n > CASES / 5 && n < CASES * 4 / 5, `${n} of ${CASES} were let through`);
  });
}
