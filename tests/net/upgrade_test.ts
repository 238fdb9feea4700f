import assert from "node:assert/strict";
import { latin1, toBytes } from "../../src/core/latin1.ts";
import type { Conn } from "../../src/net/conn.ts";
import type { Exchange } from "../../src/net/exchange.ts";
import { answer, headOf, request, Taken, until, VisitorRig } from "./visitor_rig.ts";

const UPGRADE = request("GET /", ["Connection: Upgrade", "Upgrade: websocket"]);
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade";

interface Upgraded {
  readonly rig: VisitorRig;
  readonly exchange: () => Promise<Exchange>;
}

function byHand(): Upgraded {
  let exchange: Exchange | null = null;
  const rig = new VisitorRig({ handler: (asked) => void (exchange = asked) });
  return {
    rig,
    exchange: async () => {
      await until(() => exchange !== null);
      return exchange!;
    },
  };
}

function switchOver(exchange: Exchange): Taken {
  const taken = new Taken();
  exchange.upgrade(headOf(SWITCH, "GET", "websocket"));
  exchange.receive(taken);
  return taken;
}

Deno.test("what a visitor sends before its 101 is delivered once, after it", async () => {
  const { rig, exchange } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.send(UPGRADE + "early ");
  const asked = await exchange();
  await visitor.send("bytes ");
  const taken = switchOver(asked);
  assert.match(await visitor.until("\r\n\r\n"), /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  await visitor.send("later");
  await until(() => taken.text.endsWith("later"));
  assert.equal(taken.text, "early bytes later");
  asked.write(toBytes("GET / HTTP/1.1\r\n\r\n"));
  assert.equal(await visitor.until("\r\n\r\n"), "GET / HTTP/1.1\r\n\r\n");
});

Deno.test("a visitor that ends its direction of an upgrade goes on reading", async () => {
  const { rig, exchange } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.send(UPGRADE);
  const asked = await exchange();
  let left = 0;
  asked.onLeave = () => left++;
  const taken = switchOver(asked);
  await visitor.send("last words");
  await visitor.end();
  await taken.over.promise;
  assert.equal(taken.text, "last words");
  asked.write(toBytes("an answer"));
  asked.finish();
  assert.match(await visitor.rest(), /\r\n\r\nan answer$/);
  assert.equal(left, 0);
  await until(() => rig.listener.connections === 0);
});

Deno.test("whoever answers may end its direction of an upgrade and goes on reading", async () => {
  const { rig, exchange } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.send(UPGRADE);
  const asked = await exchange(), taken = switchOver(asked);
  asked.write(toBytes("bye"));
  asked.finish();
  assert.match(await visitor.rest(), /\r\n\r\nbye$/);
  await visitor.send("one more thing");
  await visitor.end();
  await taken.over.promise;
  assert.equal(taken.text, "one more thing");
  await until(() => rig.listener.connections === 0);
  assert.equal(rig.listener.busy, 0);
});

Deno.test("an end that came before anybody listened is told to who listens then", async () => {
  const { rig, exchange } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.send(UPGRADE);
  const asked = await exchange();
  asked.upgrade(headOf(SWITCH, "GET", "websocket"));
  await visitor.until("\r\n\r\n");
  await visitor.end();
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve));
  const taken = new Taken();
  asked.receive(taken);
  await taken.over.promise;
});

Deno.test("a connection that breaks after its 101 is told to whoever answers, once", async () => {
  const { rig, exchange } = byHand();
  await using _ = rig;
  const visitor = rig.from("192.0.2.1");
  await visitor.send(UPGRADE);
  const asked = await exchange();
  let left = 0;
  asked.onLeave = () => left++;
  switchOver(asked);
  visitor.leave();
  asked.write(toBytes("x"));
  await until(() => left > 0);
  rig.listener.close();
  assert.equal(left, 1);
});

Deno.test("a 101 to a request with a body is no answer", async () => {
  const { rig, exchange } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.send(
    request("GET /", ["Connection: Upgrade", "Upgrade: websocket", "Content-Length: 1"], "x"),
  );
  const asked = await exchange(), taken = new Taken();
  let left = 0;
  asked.onLeave = () => left++;
  asked.upgrade(headOf(SWITCH, "GET", "websocket"));
  asked.receive(taken);
  assert.equal((await visitor.answer()).status, 502);
  assert.equal(left, 1);
  assert.equal(taken.text, "");
});

Deno.test("an upgrade that is declined leaves the connection as it was", async () => {
  const { rig, exchange } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.send(UPGRADE);
  answer(await exchange(), "no");
  assert.equal((await visitor.answer()).body, "no");
  await visitor.send(request("GET /next"));
  await until(() => rig.listener.busy === 1);
  const next = await exchange();
  assert.equal(next.head.target, "/next");
});

Deno.test("a connection that is handed over keeps what came, and counts no more", async () => {
  const { rig, exchange } = byHand();
  await using _ = rig;
  const visitor = await rig.connect();
  await visitor.send(UPGRADE + "early ");
  const conn: Conn = (await exchange()).detach();
  assert.deepEqual([rig.listener.connections, rig.listener.busy], [0, 0]);
  let text = "";
  const over = Promise.withResolvers<void>();
  conn.handler = {
    data: (bytes) => {
      text += latin1(bytes);
      return bytes.length;
    },
    end: () => over.resolve(),
    failed: over.reject,
    flushed() {},
  };
  conn.resume();
  conn.writeText("mine");
  assert.equal(await visitor.until("mine"), "mine");
  await visitor.send("late");
  await visitor.end();
  await over.promise;
  assert.equal(text, "early late");
  conn.close();
  assert.equal(await visitor.rest(), "");
});
