import assert from "node:assert/strict";
import type { PolicySpec } from "../../src/core/policy_spec.ts";
import type { Entry } from "../../src/core/entry.ts";
import { answering, type Connection, entryTo, requestText, Rig } from "./serve_rig.ts";

/** A rig with one link to a target that a test answers by hand. */
function rigTo(
  serve: (connection: Connection) => Promise<void>,
  other: Partial<Entry> = {},
  policy: Partial<PolicySpec> = {},
) {
  const rig = new Rig();
  const target = rig.target(serve);
  const link = rig.link(entryTo(target.target, other, policy));
  return { rig, target, link };
}

/** Octets in which a lost, doubled or swapped piece shows. */
function octets(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 31 + (i >> 8) * 7 + (i >> 16);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const sameOctets = (a: Uint8Array, b: Uint8Array) =>
  a.length === b.length && a.every((octet, i) => octet === b[i]);

Deno.test("a body goes through whole, up and down, with its length and in chunks", async () => {
  const bodies: string[] = [];
  const { rig, link } = rigTo(async (connection) => {
    for (let head; (head = await connection.readHead()) !== null;) {
      const length = /^Content-Length: (\d+)/m.exec(head);
      const body = length === null
        ? await connection.readTo("0\r\n\r\n")
        : await connection.read(Number(length[1]));
      bodies.push(body!);
      await connection.write(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n",
      );
    }
  });
  await using _ = rig;
  const sized = rig.ask(requestText("POST /", ["Content-Length: 6"]), {}, false);
  await sized.send("123");
  await sized.send("456");
  sized.stream.end();
  await sized.over;
  assert.equal(bodies[0], "123456");
  assert.equal(sized.text, "abcde");
  assert.equal(sized.trailers, "X-Sum: 1\r\n");
  assert.equal(sized.field("Transfer-Encoding"), undefined);
  const chunked = rig.ask(requestText("POST /", ["Transfer-Encoding: chunked"]), {}, false);
  await chunked.send("chunk");
  chunked.stream.end();
  await chunked.over;
  assert.match(bodies[1], /^5\r\nchunk\r\n0\r\n\r\n$/);
  assert.deepEqual([link.counters.bytesIn, link.counters.bytesOut], [11, 10]);
});

Deno.test("16 MiB each way come out as they went in, however the credit runs out", async () => {
  const body = octets(16 * 1024 * 1024);
  const { rig } = rigTo(async (connection) => {
    await connection.readHead();
    await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
    for (let left = body.length; left > 0;) {
      const bytes = await connection.readSome();
      if (bytes === null) return;
      left -= bytes.length;
      await connection.write(bytes);
    }
    await connection.readAll();
  });
  await using _ = rig;
  const asked = rig.ask(requestText("POST /", [`Content-Length: ${body.length}`]), {}, false);
  await asked.send(body);
  asked.stream.end();
  await asked.over;
  assert.equal(asked.code, null);
  assert.ok(sameOctets(joined(asked.parts), body));
});

Deno.test("a visitor that reads nothing stops its own target at the window, and gets everything when it reads", async () => {
  const body = octets(16 * 1024 * 1024);
  let written = 0;
  const { rig } = rigTo(async (connection) => {
    const head = await connection.readHead();
    if (head!.startsWith("GET /other")) return await connection.write("HTTP/1.1 204 No Content\r\n\r\n");
    await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
    while (written < body.length) {
      const piece = body.subarray(written, written + 64 * 1024);
      await connection.write(piece);
      written += piece.length;
    }
    await connection.readAll();
  });
  await using _ = rig;
  const asked = rig.ask(requestText("GET /"));
  asked.reads = false;
  await asked.until(() => asked.octets === 256 * 1024);
  assert.equal((await rig.get("GET /other")).status, 204, "nobody else is held up");
  assert.equal(asked.octets, 256 * 1024);
  // What kernels and the read buffer hold between the two.
  assert.ok(written < body.length, `${written} octets were taken from the target`);
  asked.reads = true;
  asked.stream.consumed(256 * 1024);
  await asked.over;
  assert.ok(sameOctets(joined(asked.parts), body));
});

Deno.test("a target that reads nothing stops its own visitor at the window", async () => {
  const gate = Promise.withResolvers<void>();
  const { rig, link } = rigTo(async (connection) => {
    const head = await connection.readHead();
    if (head!.startsWith("GET /other")) return await connection.write("HTTP/1.1 204 No Content\r\n\r\n");
    await gate.promise;
    await connection.read(32 * 1024 * 1024);
    await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  await using _ = rig;
  const body = new Uint8Array(32 * 1024 * 1024);
  const asked = rig.ask(requestText("POST /", [`Content-Length: ${body.length}`]), {}, false);
  let sent = false;
  const sending = asked.send(body).then(() => sent = true);
  assert.equal((await rig.get("GET /other")).status, 204);
  for (let before = -1; before !== link.counters.bytesIn;) {
    before = link.counters.bytesIn;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(sent, false);
  assert.ok(link.counters.bytesIn < body.length / 2, String(link.counters.bytesIn));
  gate.resolve();
  await sending;
  asked.stream.end();
  await asked.over;
  assert.equal(asked.status, 200);
});

Deno.test("a body in chunks beyond max_body is refused, or cut where the answer has begun", async () => {
  let got = "";
  const { rig, link } = rigTo(
    async (connection) => {
      const head = await connection.readHead();
      if (head!.startsWith("POST /early")) await connection.write("HTTP/1.1 200 OK\r\n\r\nbegun");
      got += await connection.readAll();
    },
    {},
    { maxBody: 4 },
  );
  await using _ = rig;
  const asked = rig.ask(requestText("POST /", ["Transfer-Encoding: chunked"]), {}, false);
  await asked.send("1234");
  await asked.send("5");
  await asked.over;
  assert.equal(asked.refused, "body_too_large");
  const early = rig.ask(requestText("POST /early", ["Transfer-Encoding: chunked"]), {}, false);
  await early.until(() => early.text === "begun");
  await early.send("12345");
  await early.over;
  assert.equal(early.trailers, null);
  assert.equal(early.code, "body_too_large");
  assert.doesNotMatch(got, /5\r\n$/);
  assert.equal(link.counters.denied.body_too_large, 2);
  assert.equal(link.counters.open, 0);
});

Deno.test("a shadow link lets a body beyond max_body through and records it once", async () => {
  const { rig, link } = rigTo(
    async (connection) => {
      await connection.readHead();
      await connection.readTo("0\r\n\r\n");
      await connection.write("HTTP/1.1 204 No Content\r\n\r\n");
    },
    {},
    { maxBody: 4, shadow: true },
  );
  await using _ = rig;
  const asked = rig.ask(requestText("POST /", ["Transfer-Encoding: chunked"]), {}, false);
  await asked.send("12345");
  await asked.send("67890");
  asked.stream.end();
  await asked.over;
  assert.equal(asked.status, 204);
  assert.deepEqual(link.counters.shadowed, { body_too_large: 1 });
});

Deno.test("a hub can not put a request of its own on a target's connection", async () => {
  const got: string[] = [];
  const { rig } = rigTo(async (connection) => {
    got.push(await connection.readAll());
  });
  await using _ = rig;
  const smuggled = "GET /admin HTTP/1.1\r\nHost: x\r\n\r\n";
  const cases: [what: string, fields: string[], breach: (asked: ReturnType<Rig["ask"]>) => void][] = [
    ["more than the length", ["Content-Length: 3"], (asked) => void asked.send("abc" + smuggled)],
    [
      "more than the length, later",
      ["Content-Length: 3"],
      (asked) => void asked.send("abc").then(() => asked.send(smuggled)),
    ],
    [
      "less than the length",
      ["Content-Length: 300"],
      (asked) => void asked.send("abc").then(() => asked.stream.end()),
    ],
    ["a body where there is none", [], (asked) => void asked.send(smuggled)],
    [
      "trailers that end",
      ["Transfer-Encoding: chunked"],
      (asked) => asked.stream.end("A: b\r\n\r\n" + smuggled),
    ],
    [
      "trailers that are none",
      ["Transfer-Encoding: chunked"],
      (asked) => asked.stream.end("\r\n" + smuggled),
    ],
    ["trailers without an end", ["Transfer-Encoding: chunked"], (asked) => asked.stream.end("A: b")],
    [
      "trailers that frame",
      ["Transfer-Encoding: chunked"],
      (asked) => asked.stream.end("Content-Length: 9\r\n"),
    ],
    ["trailers behind a length", ["Content-Length: 0"], (asked) => asked.stream.end("A: b\r\n")],
    [
      "a second head",
      ["Content-Length: 3"],
      (asked) => asked.stream.sendHead(requestText("GET /admin"), false),
    ],
  ];
  for (const [what, fields, breach] of cases) {
    const asked = rig.ask(requestText("POST /", fields), {}, false);
    breach(asked);
    await asked.over;
    assert.equal(asked.refused, "bad_request", what);
  }
  await rig[Symbol.asyncDispose]();
  assert.doesNotMatch(got.join(""), /admin/);
});

Deno.test("interim answers pass in their order, and the final one ends them", async () => {
  const { rig } = rigTo(async (connection) => {
    await connection.readHead();
    await connection.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
    await connection.read(2);
    await connection.write("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  });
  await using _ = rig;
  const asked = rig.ask(requestText("POST /", ["Content-Length: 2", "Expect: 100-continue"]), {}, false);
  await asked.until(() => asked.heads.length === 2);
  await asked.send("ok");
  asked.stream.end();
  await asked.over;
  assert.deepEqual(asked.heads.map((head) => head.slice(9, 12)), ["103", "100", "201"]);
  assert.match(asked.heads[0], /^Link: <\/a>\r$/m);
});

Deno.test("an upgrade is spliced: bytes as they are, and each way ends for itself", async () => {
  const { rig, link } = rigTo(async (connection) => {
    const head = await connection.readHead();
    assert.match(head!, /^Upgrade: websocket\r$/im);
    await connection.write(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly",
    );
    assert.equal(await connection.read(4), "\u0000\u0001\u00fe\u00ff");
    await connection.write("\u0000raw");
    assert.equal(await connection.readAll(), "last");
    await connection.write("after");
  });
  await using _ = rig;
  const asked = rig.ask(requestText("GET /ws", ["Connection: Upgrade", "Upgrade: websocket"]), {}, false);
  await asked.until(() => asked.text === "early");
  assert.equal(asked.status, 101);
  assert.match(asked.heads[0], /^Upgrade: websocket\r$/m);
  await asked.send("\u0000\u0001\u00fe\u00ff");
  await asked.until(() => asked.text === "early\u0000raw");
  await asked.send("last");
  assert.equal(link.counters.open, 1);
  asked.stream.end();
  await asked.over;
  assert.equal(asked.text, "early\u0000rawafter");
  assert.equal(asked.code, null);
  assert.equal(link.counters.open, 0);
});

Deno.test("an upgrade that the policy does not admit is refused, and one that is no WebSocket is not asked for", async () => {
  const heads: string[] = [];
  const { rig } = rigTo(answering("plain", (head) => heads.push(head)), {}, { upgrade: [] });
  await using _ = rig;
  const denied = rig.ask(requestText("GET /", ["Connection: Upgrade", "Upgrade: websocket"]), {}, false);
  await denied.over;
  assert.equal(denied.refused, "upgrade_denied");
  const other = rig.ask(
    requestText("GET /", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: x"]),
    {},
    false,
  );
  await other.over;
  assert.equal(other.text, "plain");
  assert.equal(heads.length, 1);
  assert.doesNotMatch(heads[0], /upgrade|http2/i);
});

Deno.test("an answer other than 101 to an upgrade is an answer like any other", async () => {
  const { rig, link } = rigTo(answering("no upgrade here"));
  await using _ = rig;
  const asked = rig.ask(requestText("GET /", ["Connection: Upgrade", "Upgrade: websocket"]), {}, false);
  await asked.over;
  assert.equal(asked.status, 200);
  assert.equal(asked.text, "no upgrade here");
  assert.equal(link.counters.open, 0);
});

Deno.test("when the visitor leaves, the target's connection is closed", async () => {
  const left = Promise.withResolvers<void>();
  const { rig, link } = rigTo(async (connection) => {
    await connection.readHead();
    await connection.write("HTTP/1.1 200 OK\r\n\r\nfirst");
    await connection.readAll();
    left.resolve();
  });
  await using _ = rig;
  const asked = rig.ask(requestText("GET /events"));
  await asked.until(() => asked.text === "first");
  asked.stream.reset("visitor_left");
  await left.promise;
  assert.equal(link.counters.open, 0);
});

Deno.test("a target that leaves within its answer makes no clean end of it", async () => {
  const { rig } = rigTo(async (connection) => {
    const head = await connection.readHead();
    await connection.write(
      head!.startsWith("GET /length")
        ? "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
        : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    );
  });
  await using _ = rig;
  for (const path of ["/length", "/chunks"]) {
    const asked = await rig.get(`GET ${path}`);
    assert.equal(asked.status, 200);
    assert.equal(asked.text, "half");
    assert.equal(asked.trailers, null);
    assert.equal(asked.code, "target_closed");
  }
});

Deno.test("an answer without a length ends with its connection, cleanly", async () => {
  const { rig } = rigTo(async (connection) => {
    await connection.readHead();
    await connection.write("HTTP/1.1 200 OK\r\n\r\nall of it");
  });
  await using _ = rig;
  const asked = await rig.get("GET /");
  assert.equal(asked.text, "all of it");
  assert.equal(asked.code, null);
  assert.equal(asked.trailers, "");
});

Deno.test("what goes wrong with a target has its own answer", async () => {
  const { rig, target, link } = rigTo(async (connection) => {
    const head = await connection.readHead() ?? "";
    if (head.startsWith("GET /garbage")) await connection.write("220 smtp ready\r\n\r\n");
    if (head.startsWith("GET /silent")) await connection.readAll();
  }, { timeoutMs: 300 });
  await using _ = rig;
  assert.equal((await rig.get("GET /garbage")).refused, "target_bad_response");
  assert.equal((await rig.get("POST /closes")).refused, "target_closed");
  const silent = await rig.get("GET /silent");
  assert.equal(silent.refused, "target_timeout");
  assert.equal(silent.status, 504);
  target.close();
  const refused = await rig.get("GET /");
  assert.equal(refused.refused, "target_refused");
  assert.equal(refused.status, 502);
  assert.deepEqual(link.counters.denied, {}, "these are no verdicts of the policy");
  assert.equal(link.counters.open, 0);
});

Deno.test("an answer that comes before the request is complete ends it", async () => {
  const closed = Promise.withResolvers<void>();
  const { rig, link } = rigTo(async (connection) => {
    await connection.readHead();
    await connection.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
    await connection.readAll();
    closed.resolve();
  });
  await using _ = rig;
  const asked = rig.ask(requestText("POST /", ["Content-Length: 1000000"]), {}, false);
  void asked.send(new Uint8Array(1000));
  await asked.over;
  assert.equal(asked.status, 413);
  assert.equal(asked.text, "big");
  assert.equal(asked.trailers, "");
  await closed.promise;
  assert.equal(link.counters.open, 0);
});

Deno.test("Host is the target's, the visitor's or a name, and only the target's is mapped back in Location", async () => {
  const heads: string[] = [];
  const { rig, link, target } = rigTo(async (connection) => {
    for (let head; (head = await connection.readHead()) !== null;) {
      heads.push(head);
      const host = /^Host: (.*)\r$/m.exec(head)![1];
      await connection.write(
        `HTTP/1.1 302 Found\r\nLocation: http://${host}/next?a\r\nContent-Length: 0\r\n\r\n`,
      );
    }
  });
  await using _ = rig;
  const { port } = target.target as { port: number };
  const { entry } = link;
  const cases = [
    ["target", `127.0.0.1:${port}`, "https://demo.hub.test/next?a"],
    ["public", "demo.hub.test", "http://demo.hub.test/next?a"],
    ["app.internal", "app.internal", "http://app.internal/next?a"],
  ];
  for (const [host, sent, location] of cases) {
    link.retune({ ...entry, host });
    const asked = await rig.get("GET /", [], { https: true });
    assert.equal(/^Host: (.*)\r$/m.exec(heads.at(-1)!)![1], sent);
    assert.equal(asked.field("Location"), location);
  }
});

Deno.test("a session that is lost takes its requests with it", async () => {
  const left = Promise.withResolvers<void>();
  const { rig, link } = rigTo(async (connection) => {
    await connection.readHead();
    await connection.readAll();
    left.resolve();
  });
  await using _ = rig;
  const asked = rig.ask(requestText("GET /"));
  while (link.counters.open === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  rig.hub.close("lost", "");
  await left.promise;
  assert.equal(link.counters.open, 0);
  assert.equal(asked.status, 0);
});
