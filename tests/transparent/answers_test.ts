/** Answers of every shape: a visitor gets through a link what it gets without, but for what is written down in expected.ts. */
import { gzipSync } from "node:zlib";
import { latin1 } from "../../src/core/latin1.ts";
import { Rig } from "../e2e/rig.ts";
import { Links } from "./link.ts";
import { type Script, scripted } from "./scripted.ts";
import type { Exchange } from "./visit.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const ZERO_TO_FF = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join("");
const LARGE = ZERO_TO_FF.repeat(8 * 1024);
const ZIPPED = latin1(gzipSync(ZERO_TO_FF.repeat(9)));
/** RFC 8878: a frame of one raw block. */
const ZSTD = "\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00plain";

const PARTS =
  "--x\r\nContent-Range: bytes 0-0/9\r\n\r\na\r\n--x\r\nContent-Range: bytes 8-8/9\r\n\r\ni\r\n--x--\r\n";

const sized = (fields: string, body: string) => `${OK}${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
const chunks = (...parts: string[]) =>
  parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("") + "0\r\n";

const ANSWERS: Readonly<Record<string, Script>> = {
  "duplicates, their order and their case": {
    answer: sized(
      "X-A: 1\r\nset-cookie: a=1; Path=/\r\nSet-Cookie: b=2; HttpOnly\r\nx-a: 2\r\nSET-COOKIE: a=3\r\nX-A: 1\r\n",
      "x",
    ),
  },
  "white space and nothing as values": {
    answer: sized("A:1\r\nB:   2  \r\nC:\r\nD:   \r\nE:\t3\t\r\n", "x"),
  },
  "obs-text": {
    answer: sized('X: caf\xe9 \x80\xff\r\nContent-Disposition: attachment; filename="\xe4"\r\n', "x"),
  },
  "no Date and no Server are added": { answer: sized("", "") },
  "its own Date": {
    answer: sized(
      "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nServer: x/1 (y)\r\nAge: 5\r\nVia: 1.1 other\r\n",
      "x",
    ),
  },
  "every octet": { answer: sized("Content-Type: x/y\r\n", ZERO_TO_FF) },
  "2 MiB with Content-Length": { answer: sized("", LARGE) },
  "2 MiB in a chunk": { answer: `${OK}Transfer-Encoding: chunked\r\n\r\n${chunks(LARGE)}\r\n` },
  "2 MiB up to the end of the connection": { answer: `${OK}\r\n${LARGE}`, close: true },
  "a body up to the end of the connection": {
    answer: `${OK}X: 1\r\nConnection: close\r\n\r\nall of it`,
    close: true,
  },
  "an empty body up to the end of the connection": { answer: `${OK}\r\n`, close: true },
  "chunks of an octet": { answer: `${OK}Transfer-Encoding: chunked\r\n\r\n${chunks(..."octets")}\r\n` },
  "no chunk": { answer: `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n` },
  "chunk extensions": { answer: `${OK}Transfer-Encoding: chunked\r\n\r\n03;a=b\r\nabc\r\n00;last\r\n\r\n` },
  "trailers": {
    answer: `${OK}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n${
      chunks("ab", "c")
    }X-Sum: 1\r\nx-sum:  caf\xe9 \r\nServer-Timing: a;dur=1\r\n\r\n`,
  },
  "gzip": { answer: sized('Content-Encoding: gzip\r\nVary: Accept-Encoding\r\nETag: W/"1"\r\n', ZIPPED) },
  "gzip in chunks": {
    answer: `${OK}Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n${
      chunks(ZIPPED.slice(0, 9), ZIPPED.slice(9))
    }\r\n`,
  },
  "br": { answer: sized("Content-Encoding: br\r\n", "\x0b\x02\x80plain\x03") },
  "zstd": { answer: sized("Content-Encoding: zstd\r\n", ZSTD) },
  "a coding that is none": { answer: sized("Content-Encoding: gzip, x-other\r\n", "not gzip") },
  "an octet stream without a type": { answer: sized("X-Content-Type-Options: nosniff\r\n", "<html>") },
  "204": { answer: "HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n" },
  "204 with a length": { answer: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n" },
  "205": { answer: "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n" },
  "206 of several parts": {
    answer: sized("Content-Type: multipart/byteranges; boundary=x\r\n", PARTS).replace(
      "200 OK",
      "206 Partial Content",
    ),
  },
  "304": { answer: 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nX: 1\r\n\r\n' },
  "304 with the length that a 200 would have": {
    answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
  },
  "401 with several challenges": {
    answer:
      'HTTP/1.1 401 U\r\nWWW-Authenticate: Basic realm="x"\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n',
  },
  "426": {
    answer:
      "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n",
  },
  "an Upgrade that is advertised": {
    answer: sized('Upgrade: h2c\r\nConnection: Upgrade\r\nAlt-Svc: h3=":443"\r\n', "x"),
  },
  "a status that nobody knows": {
    answer: "HTTP/1.1 799 What, \xe9\t:  is this? \r\nContent-Length: 1\r\n\r\nx",
  },
  "an empty reason": { answer: "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx" },
  "no reason": { answer: "HTTP/1.1 500\r\nContent-Length: 1\r\n\r\nx" },
  "HTTP/1.0 with a length": { answer: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", close: true },
  "HTTP/1.0 up to the end of the connection": {
    answer: "HTTP/1.0 404 Not Found\r\nServer: old\r\n\r\nx",
    close: true,
  },
  "hop-by-hop fields go, and what Connection names": {
    answer: sized(
      "Connection: keep-alive, X-Mine\r\nKeep-Alive: timeout=5\r\nX-Mine: 1\r\nX-Other: 2\r\nProxy-Connection: keep-alive\r\n",
      "x",
    ),
  },
  "as many fields as may be": {
    answer: sized(Array.from({ length: 99 }, (_, i) => `X-${i}: ${i}\r\n`).join(""), "x"),
  },
  "a field as long as a head may be": { answer: sized(`X: ${"v".repeat(65_000)}\r\n`, "x") },
  "102 and 103 before it": {
    interim:
      "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nlink: </b>\r\n\r\n",
    answer: sized("Link: </a>\r\n", "x"),
  },
  "103 once more": { interim: "HTTP/1.1 103 X\r\nA: 1\r\n\r\n".repeat(20), answer: sized("", "x") },
  "a 100 that nobody waits for": { interim: "HTTP/1.1 100 Continue\r\n\r\n", answer: sized("", "x") },
  "Location elsewhere": {
    answer: "HTTP/1.1 302 Found\r\nLocation: https://other.example/x?y#z\r\nContent-Length: 0\r\n\r\n",
  },
  "Location without a host": { answer: "HTTP/1.1 302 Found\r\nlocation:/x\r\nContent-Length: 0\r\n\r\n" },
  "links in a body": {
    answer: sized(
      "Content-Type: text/html\r\nRefresh: 0; url=http://127.0.0.2/\r\n",
      "<a href='http://127.0.0.2/'>",
    ),
  },
};

/** Said before the request is complete, by servers that go on reading it or don't. */
const EARLY: Readonly<Record<string, Script>> = {
  "a 413 amid an upload": {
    answer: "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 6\r\n\r\nenough",
    early: true,
  },
  "a 200 amid an upload, up to the end of the connection": { answer: `${OK}X: 1\r\n\r\nenough`, early: true },
  "a 401 in place of a 100": {
    answer: "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    early: true,
  },
};

/** Without a name of its own, and with a target that says which it is. */
const path = (i: number) => `/${i}`;

function uploads(): Exchange[] {
  return Object.keys(EARLY).map((name, i) => {
    const expect = name.endsWith("100");
    const head = `PUT /early${i} HTTP/1.1\r\nHost: {host}\r\n${expect ? "Expect: 100-continue\r\n" : ""}`;
    return {
      name,
      requests: [`${head}Content-Length: ${LARGE.length}\r\n\r\n${expect ? "" : LARGE}`],
      early: true,
    };
  });
}

function exchanges(): Exchange[] {
  const ask = (method: string, i: number, minor = 1) =>
    `${method} ${path(i)} HTTP/1.${minor}\r\nHost: {host}\r\n\r\n`;
  const names = Object.keys(ANSWERS);
  const asked = (how: string, ask: (i: number) => string, most = Infinity) =>
    names.flatMap((name, i) =>
      ANSWERS[name].answer.length > most ? [] : [{ name: `${name}, to ${how}`, requests: [ask(i)] }]
    );
  return [
    ...asked("GET", (i) => ask("GET", i)),
    ...asked("HEAD", (i) => ask("HEAD", i)),
    ...asked("POST", (i) => ask("POST", i), LARGE.length / 2),
    ...asked("HTTP/1.0", (i) => ask("GET", i, 0)),
    {
      name: "answers to requests that come at once, in order",
      requests: names.flatMap((name, i) => ANSWERS[name].close ? [] : [ask("GET", i), ask("HEAD", i)]),
    },
  ];
}

Deno.test("a visitor gets every answer as its target gave it", async (t) => {
  await using rig = new Rig();
  const scripts = new Map(Object.values(ANSWERS).map((script, i) => [path(i), script]));
  for (const [i, script] of Object.values(EARLY).entries()) scripts.set(`/early${i}`, script);
  const links = await Links.to(rig, scripted(rig, scripts));
  for (const host of ["target", "public"] as const) {
    await t.step(`host: ${host}`, (t) => links.same(t, [...exchanges(), ...uploads()], { host }));
  }
});
