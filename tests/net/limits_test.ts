import assert from "node:assert/strict";
import { field } from "../../src/core/http1/types.ts";
import { socketPair } from "../../src/net/socket.ts";
import { answer, headOf, pass, request, settle, TestVisitor, timed, until } from "./visitor_rig.ts";

const GET = request("GET /");
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked";
const PROXY = "192.0.2.80";

Deno.test("beyond the limit of connections visitors are answered with 503, and none too few", async () => {
  const { rig, next } = timed({ limits: { connections: 2 } });
  await using _ = rig;
  const first = await rig.connect();
  await rig.connect();
  await until(() => rig.listener.connections === 2);
  const third = await rig.connect();
  const { status, body, head } = await third.ask(GET);
  assert.deepEqual([status, JSON.parse(body).code], [503, "hub_busy"]);
  assert.equal(field(head, "retry-after"), "5");
  assert.equal(await third.rest(), "");
  first.leave();
  await until(() => rig.listener.connections === 1);
  const fourth = await rig.connect();
  await fourth.send(GET);
  answer(await next(), "x");
  assert.equal((await fourth.answer()).body, "x");
});

Deno.test("whoever is turned away is read by one reader at a time, as everybody is", async () => {
  const { rig } = timed({ limits: { connections: 0 } });
  await using _ = rig;
  const [here, there] = socketPair();
  let readers = 0, most = 0;
  rig.listener.serve({
    read: async (p) => {
      most = Math.max(most, ++readers);
      const n = await there.read(p);
      readers--;
      return n;
    },
    write: (p) => there.write(p),
    closeWrite: () => there.closeWrite(),
    close: () => there.close(),
  }, "192.0.2.1");
  const visitor = new TestVisitor(here);
  assert.equal((await visitor.ask(GET)).status, 503);
  await visitor.send(GET);
  visitor.leave();
  assert.equal(most, 1);
});

Deno.test("beyond the limits what is urgent is served, once, and what says nothing is told so in time", async () => {
  const { rig, clock, next } = timed({
    limits: { connections: 0 },
    urgent: (head) => head.target === "/urgent",
  });
  await using _ = rig;
  const urgent = rig.from("192.0.2.1");
  await urgent.send(request("GET /urgent"));
  answer(await next(), "served");
  const { head, body } = await urgent.answer();
  assert.deepEqual([field(head, "connection"), body], ["close", "served"]);
  assert.equal(await urgent.rest(), "");
  const silent = rig.from("192.0.2.1"), slow = rig.from("192.0.2.1");
  await slow.send("GET /urgent HTTP/1.1\r\n");
  await pass(clock, 1_900);
  await slow.send("Host: ");
  await pass(clock, 300);
  for (const visitor of [silent, slow]) assert.equal((await visitor.answer()).status, 503);
});

Deno.test("beyond the limits whoever has said nothing for longest goes, and a tunnel goes nowhere", async () => {
  const { rig, next } = timed({ limits: { connections: 0 }, urgent: () => true });
  await using _ = rig;
  const tunnel = rig.from("192.0.2.1");
  await tunnel.send(GET);
  const conn = (await next()).detach();
  const silent = Array.from({ length: 512 }, () => rig.from("192.0.2.1"));
  const speaking = rig.from("192.0.2.1");
  assert.equal(await silent[0].rest(), "");
  await speaking.send(GET);
  answer(await next(), "heard");
  assert.equal((await speaking.answer()).body, "heard");
  await silent[1].send(GET);
  answer(await next(), "there");
  assert.equal((await silent[1].answer()).body, "there");
  assert.equal(conn.destroyed, false);
  conn.destroy();
});

Deno.test("a /64 of IPv6 counts as one address: a visitor has all of it", async () => {
  const { rig } = timed({ limits: { perAddress: 2 } });
  await using _ = rig;
  const first = rig.from("2001:db8:0:1::1");
  rig.from("2001:db8:0:1:ffff::2");
  assert.equal((await rig.from("2001:db8:0:1::3").ask(GET)).status, 503);
  rig.from("2001:db8:0:2::1");
  assert.equal(rig.listener.connections, 3);
  first.leave();
  await until(() => rig.listener.connections === 2);
  rig.from("2001:db8:0:1::4");
  assert.equal(rig.listener.connections, 3);
});

Deno.test("an address has so many connections and no more; loopback and trusted proxies have all they want", async () => {
  const { rig } = timed({ limits: { perAddress: 2 }, trusted: (ip) => ip === PROXY });
  await using _ = rig;
  for (const address of ["127.0.0.1", "::1", PROXY]) for (let i = 0; i < 4; i++) rig.from(address);
  assert.equal(rig.listener.connections, 12);
  const first = rig.from("192.0.2.1");
  // One address, written in two ways.
  rig.from("::ffff:192.0.2.1");
  const third = rig.from("192.0.2.1");
  assert.equal((await third.ask(GET)).status, 503);
  rig.from("192.0.2.2");
  assert.equal(rig.listener.connections, 15);
  first.leave();
  await until(() => rig.listener.connections === 14);
  rig.from("192.0.2.1");
  assert.equal(rig.listener.connections, 15);
});

Deno.test("a client is who the nearest trusted proxies say, not who it says", async () => {
  const trusted = (ip: string) => ip === PROXY || ip === "192.0.2.81";
  const cases: readonly (readonly [peer: string, lines: string[], client: string, secure: boolean])[] = [
    ["198.51.100.7", ["X-Forwarded-For: 203.0.113.1", "X-Forwarded-Proto: https"], "198.51.100.7", false],
    [PROXY, [], PROXY, false],
    [PROXY, ["X-Forwarded-For: 203.0.113.1, 198.51.100.7"], "198.51.100.7", false],
    [
      PROXY,
      ["X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: 198.51.100.7, 192.0.2.81"],
      "198.51.100.7",
      false,
    ],
    [PROXY, ["X-Forwarded-For: 203.0.113.1, unknown, 192.0.2.81"], "192.0.2.81", false],
    [PROXY, ["X-Forwarded-For: [2001:DB8::1]:4711", "X-Forwarded-Proto: https"], "2001:db8::1", true],
    [PROXY, ["X-Forwarded-Proto: https, http"], PROXY, false],
    [PROXY, ["X-Forwarded-Proto: http", "X-Forwarded-Proto: HTTPS"], PROXY, true],
  ];
  const { rig, next } = timed({ trusted });
  await using _ = rig;
  for (const [peer, lines, client, secure] of cases) {
    await rig.from(peer).send(request("GET /", lines));
    const exchange = await next();
    assert.deepEqual(
      [exchange.peer, exchange.address, exchange.secure],
      [peer, client, secure],
      lines.join(),
    );
  }
});

Deno.test("behind a proxy the requests in flight are counted by client", async () => {
  const { rig, next } = timed({ limits: { perAddress: 2 }, trusted: (ip) => ip === PROXY });
  await using _ = rig;
  const asClient = request("GET /", ["X-Forwarded-For: 198.51.100.7"]);
  const [first, second, third] = [rig.from(PROXY), rig.from(PROXY), rig.from(PROXY)];
  await first.send(asClient);
  await second.send(asClient);
  const exchange = await next();
  await next();
  assert.equal((await third.ask(asClient)).status, 503);
  await third.send(request("GET /", ["X-Forwarded-For: 198.51.100.8"]));
  answer(await next(), "other");
  assert.equal((await third.answer()).body, "other");
  answer(exchange, "x");
  assert.equal((await first.answer()).body, "x");
  second.leave();
  await until(() => rig.listener.connections === 2);
  for (const visitor of [first, third]) {
    await visitor.send(asClient);
    answer(await next(), "again");
    assert.equal((await visitor.answer()).body, "again");
  }
});

Deno.test("a drain accepts nobody, waits for what is in flight, and says close", async () => {
  const { rig, next } = timed();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.send(GET);
  const exchange = await next();
  let drained = false;
  const draining = rig.listener.drain(5_000).then(() => drained = true);
  await settle();
  await assert.rejects(rig.connect());
  assert.equal(drained, false);
  answer(exchange, "last");
  const { head, body } = await visitor.answer();
  assert.deepEqual([field(head, "connection"), body], ["close", "last"]);
  assert.equal(await visitor.rest(), "");
  await draining;
});

Deno.test("a drain ends in time though an answer does not, and though it was asked for twice", async () => {
  const { rig, clock, next } = timed();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1");
  await visitor.send(GET);
  await next();
  const draining = [rig.listener.drain(5_000), rig.listener.drain(60_000)];
  await pass(clock, 5_100);
  await Promise.all(draining);
});

Deno.test("a drain waits until an answer has been taken", async () => {
  const { rig, next } = timed();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1", 100);
  await visitor.send(GET);
  const exchange = await next();
  let drained = false;
  const draining = rig.listener.drain(5_000).then(() => drained = true);
  // The answer ends within the report that its octets are with the kernel.
  exchange.onFlushed = () => {
    if (exchange.queued === 0) exchange.abort();
  };
  exchange.respond(headOf(CHUNKED));
  exchange.write(new Uint8Array(1_000));
  await settle();
  assert.equal(drained, false);
  await visitor.rest();
  await draining;
  assert.equal(rig.listener.connections, 0);
});

Deno.test("close cuts everybody, and whoever answers is told", async () => {
  const { rig, next } = timed();
  const visitor = await rig.connect(), idle = await rig.connect();
  await visitor.send(GET);
  let left = 0;
  (await next()).onLeave = () => left++;
  await until(() => rig.listener.connections === 2);
  rig.listener.close();
  assert.equal(left, 1);
  assert.deepEqual([await visitor.rest(), await idle.rest()], ["", ""]);
  assert.deepEqual([rig.listener.connections, rig.listener.busy], [0, 0]);
  visitor.leave();
  idle.leave();
});

Deno.test("connections that are accepted while the listener closes are not kept", async () => {
  for (let round = 0; round < 20; round++) {
    const { rig } = timed();
    const { port } = await rig.listener.listen({ hostname: "127.0.0.1", port: 0 }) as Deno.NetAddr;
    const sockets = await Promise.all(
      Array.from({ length: 5 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
    );
    rig.listener.close();
    for (const socket of sockets) {
      await socket.read(new Uint8Array(1)).catch(() => null);
      socket.close();
    }
    assert.equal(rig.listener.connections, 0);
  }
});
