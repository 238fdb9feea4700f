/** A front of other people's between visitor and hub: who asks, and how, is known at the target, and nothing else is lost. */
import assert from "node:assert/strict";
import { accepting, freePort, packaged, Rig } from "../e2e/rig.ts";
import { type Asked, expected, expectedAnswer } from "./expected.ts";
import { brief, Links, tolerate } from "./link.ts";
import { scripted } from "./scripted.ts";
import { type Exchange, visit } from "./visit.ts";

/** Its visitors come by the PROXY protocol, so that they may come from anywhere. */
const CONFIG = (front: number, server: string) =>
  `frontend f${front}
  bind 127.0.0.1:${front} accept-proxy
  option forwardfor
  http-request set-header X-Forwarded-Proto https
  default_backend b${front}
backend b${front}
  server s ${server}
`;

const LARGE = "0123456789abcdef".repeat(64 * 1024);
const ask = (method: string, target: string, rest = "\r\n") =>
  `${method} ${target} HTTP/1.1\r\nHost: {host}\r\n${rest}`;

const EXCHANGES: readonly Exchange[] = [
  { name: "GET", requests: [ask("GET", "/a?b=c%20d")] },
  { name: "HEAD", requests: [ask("HEAD", "/")] },
  { name: "WebDAV", requests: [ask("PROPFIND", "/", "Depth: 1\r\nContent-Length: 3\r\n\r\n<x>")] },
  {
    name: "chunks with trailers",
    requests: [ask("POST", "/", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n")],
  },
  { name: "1 MiB up", requests: [ask("PUT", "/", `Content-Length: ${LARGE.length}\r\n\r\n${LARGE}`)] },
  { name: "1 MiB down", requests: [ask("GET", "/large")] },
  { name: "chunks down", requests: [ask("GET", "/chunks")] },
  { name: "up to the end of the connection", requests: [ask("GET", "/close")] },
  { name: "304", requests: [ask("GET", "/same", 'If-None-Match: "1"\r\n\r\n')] },
  { name: "cookies", requests: [ask("GET", "/cookies", "Cookie: a=1; b=2\r\n\r\n")] },
  { name: "103", requests: [ask("GET", "/hints")] },
  {
    name: "a visitor that lies about itself",
    requests: [
      ask(
        "GET",
        "/",
        "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nForwarded: for=192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\n\r\n",
      ),
    ],
  },
  {
    name: "requests at once",
    requests: ["/1", "/large", "/chunks", "/same", "/2"].map((target) => ask("GET", target)),
  },
];

const SCRIPTS = {
  "/large": { answer: `HTTP/1.1 200 OK\r\nContent-Length: ${LARGE.length}\r\nETag: "x"\r\n\r\n${LARGE}` },
  "/chunks": {
    answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n",
  },
  "/close": { answer: "HTTP/1.1 200 OK\r\n\r\nall of it", close: true },
  "/same": { answer: 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n' },
  "/cookies": {
    answer: "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
  },
  "/hints": {
    interim: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
  },
};

Deno.test("behind haproxy a link tells its target who asks, and is not to be noticed otherwise", async (t) => {
  const program = packaged("haproxy", "haproxy");
  if (program === null) return;
  await using rig = new Rig();
  rig.file("hub.yaml", "version: 1\ntrusted_proxies: [127.0.0.1/32, 198.51.100.0/24]\n");
  const links = await Links.to(rig, scripted(rig, new Map(Object.entries(SCRIPTS))));
  const straight = freePort(), through = freePort();
  const timeouts = "timeout connect 5s\n  timeout client 30s\n  timeout server 30s";
  const config = rig.file(
    "haproxy.cfg",
    `defaults\n  mode http\n  ${timeouts}\n` + CONFIG(straight, links.tap.authority) +
      CONFIG(through, `127.0.0.1:${links.pair.port}`),
  );
  rig.spawn(program, ["-db", "-f", config]);
  await Promise.all([straight, through].map(accepting));

  for (const [family, address] of [["TCP4", "203.0.113.7"], ["TCP6", "2001:db8::7"]]) {
    const preface = `PROXY ${family} ${address} ${address} 4711 443\r\n`;
    const by = (port: number) => ({ hostname: "127.0.0.1", port, authority: "our.localhost", preface });
    const without = await visit(by(straight), links.tap, EXCHANGES, Infinity);
    const within = await visit(by(through), links.tap, EXCHANGES, Infinity);
    const via = { ...links.via.public, address, proto: "https" as const };
    for (const [i, { name }] of EXCHANGES.entries()) {
      const [a, b] = [without.seen[i], within.seen[i]];
      await t.step(`${name}, from ${address}`, () => {
        assert.deepEqual([a.trouble, b.trouble], [null, null]);
        // What haproxy tells the target without a link, it tells the hub.
        assert.deepEqual(b.told.map(brief), a.told.map((told) => brief(expected(told, via))));
        assert.equal(b.answers.length, a.answers.length);
        for (const [j, answer] of b.answers.entries()) {
          const asked: Asked = {
            method: a.sent[j].slice(0, a.sent[j].indexOf(" ")),
            minor: 1,
            closes: false,
            mapFrom: null,
            publicOrigin: "",
          };
          const plain = (message: string) => brief(tolerate(expectedAnswer(message, asked), []));
          assert.deepEqual(answer.interim, a.answers[j].interim);
          assert.equal(plain(answer.message), plain(a.answers[j].message));
        }
      });
    }
  }
});
