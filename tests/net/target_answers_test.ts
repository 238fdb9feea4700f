import assert from "node:assert/strict";
import { type Heard, type Script, TargetRig } from "./target_rig.ts";

/** Answers the first request with `pieces`, one write each, then waits for the pool to leave; or leaves itself. */
function saying(pieces: string[], leave = false): Script {
  return async (peer) => {
    await peer.readHead();
    for (const piece of pieces) await peer.write(piece);
    if (!leave) await peer.readAll();
  };
}

async function answer(pieces: string[], leave = false): Promise<Heard> {
  await using rig = new TargetRig(saying(pieces, leave));
  return await rig.get();
}

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

Deno.test("a body comes out the same wherever it is split", async () => {
  const text = CHUNKED + "3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\nX-Sum: 1\r\nX-Twice: 2\r\n\r\n";
  for (let at = 1; at < text.length; at++) {
    const heard = await answer([text.slice(0, at), text.slice(at)]);
    assert.equal(heard.text, "abc0123456789", String(at));
    assert.equal(heard.trailers, "X-Sum: 1\r\nX-Twice: 2\r\n");
  }
});

Deno.test("a body without framing lasts until the target ends it", async () => {
  const heard = await answer(["HTTP/1.1 200 OK\r\n\r\nall", " of it"], true);
  assert.deepEqual([heard.text, heard.trailers, heard.code], ["all of it", "", null]);
  const empty = await answer(["HTTP/1.0 200 OK\r\n\r\n"], true);
  assert.deepEqual([empty.text, empty.trailers, empty.code], ["", "", null]);
});

Deno.test("a target that leaves before its answer is whole has closed", async () => {
  const cases: [what: string, pieces: string[], status: number][] = [
    ["without a word", [], 0],
    ["within the head", ["HTTP/1.1 200 OK\r\nContent-"], 0],
    ["after an interim answer", ["HTTP/1.1 103 Early Hints\r\n\r\n"], 0],
    ["within a length", ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf"], 200],
    ["within a chunk", [CHUNKED + "5\r\nhalf"], 200],
    ["between chunks", [CHUNKED + "4\r\nhalf\r\n"], 200],
    ["within the trailers", [CHUNKED + "0\r\nX: y\r\n"], 200],
  ];
  for (const [what, pieces, status] of cases) {
    const heard = await answer(pieces, true);
    assert.equal(heard.code, "target_closed", what);
    assert.equal(heard.status, status, what);
    assert.equal(heard.trailers, null, what);
  }
});

Deno.test("an answer that is no HTTP is bad, and its connection is closed", async () => {
  const cases: [what: string, answer: string, status: number][] = [
    ["another protocol", "220 smtp ready\r\n\r\n", 0],
    ["HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", 0],
    ["LF line ends", "HTTP/1.1 200 OK\n\n", 0],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 0],
    ["both framings", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 0],
    [
      "a 101 that nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
      0,
    ],
    ["a head without end", "HTTP/1.1 200 OK\r\nA: " + "a".repeat(70_000), 0],
    ["interim answers without end", "HTTP/1.1 102 Processing\r\n\r\n".repeat(100), 0],
    ["a chunk size that is none", CHUNKED + "x\r\n", 200],
    ["a chunk longer than its size", CHUNKED + "1\r\nabc\r\n", 200],
    ["a trailer that frames", CHUNKED + "0\r\nContent-Length: 1\r\n\r\n", 200],
  ];
  for (const [what, text, status] of cases) {
    const heard = await answer([text]);
    assert.equal(heard.code, "target_bad_response", what);
    assert.equal(heard.status, status, what);
  }
});

Deno.test("interim answers pass in their order, before the final one", async () => {
  const heard = await answer([
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 E",
    "arly Hints\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
  ]);
  assert.deepEqual(heard.interims, [100, 103, 103]);
  assert.deepEqual([heard.status, heard.text, heard.code], [201, "ok", null]);
});

Deno.test("a request's body goes out as its head framed it", async () => {
  const got: string[] = [];
  await using rig = new TargetRig(async (peer) => {
    await peer.readHead();
    got.push((await peer.readTo("!"))!);
    await peer.write("HTTP/1.1 204 No Content\r\n\r\n");
    got.push(await peer.readAll());
    all.resolve();
  });
  const all = Promise.withResolvers<void>();
  const chunked = rig.ask("POST /", { framing: { kind: "chunked" } });
  chunked.send("abc");
  chunked.send("");
  chunked.send("0123456789abcdef!");
  await chunked.until(() => chunked.status === 204);
  assert.equal(chunked.flushedOctets, 20);
  chunked.request.finish("X-Sum: 1\r\n");
  rig.pool.close();
  await all.promise;
  assert.deepEqual(got, ["3\r\nabc\r\n11\r\n0123456789abcdef!", "\r\n0\r\nX-Sum: 1\r\n\r\n"]);
});

Deno.test("an answer that comes before the request is complete is passed on, and the request may go on", async () => {
  const got: string[] = [];
  await using rig = new TargetRig(async (peer) => {
    await peer.readHead();
    await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly");
    got.push((await peer.read(6))!);
    await peer.readHead();
    await peer.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  const heard = rig.ask("POST /", { framing: { kind: "length", length: 6 } });
  heard.send("abc");
  await heard.over;
  assert.equal(heard.text, "early");
  heard.send("def");
  await heard.until(() => heard.flushedOctets === 6);
  heard.request.finish("");
  assert.equal((await rig.get()).status, 204);
  assert.deepEqual(got, ["abcdef"]);
  assert.equal(rig.connections, 1, "both messages ended by their framing");
});

Deno.test("a target that answers, reads no more and leaves has answered", async () => {
  await using rig = new TargetRig(async (peer) => {
    await peer.readHead();
    await peer.write("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig");
    await peer.conn.closeWrite();
    await gate.promise;
  });
  const gate = Promise.withResolvers<void>();
  const heard = rig.ask("POST /", { framing: { kind: "length", length: 1e9 } });
  await heard.until(() => heard.status === 413);
  rig.sockets[0].nextWrite = () => Promise.reject(new Deno.errors.BrokenPipe("broken pipe"));
  heard.send("more");
  await heard.over;
  assert.deepEqual([heard.text, heard.trailers, heard.code], ["big", "", null]);
  gate.resolve();
});

Deno.test("abort closes the connection, and nothing more is heard", async () => {
  const left = Promise.withResolvers<void>();
  await using rig = new TargetRig(async (peer) => {
    await peer.readHead();
    await peer.write(CHUNKED + "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
    await peer.readAll();
    left.resolve();
  });
  const heard = rig.ask("GET /");
  const data = heard.data.bind(heard);
  heard.data = (bytes) => {
    heard.request.abort();
    return data(bytes);
  };
  await left.promise;
  assert.deepEqual([heard.text, heard.trailers, heard.code], ["a", null, null]);
});
