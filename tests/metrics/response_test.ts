import assert from "node:assert/strict";
import { metricsResponse } from "../../src/api/metrics.ts";
import { type Family, printMetrics } from "../../src/core/metrics.ts";

Deno.test("figures of thousands of links are made in turns, between which others have theirs", async () => {
  const samples = Array.from({ length: 20_000 }, (_, value) => ({ labels: { link: `l${value}` }, value }));
  const families: Family[] = [{ type: "gauge", name: "a", help: "x", samples }];
  let turns = 0, chunks = 0, over = false;
  const others = () => {
    turns++;
    if (!over) setTimeout(others);
  };
  setTimeout(others);
  let text = "";
  for await (const chunk of metricsResponse(families).body!) {
    chunks++;
    assert.ok(chunk.length < 64 * 1024, `${chunk.length}`);
    text += new TextDecoder().decode(chunk);
  }
  over = true;
  await new Promise((turn) => setTimeout(turn, 5));
  assert.equal(text, printMetrics(families));
  assert.ok(chunks > 5 && turns >= chunks, `${turns} turns of others in ${chunks} chunks`);
});

Deno.test("figures that nobody reads to the end are left, and nothing goes on", async () => {
  const samples = Array.from({ length: 20_000 }, (_, value) => ({ labels: { link: `l${value}` }, value }));
  const reader = metricsResponse([{ type: "gauge", name: "a", help: "x", samples }]).body!.getReader();
  assert.equal((await reader.read()).done, false);
  await reader.cancel();
  // Deno.test fails for a timer that is left.
  await new Promise((turn) => setTimeout(turn, 5));
  assert.equal((await reader.read()).done, true);
});
