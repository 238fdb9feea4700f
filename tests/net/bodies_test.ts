import assert from "node:assert/strict";
import { toBytes } from "../../src/core/latin1.ts";
import type { Exchange } from "../../src/net/exchange.ts";
import { answer, headOf, request, Taken, until, VisitorRig } from "./visitor_rig.ts";

const GET = request("GET /");
const LENGTH_5 = "HTTP/1.1 200 OK\r\nContent-Length: 5";
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked";

/** A rig whose exchanges the test answers by hand. */
function byHand(): { rig: VisitorRig; next: () => Promise<Exchange>; left: () => number } {
  const exchanges: Exchange[] = [];
  let left = 0;
  const rig = new VisitorRig({
    handler: (exchange) => {
      exchange.onLeave = () => left++;
      exchanges.push(exchange);
    },
  });
  const next = async () => {
    await until(() => exchanges.length > 0);
    return exchanges.shift()!;
  };
  return { rig, next, left: () => left };
}

Deno.test("an answer may begin before the request has ended, and end after it", async () => {
  const { rig, next } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.send(request("POST /", ["Content-Length: 4"], "ab"));
  const exchange = await next(), body = new Taken();
  exchange.receive(body);
  exchange.respond(headOf(CHUNKED));
  exchange.write(toBytes("early"));
  assert.match(await visitor.until("early\r\n"), /^HTTP\/1\.1 200 OK\r\n/);
  await visitor.send("cd");
  await body.over.promise;
  exchange.finish();
  assert.equal(await visitor.until("0\r\n\r\n"), "0\r\n\r\n");
  assert.equal(body.text, "abcd");
  await visitor.send(GET);
  answer(await next(), "x");
  assert.equal((await visitor.answer()).body, "x");
});

Deno.test("the rest of a request that was answered early is skipped while it is short", async () => {
  const { rig, next } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.send(request("POST /", ["Content-Length: 6"], "ab"));
  answer(await next(), "early");
  assert.equal((await visitor.answer()).body, "early");
  await visitor.send("GET " + GET);
  const exchange = await next();
  assert.equal(exchange.head.target, "/");
  answer(exchange, "second");
  assert.equal((await visitor.answer()).body, "second");
});

Deno.test("a visitor that sends much more than was wanted still reads its answer", async () => {
  const { rig, next } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  const sent = visitor.send(
    request("POST /", ["Transfer-Encoding: chunked"], "80000\r\n" + "x".repeat(0x80000) + "\r\n0\r\n\r\n"),
  );
  answer(await next(), "enough");
  assert.equal((await visitor.answer()).body, "enough");
  await sent;
  assert.equal(await visitor.rest(), "");
});

Deno.test("a malformed rest of a request that was answered does not take the answer away", async () => {
  const { rig, next } = byHand();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1", 1000);
  await visitor.send(request("POST /", ["Transfer-Encoding: chunked"], "1\r\n"));
  answer(await next(), "early");
  const sent = visitor.send("abc" + "x".repeat(500_000));
  assert.equal((await visitor.answer()).body, "early");
  // A socket that is closed with octets unread is reset, and its visitor may lose what it has not looked at.
  await sent;
  assert.equal(await visitor.rest(), "");
});

Deno.test("a visitor that ends amid a request that was answered gets the rest of the answer", async () => {
  const { rig, next } = byHand();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1", 1000);
  await visitor.send(request("POST /", ["Content-Length: 6"], "ab"));
  answer(await next(), "x".repeat(10_000));
  await visitor.end();
  assert.equal((await visitor.answer()).body.length, 10_000);
  assert.equal(await visitor.rest(), "");
});

Deno.test("a visitor that leaves after its request is told to whoever answers, once", async () => {
  const { rig, next, left } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.send(GET);
  const exchange = await next();
  await visitor.end();
  await until(() => left() > 0);
  answer(exchange, "too late");
  assert.equal(await visitor.rest(), "");
  assert.equal(left(), 1);
  assert.equal(rig.listener.busy, 0);
});

Deno.test("a visitor that leaves in the middle of its request gets 400, and whoever has begun with it is told", async () => {
  const { rig, next, left } = byHand();
  await using _ = rig;
  const inHead = await rig.connect();
  await inHead.send("GET / HT");
  await inHead.end();
  assert.equal((await inHead.answer()).status, 400);
  const inBody = await rig.connect();
  await inBody.send(request("POST /", ["Content-Length: 5"], "ab"));
  (await next()).receive(new Taken());
  await inBody.end();
  assert.equal((await inBody.answer()).status, 400);
  assert.equal(await inBody.rest(), "");
  assert.equal(left(), 1);
});

Deno.test("a visitor that leaves without a request hears nothing", async () => {
  const { rig } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.end();
  assert.equal(await visitor.rest(), "");
  await until(() => rig.listener.connections === 0);
});

Deno.test("an answer that breaks off is cut and never ends cleanly", async () => {
  for (const [lines, seen] of [[LENGTH_5, "abc"], [CHUNKED, "3\r\nabc\r\n"]]) {
    const { rig, next, left } = byHand();
    await using _ = rig;
    const visitor = await rig.connect();
    await visitor.send(GET + GET);
    const exchange = await next();
    exchange.respond(headOf(lines));
    exchange.write(toBytes("abc"));
    exchange.abort();
    assert.equal(await visitor.rest(), `${lines}\r\n\r\n${seen}`);
    assert.equal(left(), 0, "who aborts knows");
    assert.equal(rig.listener.busy, 0);
  }
});

Deno.test("an answer of another length than its head says is cut", async () => {
  for (const [octets, seen] of [["abcdefgh", ""], ["abc", "abc"]]) {
    const { rig, next, left } = byHand();
    await using _ = rig;
    const visitor = await rig.connect();
    await visitor.send(GET + GET);
    const exchange = await next();
    exchange.respond(headOf(LENGTH_5));
    exchange.write(toBytes(octets));
    exchange.finish();
    assert.equal(await visitor.rest(), `${LENGTH_5}\r\n\r\n${seen}`);
    assert.equal(left(), 1, "whoever sends is told that it is in vain");
  }
});

Deno.test("trailers that would begin another answer cut the connection", async () => {
  for (const trailers of ["X: 1\r\n\r\nHTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n", "X: 1"]) {
    const { rig, next } = byHand();
    await using _ = rig;
    const visitor = await rig.connect();
    await visitor.send(GET + GET);
    const exchange = await next();
    exchange.respond(headOf(CHUNKED));
    exchange.finish(trailers);
    assert.equal(await visitor.rest(), `${CHUNKED}\r\n\r\n`);
  }
});

Deno.test("interim answers without end fill no memory, and the final one follows them", async () => {
  const { rig, next } = byHand();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1", 1000);
  await visitor.send(GET);
  const exchange = await next();
  const hint = headOf(`HTTP/1.1 103 Early Hints\r\nLink: <${"x".repeat(1000)}>`);
  for (let i = 0; i < 1000; i++) exchange.interim(hint);
  assert.ok(exchange.queued < 70_000, String(exchange.queued));
  answer(exchange, "x");
  const { interim, body } = await visitor.answer();
  assert.ok(interim.length > 50);
  assert.equal(body, "x");
});

Deno.test("HEAD, 204 and 304 carry no body, whatever their heads say", async () => {
  const { rig, next } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  for (
    const [method, lines] of [
      ["HEAD", LENGTH_5],
      ["HEAD", CHUNKED],
      ["GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5"],
      ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5"],
    ]
  ) {
    await visitor.send(request(`${method} /`));
    const exchange = await next();
    exchange.respond(headOf(lines, method));
    exchange.finish();
    assert.equal((await visitor.answer(method)).body, "");
  }
  await visitor.send(GET);
  answer(await next(), "x");
  assert.equal((await visitor.answer()).body, "x");
});

Deno.test("whoever takes no more of a body holds up its visitor, and gets all of it in the end", async () => {
  const { rig, next } = byHand();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1", 1024);
  const total = 1_000_000, body = new Taken();
  let sent = 0;
  const sending = (async () => {
    await visitor.send(request("POST /", [`Content-Length: ${total}`]));
    for (; sent < total; sent += 1000) await visitor.send("x".repeat(1000));
  })();
  const exchange = await next();
  body.taking = false;
  exchange.receive(body);
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setTimeout(resolve));
  assert.ok(sent < 10_000, `${sent} octets were read`);
  body.taking = true;
  exchange.resume();
  await Promise.all([sending, body.over.promise]);
  assert.equal(body.text.length, total);
});

Deno.test("all of a body is reported as flushed, exactly once", async () => {
  const { rig, next } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.send(GET);
  const exchange = await next();
  let flushed = 0, written = 0;
  exchange.onFlushed = (n) => {
    flushed += n;
    assert.ok(n > 0 && flushed <= written, `${flushed} of ${written}`);
  };
  exchange.respond(headOf(CHUNKED));
  for (const size of [1, 100, 10_000, 100_000, 300_000]) {
    written += size;
    exchange.write(new Uint8Array(size).fill(0x61));
  }
  await visitor.until("a\r\n493e0\r\n");
  await visitor.octets(300_002);
  await until(() => flushed === written);
  exchange.finish();
  assert.equal(await visitor.until("0\r\n\r\n"), "0\r\n\r\n");
  assert.equal(flushed, written);
});

Deno.test("nothing is reported as flushed to a visitor that takes nothing", async () => {
  const { rig, next } = byHand();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1", 40);
  await visitor.send(GET);
  const exchange = await next();
  let flushed = 0, writable = 0;
  exchange.onFlushed = (n) => {
    assert.ok(n > 0);
    flushed += n;
  };
  exchange.onWritable = () => writable++;
  exchange.respond(headOf(CHUNKED));
  exchange.write(new Uint8Array(200_000));
  await visitor.until("\r\n\r\n");
  assert.ok(flushed < 2_000 && exchange.queued > 190_000, `${flushed}, ${exchange.queued}`);
  assert.equal(writable, 0);
  await visitor.octets(200_000);
  await until(() => flushed === 200_000);
  assert.ok(writable > 0);
});

Deno.test("a visitor that sends requests and reads no answers is not read any further", async () => {
  let served = 0;
  await using rig = new VisitorRig({
    handler: (exchange) => {
      served++;
      answer(exchange, "x".repeat(10_000));
    },
  });
  const visitor = rig.from("192.0.2.1", 1000);
  const requests = 1000;
  const sent = visitor.send(GET.repeat(requests));
  await until(() => served > 0);
  for (let i = 0; i < 200; i++) await new Promise((resolve) => setTimeout(resolve));
  assert.ok(served < 20, `${served} answers wait in memory`);
  for (let i = 0; i < requests; i++) assert.equal((await visitor.answer()).body.length, 10_000);
  await sent;
});
