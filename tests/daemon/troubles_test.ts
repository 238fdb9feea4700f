/** What the owner learns of a target that fails, which the visitor is not told. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { entryTo, Rig } from "./serve_rig.ts";

Deno.test("a target that fails is in the log with the request's id and the cause, and on its link until it answers", async () => {
  await using rig = new Rig();
  let answers = false;
  const target = rig.target(async (connection) => {
    await connection.readHead();
    await connection.write(answers ? "HTTP/1.1 204 No Content\r\n\r\n" : "220 smtp ready\r\n\r\n");
  });
  const link = rig.link(entryTo(target.target));
  await rig.get("GET /");
  assert.match(link.trouble!, /^target_bad_response: ./);
  assert.match(
    rig.said.at(-1)!,
    /warn {2}a target failed link=demo target=http:\/\/127\.0\.0\.1:\d+ code=target_bad_response cause=.* request=req-1/,
  );
  answers = true;
  assert.equal((await rig.get("GET /")).status, 204);
  assert.equal(link.trouble, null);
});

Deno.test("a target that goes on failing is said once in ten seconds, with how often it did", async () => {
  const clock = new TestClock();
  await using rig = new Rig(clock);
  const target = rig.target(async (connection) => void await connection.readHead());
  rig.link(entryTo(target.target));
  for (let i = 0; i < 3; i++) await rig.get("POST /");
  assert.equal(rig.said.length, 1);
  clock.advance(10_000);
  await rig.get("POST /");
  assert.equal(rig.said.length, 2);
  assert.match(rig.said[1], / more=2$/);
});
