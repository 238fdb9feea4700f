import assert from "node:assert/strict";
import { field } from "../../src/core/http1/types.ts";
import { toBytes } from "../../src/core/latin1.ts";
import { answer, headOf, pass, request, Taken, timed } from "./visitor_rig.ts";

const GET = request("GET /");
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked";
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade";
const PROXY = "192.0.2.80";

Deno.test("a head has ten seconds in all, however steadily it trickles, and is answered with 408", async () => {
  const { rig, clock } = timed();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1");
  for (const part of ["GET / ", "HTTP/1.1\r\n", "Host: a\r\n", "X: "]) {
    await visitor.send(part);
    await pass(clock, 3_000);
  }
  const { status, head, body } = await visitor.answer();
  assert.deepEqual([status, JSON.parse(body).code], [408, "request_timeout"]);
  assert.equal(field(head, "connection"), "close");
  assert.equal(await visitor.rest(), "");
});

Deno.test("a visitor that says nothing is let go after ten seconds, without a word", async () => {
  const { rig, clock } = timed();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1");
  await pass(clock, 9_000);
  assert.equal(rig.listener.connections, 1);
  await pass(clock, 2_000);
  assert.equal(await visitor.rest(), "");
  assert.equal(rig.listener.connections, 0);
});

Deno.test("an idle connection is kept for 60 seconds, a trusted proxy's for 150", async () => {
  for (const [address, kept] of [["192.0.2.1", 59_000], [PROXY, 149_000]] as const) {
    const { rig, clock, next } = timed({ trusted: (ip) => ip === PROXY });
    await using _ = rig;
    const visitor = rig.from(address);
    for (let i = 0; i < 2; i++) {
      await visitor.send(GET);
      answer(await next(), "x");
      assert.equal((await visitor.answer()).body, "x");
      await pass(clock, kept);
    }
    assert.equal(rig.listener.connections, 1);
    await pass(clock, 2_000);
    assert.equal(await visitor.rest(), "");
    assert.equal(rig.listener.connections, 0);
  }
});

Deno.test("a target may be silent for ever", async () => {
  const { rig, clock, next } = timed();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1");
  await visitor.send(request("POST /", ["Content-Length: 2"], "ab"));
  const exchange = await next();
  exchange.receive(new Taken());
  await pass(clock, 3_600_000);
  exchange.respond(headOf(CHUNKED));
  await pass(clock, 3_600_000);
  exchange.write(toBytes("x"));
  await pass(clock, 3_600_000);
  exchange.finish();
  assert.equal((await visitor.answer()).body, "x");
});

Deno.test("an upgraded connection may be silent for ever, even one that takes nothing", async () => {
  const { rig, clock, next } = timed();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1", 100);
  await visitor.send(request("GET /", ["Connection: Upgrade", "Upgrade: websocket"]));
  const exchange = await next();
  exchange.upgrade(headOf(SWITCH, "GET", "websocket"));
  exchange.receive(new Taken());
  exchange.write(new Uint8Array(10_000));
  await pass(clock, 3_600_000);
  await visitor.until("\r\n\r\n");
  await visitor.octets(10_000);
});

Deno.test("a visitor that owes its body has 60 seconds for each part of it, then 408", async () => {
  const { rig, clock, next } = timed();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1");
  await visitor.send(request("POST /", ["Content-Length: 9"]));
  const exchange = await next();
  let left = 0;
  exchange.onLeave = () => left++;
  exchange.receive(new Taken());
  for (let i = 0; i < 5; i++) {
    await visitor.send("x");
    await pass(clock, 50_000);
  }
  assert.equal(left, 0);
  await pass(clock, 11_000);
  assert.equal((await visitor.answer()).status, 408);
  assert.equal(left, 1);
});

Deno.test("a visitor whose body nobody asks for or takes owes nothing", async () => {
  const { rig, clock, next } = timed();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1");
  await visitor.send(request("POST /", ["Content-Length: 9"], "x"));
  const exchange = await next(), body = new Taken();
  await pass(clock, 3_600_000);
  body.taking = false;
  exchange.receive(body);
  await pass(clock, 3_600_000);
  body.taking = true;
  exchange.resume();
  await visitor.send("12345678");
  await body.over.promise;
});

Deno.test("a visitor that takes nothing has 60 seconds, and each octet that it takes gives it more", async () => {
  const { rig, clock, next } = timed();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1", 100);
  await visitor.send(GET);
  const exchange = await next();
  let left = 0;
  exchange.onLeave = () => left++;
  exchange.respond(headOf(CHUNKED));
  exchange.write(new Uint8Array(10_000));
  for (let i = 0; i < 5; i++) {
    await pass(clock, 50_000);
    await visitor.octets(200);
  }
  assert.equal(left, 0);
  await pass(clock, 61_000);
  assert.equal(left, 1);
  assert.equal(rig.listener.connections, 0);
});

Deno.test("a whole answer that nobody takes is given up after a while", async () => {
  for (const lines of [[], ["Connection: close"]]) {
    const { rig, clock, next } = timed();
    await using _ = rig;
    const visitor = rig.from("192.0.2.1", 100);
    await visitor.send(request("GET /", lines));
    answer(await next(), "x".repeat(10_000));
    await pass(clock, 61_000);
    assert.equal(rig.listener.connections, 0);
    assert.equal(rig.listener.busy, 0);
  }
});

Deno.test("who takes answers slowly has no more time for its next head", async () => {
  const { rig, clock, next } = timed();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1", 100);
  await visitor.send(GET + "GET / HT");
  answer(await next(), "x".repeat(10_000));
  for (let i = 0; i < 3; i++) {
    await pass(clock, 4_000);
    await visitor.octets(200);
  }
  await visitor.until(" 408 ");
});

Deno.test("a last answer may be taken as slowly as any other", async () => {
  const { rig, clock, next } = timed();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1", 100);
  await visitor.send(GET + "GET / HT");
  answer(await next(), "x".repeat(10_000));
  await visitor.send("TP/3\r\n");
  for (let i = 0; i < 3; i++) {
    await pass(clock, 50_000);
    await visitor.octets(200);
  }
  await visitor.until(" 400 ");
});

Deno.test("a connection that was told close is ended within two seconds, whatever its visitor does", async () => {
  const { rig, clock, next } = timed();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1");
  await visitor.send(request("GET /", ["Connection: close"]));
  answer(await next(), "x");
  assert.equal((await visitor.answer()).body, "x");
  for (let i = 0; i < 3; i++) {
    await visitor.send("x").catch(() => {});
    await pass(clock, 1_000);
  }
  assert.equal(rig.listener.connections, 0);
});
