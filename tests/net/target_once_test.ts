import assert from "node:assert/strict";
import { answering, Heard, type Script, TargetRig } from "./target_rig.ts";

const REFUSED = new Deno.errors.BrokenPipe("broken pipe");

/** A request in each of the shapes that matter. Their target writes down what it saw of them. */
const REQUESTS: [line: string, body: string][] = [["GET /x", ""], ["POST /x", "body"]];

function send(rig: TargetRig, line: string, body: string): Heard {
  if (body === "") return rig.ask(line);
  const head = `${line} HTTP/1.1\r\nHost: target\r\nContent-Length: ${body.length}\r\n\r\n`;
  const heard = rig.ask(head, { framing: { kind: "length", length: body.length } });
  heard.send(body);
  heard.request.finish("");
  return heard;
}

/** A rig with one kept connection; what its target sees goes to `seen`. */
async function keptRig(seen: string[], script: Script = answering("ok", "", seen), kind?: "https") {
  const rig = new TargetRig(script, { kind });
  await rig.get("GET /first");
  return rig;
}

/** How a kept connection ends before a single octet was written on it. */
const ENDS: [what: string, end: (rig: TargetRig, send: () => Heard) => Heard][] = [
  ["end-of-file in the turn in which it is taken", (rig, send) => {
    rig.sockets[0].cut();
    return send();
  }],
  ["a reset in the turn in which it is taken", (rig, send) => {
    rig.sockets[0].cut(new Deno.errors.ConnectionReset("reset"));
    return send();
  }],
  ["a write that the kernel refuses", (rig, send) => {
    rig.sockets[0].nextWrite = () => Promise.reject(REFUSED);
    return send();
  }],
  ["end-of-file while the kernel is asked, which refuses then", (rig, send) => {
    rig.sockets[0].nextWrite = async () => {
      rig.sockets[0].cut();
      await new Promise((resolve) => setTimeout(resolve, 1));
      throw REFUSED;
    };
    return send();
  }],
];

for (const [what, end] of ENDS) {
  Deno.test(`a request goes by another connection after ${what}, and reaches the target once`, async () => {
    for (const [line, body] of REQUESTS) {
      const seen: string[] = [];
      await using rig = await keptRig(seen);
      const heard = end(rig, () => send(rig, line, body));
      await heard.over;
      assert.equal(heard.status, 200, line);
      assert.equal(heard.text, "ok");
      assert.equal(heard.flushedOctets, body.length);
      assert.deepEqual(seen, ["GET /first", body === "" ? line : `${line} ${body}`]);
      assert.equal(rig.connections, 2);
    }
  });
}

Deno.test("a body that is still being sent follows its request to the other connection", async () => {
  const seen: string[] = [];
  await using rig = await keptRig(seen);
  rig.sockets[0].cut();
  const heard = rig.ask("POST /x HTTP/1.1\r\nHost: target\r\nContent-Length: 6\r\n\r\n", {
    framing: { kind: "length", length: 6 },
  });
  heard.send("abc");
  await Promise.resolve();
  heard.send("d");
  await heard.until(() => heard.flushedOctets === 4);
  heard.send("ef");
  heard.request.finish("");
  await heard.over;
  assert.deepEqual(seen, ["GET /first", "POST /x abcdef"]);
});

Deno.test("an idle connection that the target ends is closed and never taken", async () => {
  const closed = Promise.withResolvers<void>();
  await using rig = new TargetRig(async (peer, n) => {
    assert.match(await peer.readHead() ?? "", n === 0 ? /^GET \/first/ : /^POST \/x/);
    await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    if (n === 1) return;
    await peer.conn.closeWrite();
    assert.equal(await peer.readAll(), "");
    closed.resolve();
  });
  await rig.get("GET /first");
  await closed.promise;
  assert.equal((await rig.get("POST /x")).status, 200);
});

Deno.test("an idle connection on which the target says something is closed and never taken", async () => {
  const closed = Promise.withResolvers<void>();
  await using rig = new TargetRig(async (peer, n) => {
    await peer.readHead();
    await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    if (n === 1) return;
    await gate.promise;
    await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
    assert.equal(await peer.readAll(), "");
    closed.resolve();
  });
  const gate = Promise.withResolvers<void>();
  await rig.get("GET /first");
  gate.resolve();
  await closed.promise;
  assert.equal((await rig.get("GET /x")).text, "");
  assert.equal(rig.connections, 2);
});

Deno.test("what the target leaves after it has a single octet of the request is not sent again", async () => {
  for (const [line, body] of REQUESTS) {
    const seen: string[] = [];
    await using rig = await keptRig(seen, async (peer) => {
      seen.push((await peer.readHead())!.split(" HTTP/")[0]);
      await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      if (await peer.read(1) !== null) seen.push("an octet");
    });
    const heard = send(rig, line, body);
    await heard.over;
    assert.equal(heard.code, "target_closed", line);
    assert.deepEqual(seen, ["GET /first", "an octet"]);
    assert.equal(rig.connections, 1);
  }
});

Deno.test("what the kernel took in part before it refused is not sent again", async () => {
  for (const [line, body] of REQUESTS) {
    const seen: string[] = [];
    await using rig = await keptRig(seen, async (peer) => {
      await peer.readHead();
      await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      seen.push(String(await peer.read(1)));
    });
    const [socket] = rig.sockets;
    socket.nextWrite = (p) => {
      socket.nextWrite = () => Promise.reject(REFUSED);
      return socket.real.write(p.subarray(0, 1));
    };
    const heard = send(rig, line, body);
    await heard.over;
    assert.equal(heard.code, "target_closed", line);
    assert.deepEqual(seen, [line[0]]);
    assert.equal(rig.connections, 1);
  }
});

Deno.test("end-of-file while the kernel is asked, which takes it then, is no reason to send again", async () => {
  await using rig = await keptRig([]);
  const [socket] = rig.sockets;
  socket.nextWrite = async (p) => {
    socket.cut();
    await new Promise((resolve) => setTimeout(resolve, 1));
    return p.length;
  };
  const heard = await rig.get("GET /x");
  assert.equal(heard.code, "target_closed");
  assert.equal(rig.connections, 1);
});

Deno.test("a write of TLS that fails may have sent something, so nothing is sent again", async () => {
  await using rig = await keptRig([], undefined, "https");
  const [socket] = rig.sockets;
  socket.nextWrite = () => {
    socket.cut();
    return Promise.reject(REFUSED);
  };
  assert.equal((await rig.get("GET /x")).code, "target_closed");
  assert.equal(rig.connections, 1);
});

Deno.test("TLS that ends before anything is written is no reason not to try another connection", async () => {
  await using rig = await keptRig([], undefined, "https");
  rig.sockets[0].cut();
  assert.equal((await rig.get("POST /x")).status, 200);
});

Deno.test("a new connection that the target ends is not tried again", async () => {
  await using rig = new TargetRig(() => Promise.resolve());
  assert.equal((await rig.get("GET /x")).code, "target_closed");
  assert.equal(rig.connections, 1);
});

Deno.test("a request goes by another connection once, not for ever", async () => {
  await using rig = await keptRig([], async (peer, n) => {
    if (n === 0) await answering("ok")(peer, n);
  });
  rig.sockets[0].cut();
  assert.equal((await rig.get("GET /x")).code, "target_closed");
  assert.equal(rig.connections, 2);
});

Deno.test("an answer that was there before the request is not taken for its own", async () => {
  await using rig = new TargetRig(async (peer, n) => {
    if (n > 0) return await answering("right")(peer, n);
    await peer.readHead();
    await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst");
    await peer.readAll();
  });
  await rig.get("GET /first");
  const [socket] = rig.sockets;
  // The read that is under way gets octets in the turn in which the connection is taken.
  socket.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
  assert.equal((await rig.get("GET /x")).text, "right");
});
