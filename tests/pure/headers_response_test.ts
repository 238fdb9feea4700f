import assert from "node:assert/strict";
import { responseToHub, responseToVisitor } from "../../src/core/headers.ts";
import { response, text } from "./http1_heads.ts";

/** What a target answered, and what goes into the tunnel. */
const RESPONSES: {
  title: string;
  lines: string[];
  method?: string;
  upgrade?: string;
  sent: string[];
}[] = [
  {
    title: "an answer goes on as it came",
    lines: [
      "HTTP/1.1 200 All  right\xe9",
      "Server: x",
      "Set-Cookie: a",
      "set-cookie:b",
      "Content-Length: 2",
      "X: \xff ",
    ],
    sent: [
      "HTTP/1.1 200 All  right\xe9",
      "Server: x",
      "Set-Cookie: a",
      "set-cookie:b",
      "Content-Length: 2",
      "X: \xff ",
    ],
  },
  {
    title: "what belongs to the connection ends with it",
    lines: [
      "HTTP/1.1 200 OK",
      "Connection: keep-alive, X-A",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "Proxy-Authenticate: Basic",
      "Upgrade: h2c",
      "Transfer-Encoding: chunked",
      "X-A: b",
      "X-B: c",
    ],
    sent: ["HTTP/1.1 200 OK", "X-B: c"],
  },
  {
    title: "fields that mean something in requests only are the target's own",
    lines: ["HTTP/1.1 200 OK", "CF-Ray: 1", "X-Forwarded-For: x", "Proxy-Status: a", "Trailer: X-Sum"],
    sent: ["HTTP/1.1 200 OK", "CF-Ray: 1", "X-Forwarded-For: x", "Proxy-Status: a", "Trailer: X-Sum"],
  },
  {
    title: "a 1.0 answer goes on as 1.1",
    lines: ["HTTP/1.0 200 Fine", "A: b"],
    sent: ["HTTP/1.1 200 Fine", "A: b"],
  },
  { title: "a status line has its space", lines: ["HTTP/1.1 404", "A: b"], sent: ["HTTP/1.1 404 ", "A: b"] },
  { title: "a bare status line is enough", lines: ["HTTP/1.0 404"], sent: ["HTTP/1.1 404 "] },
  {
    title: "an answer to HEAD keeps its length",
    lines: ["HTTP/1.1 200 OK", "Content-Length: 1234"],
    method: "HEAD",
    sent: ["HTTP/1.1 200 OK", "Content-Length: 1234"],
  },
  {
    title: "a 304 keeps its length",
    lines: ["HTTP/1.1 304 Not Modified", "Content-Length: 1234"],
    sent: ["HTTP/1.1 304 Not Modified", "Content-Length: 1234"],
  },
  {
    title: "a 204 has no length",
    lines: ["HTTP/1.1 204 No Content", "Content-Length: 5", "A: b"],
    sent: ["HTTP/1.1 204 No Content", "A: b"],
  },
  {
    title: "an interim answer has no length",
    lines: ["HTTP/1.1 103 Early Hints", "Link: </a>", "Content-Length: 0"],
    sent: ["HTTP/1.1 103 Early Hints", "Link: </a>"],
  },
  {
    title: "a 101 keeps its upgrade",
    lines: [
      "HTTP/1.1 101 Switching Protocols",
      "upgrade: WebSocket",
      "connection: upgrade",
      "Sec-WebSocket-Accept: x",
    ],
    upgrade: "websocket",
    sent: [
      "HTTP/1.1 101 Switching Protocols",
      "upgrade: WebSocket",
      "Sec-WebSocket-Accept: x",
      "Connection: Upgrade",
    ],
  },
  {
    title: "a 426 says what to upgrade to",
    lines: ["HTTP/1.1 426 Upgrade Required", "Upgrade: websocket", "Connection: close", "Content-Length: 0"],
    sent: ["HTTP/1.1 426 Upgrade Required", "Upgrade: websocket", "Content-Length: 0", "Connection: Upgrade"],
  },
  {
    title: "without mapping Location stays",
    lines: ["HTTP/1.1 302 Found", "Location: http://localhost:3000/a"],
    sent: ["HTTP/1.1 302 Found", "Location: http://localhost:3000/a"],
  },
];

for (const { title, lines, method, upgrade, sent } of RESPONSES) {
  Deno.test(`into the tunnel: ${title}`, () => {
    const head = response(lines, method, upgrade);
    assert.equal(
      responseToHub(head, { mapFrom: null, publicOrigin: "https://k7.hub.test", edits: null }),
      text(sent),
    );
  });
}

const LOCATIONS: [value: string, mapped: string | null][] = [
  ["http://localhost:3000", "https://k7.hub.test"],
  ["http://localhost:3000/", "https://k7.hub.test/"],
  ["https://LocalHost:3000/a?b#c", "https://k7.hub.test/a?b#c"],
  ["HTTP://localhost:3000?x", "https://k7.hub.test?x"],
  ["http://localhost:3000#x", "https://k7.hub.test#x"],
  ["http://localhost:30000/a", null],
  ["http://localhost:3000.evil.test/", null],
  ["http://localhost:3000@evil.test/", null],
  ["http://localhost:3000\\a", null],
  ["http://localhost/a", null],
  ["http://user@localhost:3000/", null],
  ["ws://localhost:3000/a", null],
  ["//localhost:3000/a", null],
  ["/a", null],
  ["", null],
  ["http://other.test/?u=http://localhost:3000/", null],
];

Deno.test("Location leads back to the link where it names the Host that was sent", () => {
  const o = { mapFrom: "localhost:3000", publicOrigin: "https://k7.hub.test", edits: null };
  for (const name of ["Location", "content-LOCATION"]) {
    for (const [value, mapped] of LOCATIONS) {
      const lines = (location: string) => ["HTTP/1.1 302 Found", "A: b", location, "C: d"];
      const came = lines(`${name}:  ${value} `);
      assert.equal(
        responseToHub(response(came), o),
        text(mapped === null ? came : lines(`${name}: ${mapped}`)),
        value,
      );
    }
  }
});

const VISITORS: {
  title: string;
  lines: string[];
  chunked?: boolean;
  close?: boolean;
  upgrade?: string;
  sent: string[];
}[] = [
  {
    title: "an answer with a length goes on as it came",
    lines: ["HTTP/1.1 200 OK", "A: b", "Content-Length: 2"],
    sent: ["HTTP/1.1 200 OK", "A: b", "Content-Length: 2"],
  },
  {
    title: "a body without a length is chunked",
    lines: ["HTTP/1.1 200 OK", "A: b"],
    chunked: true,
    sent: ["HTTP/1.1 200 OK", "A: b", "Transfer-Encoding: chunked"],
  },
  {
    title: "a message has one framing, whatever the daemon said",
    lines: ["HTTP/1.1 200 OK", "Content-Length: 2"],
    chunked: true,
    sent: ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"],
  },
  {
    title: "a connection that closes says so",
    lines: ["HTTP/1.1 200 OK", "A: b"],
    close: true,
    sent: ["HTTP/1.1 200 OK", "A: b", "Connection: close"],
  },
  {
    title: "the daemon says nothing about the visitor's connection",
    lines: ["HTTP/1.0 200", "Connection: X-A", "Keep-Alive: a", "X-A: b"],
    sent: ["HTTP/1.1 200 "],
  },
  {
    title: "a 101 keeps its upgrade",
    lines: ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"],
    upgrade: "websocket",
    sent: ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"],
  },
  {
    title: "a 426 on a connection that closes says both",
    lines: ["HTTP/1.1 426 Upgrade Required", "Upgrade: websocket", "Content-Length: 0"],
    close: true,
    sent: [
      "HTTP/1.1 426 Upgrade Required",
      "Upgrade: websocket",
      "Content-Length: 0",
      "Connection: close, Upgrade",
    ],
  },
];

for (const { title, lines, chunked = false, close = false, upgrade, sent } of VISITORS) {
  Deno.test(`to the visitor: ${title}`, () => {
    assert.equal(responseToVisitor(response(lines, "GET", upgrade), { chunked, close }), text(sent));
  });
}
