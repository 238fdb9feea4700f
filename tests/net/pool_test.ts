import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { toBytes } from "../../src/core/latin1.ts";
import { TargetPool } from "../../src/net/pool.ts";
import { type Socket, socketPair } from "../../src/net/socket.ts";
import { answering, Heard, type Script, settle, TargetRig } from "./target_rig.ts";

/** A rig whose idle connections age by hand. */
function agingRig(script: Script = answering("ok")): { rig: TargetRig; clock: TestClock } {
  const clock = new TestClock();
  return { rig: new TargetRig(script, { clock }), clock };
}

Deno.test("one request after another goes by one connection, and as many at once by as many", async () => {
  await using rig = new TargetRig(answering("ok"));
  for (let i = 0; i < 5; i++) assert.equal((await rig.get()).text, "ok");
  assert.equal(rig.connections, 1);
  const heard = Array.from({ length: 4 }, () => rig.ask("GET /"));
  await Promise.all(heard.map((each) => each.over));
  assert.equal(rig.connections, 4);
  for (let i = 0; i < 5; i++) await rig.get();
  assert.equal(rig.connections, 4);
});

Deno.test("a request that is made when an answer ends goes by the same connection", async () => {
  await using rig = new TargetRig(answering("ok"));
  const second = Promise.withResolvers<Heard>();
  const first = rig.ask("GET /");
  const end = first.end.bind(first);
  first.end = (trailers) => {
    end(trailers);
    second.resolve(rig.ask("POST /"));
  };
  await (await second.promise).over;
  assert.equal(rig.connections, 1);
});

Deno.test("an idle connection lives for 4 s, and no request takes an older one", async () => {
  const { rig, clock } = agingRig();
  await using _ = rig;
  await rig.get();
  clock.advance(3_900);
  await rig.get();
  assert.equal(rig.connections, 1);
  clock.advance(4_100);
  await rig.get();
  assert.equal(rig.connections, 2);
});

Deno.test("an idle connection is closed though nobody asks for it any more", async () => {
  const closed = Promise.withResolvers<void>();
  const { rig, clock } = agingRig(async (peer, n) => {
    await answering("ok")(peer, n);
    closed.resolve();
  });
  await using _ = rig;
  await rig.get();
  clock.advance(4_100);
  await closed.promise;
});

Deno.test("only GET, HEAD and OPTIONS take a connection that has been idle for a second", async () => {
  for (const method of ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "get"]) {
    const { rig, clock } = agingRig();
    await using _ = rig;
    await rig.get();
    clock.advance(900);
    await rig.get(`${method} /`);
    assert.equal(rig.connections, 1, `${method}, fresh`);
    clock.advance(1_000);
    await rig.get(`${method} /`);
    assert.equal(rig.connections, ["GET", "HEAD", "OPTIONS"].includes(method) ? 1 : 2, method);
  }
});

Deno.test("a target's Keep-Alive shortens what is idle, by a second less than it says", async () => {
  const cases: [field: string, stays: number, gone: number | null][] = [
    ["Keep-Alive: timeout=3", 1_900, 2_000],
    ["keep-alive: max=100, timeout=2", 900, 1_000],
    ['Keep-Alive: timeout="3"', 1_900, 2_000],
    ["Keep-Alive: timeout=3\r\nKeep-Alive: timeout=60", 1_900, 2_000],
    ["Keep-Alive: timeout=60", 3_900, 4_000],
    ["Keep-Alive: max=5", 3_900, 4_000],
    ["Keep-Alive: timeout=soon", 3_900, 4_000],
    ["Keep-Alive: xtimeout=2", 3_900, 4_000],
    ["X-Keep-Alive: timeout=2", 3_900, 4_000],
    ["Keep-Alive: timeout=1", 0, null],
    ["Keep-Alive: timeout=0", 0, null],
  ];
  for (const [field, stays, gone] of cases) {
    const { rig, clock } = agingRig(answering("ok", `${field}\r\n`));
    await using _ = rig;
    await rig.get();
    clock.advance(stays);
    await rig.get();
    assert.equal(rig.connections, gone === null ? 2 : 1, field);
    if (gone === null) continue;
    clock.advance(gone);
    await rig.get();
    assert.equal(rig.connections, 2, `${field}, gone`);
  }
});

Deno.test("a connection is kept only where the answer ends by its framing and nothing came after it", async () => {
  const cases: [what: string, answer: string, kept: boolean][] = [
    ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true],
    ["no octets", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true],
    ["no body", "HTTP/1.1 204 No Content\r\n\r\n", true],
    ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true],
    ["close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false],
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false],
    [
      "HTTP/1.0 that says otherwise",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
      false,
    ],
    ["an octet behind a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!", false],
    ["an octet behind no octets", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n!", false],
    ["a body behind 204", "HTTP/1.1 204 No Content\r\n\r\nbody", false],
    ["a body behind 304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok", false],
    ["CRLF behind a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n", false],
    [
      "a second answer behind chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      false,
    ],
  ];
  for (const [what, answer, kept] of cases) {
    await using rig = new TargetRig(async (peer) => {
      while (await peer.readHead() !== null) await peer.write(answer);
    });
    const heard = await rig.get();
    assert.equal(heard.code, null, what);
    assert.doesNotMatch(heard.text, /!/);
    assert.equal((await rig.get()).code, null, what);
    assert.equal(rig.connections, kept ? 1 : 2, what);
  }
});

Deno.test("the body of an answer to HEAD is one octet too many", async () => {
  await using rig = new TargetRig(async (peer) => {
    while (await peer.readHead() !== null) await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  const heard = await rig.get("HEAD /");
  assert.deepEqual([heard.status, heard.octets, heard.code], [200, 0, null]);
  await rig.get("HEAD /");
  assert.equal(rig.connections, 2);
});

Deno.test("a pool that is closed lets go of what is idle, and of the rest after its answer", async () => {
  const closed: number[] = [];
  const gate = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const { rig } = agingRig(async (peer, n) => {
    for (let head; (head = await peer.readHead()) !== null;) {
      if (head.startsWith("GET /slow")) await gate.promise;
      await peer.write("HTTP/1.1 204 No Content\r\n\r\n");
    }
    if (closed.push(n) === 2) over.resolve();
  });
  await using _ = rig;
  const slow = rig.ask("GET /slow");
  await rig.get();
  rig.pool.close();
  gate.resolve();
  await slow.over;
  assert.equal(slow.status, 204);
  await over.promise;
  assert.equal(closed.length, 2);
});

Deno.test("4,096 connections are kept, and no more, however many answers end at once", async () => {
  const answers: (() => Promise<number>)[] = [];
  let left = 0;
  const buffer = new Uint8Array(1024);
  // In memory: so many real ones are more descriptors than every machine grants.
  const serve = async (socket: Socket) => {
    await socket.read(buffer);
    answers.push(() => socket.write(toBytes("HTTP/1.1 204 No Content\r\n\r\n")));
    if (await socket.read(buffer) === null) left++;
  };
  const connect = () => {
    const [here, there] = socketPair(1024);
    void serve(there);
    return Promise.resolve(here);
  };
  const pool = new TargetPool({ kind: "echo" }, { tls: null, clock: new TestClock(), connect });
  const heard = Array.from({ length: 4_104 }, () => Heard.ask(pool, "GET /"));
  while (answers.length < 4_104) await settle();
  for (const answer of answers) void answer();
  await Promise.all(heard.map((each) => each.over));
  await settle();
  assert.equal(left, 8);
  pool.close();
  await settle();
  assert.equal(left, 4_104);
});

Deno.test("nothing listens: the target refused; and so it is where its name is unknown", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  for (const host of ["127.0.0.1", "localhost", "no-such-name.invalid"]) {
    const pool = new TargetPool({ kind: "http", host, port }, { tls: null, clock: new TestClock() });
    const heard = Heard.ask(pool, "GET /");
    await heard.over;
    assert.equal(heard.code, "target_refused", host);
    pool.close();
  }
});

Deno.test("connecting is given up after 5 s, and a connection that comes too late is closed", async () => {
  const clock = new TestClock();
  const late = Promise.withResolvers<Deno.Conn>();
  let given: AbortSignal | null = null;
  const pool = new TargetPool({ kind: "http", host: "127.0.0.1", port: 1 }, {
    tls: null,
    clock,
    connect: (signal) => (given = signal, late.promise),
  });
  const heard = Heard.ask(pool, "GET /");
  clock.advance(4_900);
  await settle();
  assert.equal(heard.code, null);
  clock.advance(200);
  assert.equal(heard.code, "target_timeout");
  assert.equal(given!.aborted, true);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [conn, peer] = await Promise.all([Deno.connect({ port: listener.addr.port }), listener.accept()]);
  late.resolve(conn);
  assert.equal(await peer.read(new Uint8Array(1)), null);
  peer.close();
  listener.close();
  pool.close();
});

Deno.test("a request that is aborted while its connection is being made is never sent", async () => {
  const nothing = Promise.withResolvers<void>();
  await using rig = new TargetRig(async (peer) => {
    assert.equal(await peer.readAll(), "");
    nothing.resolve();
  });
  const heard = rig.ask("POST /");
  heard.request.abort();
  await nothing.promise;
  assert.equal(heard.code, null);
});
