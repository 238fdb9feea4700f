/** What the owner learns that the visitor is not told: how a target fails, what a shadow link would refuse. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { answering, entryTo, Rig } from "./serve_rig.ts";

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

Deno.test("a target that goes on failing is said at once, then in ten seconds once with how often it did", async () => {
  const clock = new TestClock();
  await using rig = new Rig(clock);
  const target = rig.target(async (connection) => void await connection.readHead());
  rig.link(entryTo(target.target));
  for (let i = 0; i < 3; i++) await rig.get("POST /");
  assert.equal(rig.said.length, 1);
  clock.advance(10_200);
  assert.equal(rig.said.length, 2);
  assert.match(rig.said[1], / times=2$/);
  await rig.get("POST /");
  assert.equal(rig.said.length, 2);
  clock.advance(10_200);
  assert.equal(rig.said.length, 3);
  assert.doesNotMatch(rig.said[2], / times=/);
  clock.advance(20_400);
  assert.equal(rig.said.length, 3);
  await rig.get("POST /");
  assert.equal(rig.said.length, 4, "it was quiet for a while: at once again");
});

Deno.test("what a shadow link would refuse is said at once, then in ten seconds once for each code, and nothing is lost", async () => {
  const clock = new TestClock();
  await using rig = new Rig(clock);
  const target = rig.target(answering("hello"));
  const entry = entryTo(target.target, {}, { methods: ["GET"], paths: ["/api"], shadow: true });
  const link = rig.link(entry);
  const paths = ["/x?secret", "/api", "/y", "/z"];
  for (const path of paths) assert.equal((await rig.get(`GET ${path}`)).status, 200);
  await rig.get("PUT /x");
  assert.deepEqual(link.counters.shadowed, { path_denied: 3, method_denied: 1 });
  const lines = () => rig.said.splice(0).map((line) => line.replace(/^\S+ /, ""));
  assert.deepEqual(lines(), [
    "info  would be refused link=demo code=path_denied request=req-1",
    "info  would be refused link=demo code=method_denied request=req-1",
  ]);
  clock.advance(10_200);
  assert.deepEqual(lines(), ["info  would be refused link=demo code=path_denied request=req-1 times=2"]);
  await rig.get("GET /x");
  await rig.get("GET /x");
  assert.deepEqual(lines(), []);
  rig.troubles.close();
  assert.deepEqual(lines(), ["info  would be refused link=demo code=path_denied request=req-1 times=2"]);
});
