import assert from "node:assert/strict";
import { refusal } from "../../src/core/errors.ts";
import { field } from "../../src/core/http1/types.ts";
import type { Exchange } from "../../src/net/exchange.ts";
import { toBytes } from "../../src/core/latin1.ts";
import { answer, echoTarget, headOf, request, Taken, until, VisitorRig } from "./visitor_rig.ts";

const GET = request("GET /a");

Deno.test("one connection serves one request after another", async () => {
  await using rig = new VisitorRig({ handler: echoTarget });
  const visitor = await rig.connect();
  assert.equal((await visitor.ask(GET)).body, "/a");
  assert.equal((await visitor.ask(request("POST /b", ["Content-Length: 3"], "xyz"))).body, "/bxyz");
  assert.equal((await visitor.ask(request("HEAD /c"))).body, "");
  const chunked = request("PUT /d", ["Transfer-Encoding: chunked"], "2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n");
  assert.equal((await visitor.ask(chunked)).body, "/dabc");
});

Deno.test("pipelined requests are answered in their order, whichever answer is ready first", async () => {
  const waiting: Exchange[] = [];
  await using rig = new VisitorRig({ handler: (exchange) => void waiting.push(exchange) });
  const visitor = await rig.connect();
  await visitor.send(request("GET /1") + request("GET /2") + request("GET /3"));
  for (const target of ["/1", "/2", "/3"]) {
    await until(() => waiting.length === 1);
    const exchange = waiting.pop()!;
    assert.equal(exchange.head.target, target);
    answer(exchange, target);
    assert.equal((await visitor.answer()).body, target);
  }
});

Deno.test("pipelined requests that are answered at once are all answered", async () => {
  await using rig = new VisitorRig({ handler: (exchange) => answer(exchange, exchange.head.target) });
  const visitor = await rig.connect();
  const targets = Array.from({ length: 200 }, (_, i) => `/${i}`);
  await visitor.send(targets.map((target) => request(`GET ${target}`)).join(""));
  for (const target of targets) assert.equal((await visitor.answer()).body, target);
});

Deno.test("requests are read alike wherever they are split", async () => {
  const text = request("POST /one", ["Content-Length: 3"], "abc") +
    request("PUT /two", ["Transfer-Encoding: chunked"], "1\r\nd\r\n2\r\nef\r\n0\r\nX-T: 1\r\n\r\n") +
    request("GET /three");
  await using rig = new VisitorRig({ handler: echoTarget });
  for (let at = 1; at < text.length; at++) {
    const visitor = rig.from("192.0.2.1");
    await visitor.send(text.slice(0, at));
    await visitor.send(text.slice(at));
    for (const body of ["/oneabc", "/twodef", "/three"]) assert.equal((await visitor.answer()).body, body);
    visitor.leave();
  }
  // A connection that holds one octet hands them over one by one.
  const visitor = rig.from("192.0.2.1", 1);
  const sent = visitor.send(text);
  for (const body of ["/oneabc", "/twodef", "/three"]) assert.equal((await visitor.answer()).body, body);
  await sent;
});

Deno.test("a visitor that says close gets its answer, and what it sends after that is no request", async () => {
  const targets: string[] = [];
  await using rig = new VisitorRig({
    handler: (exchange) => {
      targets.push(exchange.head.target);
      answer(exchange, "x");
    },
  });
  const visitor = await rig.connect();
  await visitor.send(request("GET /1", ["Connection: close"]) + request("GET /2"));
  const { head, body } = await visitor.answer();
  assert.equal(field(head, "connection"), "close");
  assert.equal(body, "x");
  await visitor.send(request("GET /3"));
  assert.equal(await visitor.rest(), "");
  assert.deepEqual(targets, ["/1"]);
});

Deno.test("HTTP/1.0 visitors get whole answers, without chunks and without 1xx", async () => {
  await using rig = new VisitorRig({
    handler: (exchange) => {
      exchange.interim(headOf("HTTP/1.1 103 Early Hints\r\nLink: </a>"));
      exchange.respond(headOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"));
      exchange.write(toBytes("one "));
      exchange.write(toBytes("two"));
      exchange.finish("X-T: 1\r\n");
    },
  });
  const visitor = await rig.connect();
  await visitor.send("GET / HTTP/1.0\r\nHost: demo.example\r\nConnection: keep-alive\r\n\r\n");
  assert.equal(await visitor.rest(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\none two");
});

Deno.test("a 100 is sent when whoever answers sends it, and the body follows", async () => {
  let asked: Exchange | null = null;
  await using rig = new VisitorRig({
    handler: (exchange) => {
      asked = exchange;
      echoTarget(exchange);
    },
  });
  const visitor = await rig.connect();
  await visitor.send(request("POST /a", ["Content-Length: 2", "Expect: 100-continue"]));
  await until(() => asked !== null);
  asked!.interim("HTTP/1.1 100 Continue\r\n\r\n");
  assert.equal(await visitor.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  await visitor.send("hi");
  assert.equal((await visitor.answer()).body, "/ahi");
  assert.equal((await visitor.ask(GET)).body, "/a");
});

Deno.test("a final answer instead of a 100 ends the connection: what follows may be a body or a request", async () => {
  const targets: string[] = [];
  await using rig = new VisitorRig({
    handler: (exchange) => {
      targets.push(exchange.head.target);
      // As a hub does: it takes the body whenever it comes.
      exchange.receive(new Taken());
      answer(exchange, "no");
    },
  });
  const visitor = await rig.connect();
  await visitor.send(request("POST /1", ["Content-Length: 60", "Expect: 100-continue"]));
  assert.equal(field((await visitor.answer()).head, "connection"), "close");
  await visitor.send(request("GET /2"));
  assert.equal(await visitor.rest(), "");
  assert.deepEqual(targets, ["/1"]);
});

Deno.test("interim answers come before the final one, as they were sent", async () => {
  await using rig = new VisitorRig({
    handler: (exchange) => {
      exchange.interim(headOf("HTTP/1.1 103 Early Hints\r\nLink: </style.css>"));
      exchange.interim(headOf("HTTP/1.1 102 Processing"));
      answer(exchange, "x");
    },
  });
  const visitor = await rig.connect();
  await visitor.send(GET);
  assert.equal(
    await visitor.until("Processing\r\n\r\n"),
    "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n",
  );
  assert.equal((await visitor.answer()).body, "x");
});

Deno.test("trailers pass both ways", async () => {
  const body = new Taken();
  await using rig = new VisitorRig({
    handler: (exchange) => {
      exchange.receive(body);
      exchange.respond(headOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"));
      exchange.write(toBytes("x"));
      body.over.promise.then(() => exchange.finish("X-Sum: 2\r\n"));
    },
  });
  const visitor = await rig.connect();
  await visitor.send(
    request("POST /", ["Transfer-Encoding: chunked"], "1\r\na\r\n0\r\nX-Sum: 1\r\nx-more:\r\n\r\n"),
  );
  const { body: text, trailers } = await visitor.answer();
  assert.deepEqual([text, trailers], ["x", "X-Sum: 2\r\n"]);
  assert.deepEqual([body.text, body.trailers], ["a", "X-Sum: 1\r\nx-more:\r\n"]);
});

const LONG = "x".repeat(20_000);

const REFUSED: readonly (readonly [what: string, text: string, status: number, code: string])[] = [
  ["no Host", "GET / HTTP/1.1\r\n\r\n", 400, "bad_request"],
  ["an empty line first", `\r\n${GET}`, 400, "bad_request"],
  [
    "Content-Length with chunks",
    request("POST /", ["Content-Length: 1", "Transfer-Encoding: chunked"]),
    400,
    "bad_request",
  ],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad_request"],
  ["TLS on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400, "bad_request"],
  ["a target that is too long", `GET /${LONG} HTTP/1.1\r\nHost: a\r\n\r\n`, 414, "uri_too_long"],
  [
    "a head that is too large",
    request("GET /", [LONG, LONG, LONG, LONG].map((x) => `X: ${x}`)),
    431,
    "head_too_large",
  ],
  ["too many fields", request("GET /", Array(100).fill("X: y")), 431, "head_too_large"],
  ["a broken chunk", request("POST /", ["Transfer-Encoding: chunked"], "z\r\n"), 400, "bad_request"],
  [
    "a forbidden trailer",
    request("POST /", ["Transfer-Encoding: chunked"], "0\r\nHost: b\r\n\r\n"),
    400,
    "bad_request",
  ],
];

for (const [what, text, status, code] of REFUSED) {
  Deno.test(`${what} is refused with ${status} ${code}, and nothing more is read`, async () => {
    const targets: string[] = [];
    await using rig = new VisitorRig({
      handler: (exchange) => {
        targets.push(exchange.head.target);
        exchange.receive(new Taken());
      },
    });
    const visitor = await rig.connect();
    const sent = visitor.send(text + request("GET /hidden"));
    const answered = await visitor.answer();
    assert.equal(answered.status, status);
    assert.equal(field(answered.head, "connection"), "close");
    assert.equal(field(answered.head, "content-type"), "application/problem+json");
    const problem = JSON.parse(answered.body);
    assert.equal(problem.code, code);
    assert.equal(field(answered.head, "x-request-id"), problem.requestId);
    await sent;
    assert.equal(await visitor.rest(), "");
    assert.ok(!targets.includes("/hidden"));
  });
}

Deno.test("trailers share the limits of heads", async () => {
  await using rig = new VisitorRig({ handler: echoTarget, limits: { fields: 3 } });
  const visitor = await rig.connect();
  const text = (fields: number) =>
    request("POST /", ["Transfer-Encoding: chunked"], `0\r\n${"X: y\r\n".repeat(fields)}\r\n`);
  assert.equal((await visitor.ask(text(3))).status, 200);
  assert.equal((await visitor.ask(text(4))).status, 431);
});

Deno.test("a request larger than a link admits is refused with 413 before its body is asked for", async () => {
  await using rig = new VisitorRig({ handler: (exchange) => exchange.refuse(refusal("body_too_large")) });
  const visitor = await rig.connect();
  const { status, body, head } = await visitor.ask(request("POST /", [`Content-Length: ${10 ** 9}`]));
  assert.deepEqual([status, JSON.parse(body).code], [413, "body_too_large"]);
  assert.equal(field(head, "connection"), "close");
});

Deno.test("a refused HEAD has no body, and its connection goes on", async () => {
  await using rig = new VisitorRig({ handler: (exchange) => exchange.refuse(refusal("link_unknown")) });
  const visitor = await rig.connect();
  assert.equal((await visitor.ask(request("HEAD /"))).status, 404);
  assert.equal((await visitor.ask(request("HEAD /"))).status, 404);
});

Deno.test("a handler that throws costs its connection and nothing else", async () => {
  await using rig = new VisitorRig({
    handler: (exchange) => {
      if (exchange.head.target === "/bad") throw new Error("a defect");
      answer(exchange, "x");
    },
  });
  const bad = await rig.connect(), good = await rig.connect();
  await bad.send(request("GET /bad"));
  assert.equal(await bad.rest(), "");
  assert.equal((await good.ask(GET)).body, "x");
  assert.equal(rig.listener.connections, 1);
  assert.equal(rig.listener.busy, 0);
});
