import assert from "node:assert/strict";
import {
  type ForwardOptions,
  loops,
  type Origin,
  provenance,
  requestToTarget,
} from "../../src/core/headers.ts";
import { request, text } from "./http1_heads.ts";

const ORIGIN: Origin = { address: "192.0.2.7", proto: "http", publicHost: "k7.hub.test", loop: "d1" };

const OPTIONS: ForwardOptions = {
  host: null,
  provenance: provenance(ORIGIN),
  dropOverrides: false,
  dropAuthorization: false,
  upgrade: null,
  edits: null,
};

/** What connectd adds under OPTIONS. */
const OURS = [
  "X-Forwarded-For: 192.0.2.7",
  "X-Forwarded-Proto: http",
  "X-Forwarded-Host: k7.hub.test",
  "X-Forwarded-Port: 80",
  'Forwarded: for=192.0.2.7;host="k7.hub.test";proto=http',
  "CDN-Loop: connectd;l=d1",
];

const GET = ["GET /a?b HTTP/1.1", "Host: k7.hub.test"];
const POST = ["POST /in HTTP/1.1", "Host: k7.hub.test"];

/** What came, with which options, and what goes on before what connectd adds. */
const REQUESTS: { title: string; lines: string[]; options?: Partial<ForwardOptions>; sent: string[] }[] = [
  { title: "a plain request goes on as it came", lines: GET, sent: GET },
  {
    title: "order, case, repeats, 8-bit values and inner spaces are kept",
    lines: [...GET, "x-b:1", "X-A:  \xe9 a  b\t", "X-B: 3", "x-a: \x80\xff", "Cookie: a", "Cookie: b"],
    sent: [...GET, "x-b:1", "X-A:  \xe9 a  b\t", "X-B: 3", "x-a: \x80\xff", "Cookie: a", "Cookie: b"],
  },
  {
    title: "Host is rewritten where it stood",
    lines: ["GET / HTTP/1.1", "Accept: */*", "hOST: k7.hub.test", "X-A: b"],
    options: { host: "localhost:3000" },
    sent: ["GET / HTTP/1.1", "Accept: */*", "Host: localhost:3000", "X-A: b"],
  },
  {
    title: "a 1.0 request goes on as 1.1",
    lines: ["GET / HTTP/1.0", "Host: k7.hub.test", "Connection: keep-alive"],
    sent: ["GET / HTTP/1.1", "Host: k7.hub.test"],
  },
  {
    title: "what belongs to the connection ends with it",
    lines: [
      ...GET,
      "Connection: keep-alive",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "Proxy-Authorization: Basic eA==",
      "Proxy-Foo: b",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQAAP__",
      "TE: gzip",
      "X-A: b",
    ],
    sent: [...GET, "X-A: b"],
  },
  {
    title: "httpoxy: Proxy is never forwarded",
    lines: [...GET, "Proxy: http://evil.test", "pROXY: x"],
    sent: GET,
  },
  {
    title: "what Connection names is dropped, over several fields and in any case",
    lines: [
      ...GET,
      "Connection: X-A, close , ,x-c",
      "x-a: 1",
      "X-B: 2",
      "X-A: 3",
      "X-C: 4",
      "connection: X-D",
      "x-d:",
    ],
    sent: [...GET, "X-B: 2"],
  },
  {
    title: "Connection can not take away what others rely on",
    lines: [
      ...POST,
      "Connection: host, content-length, authorization, expect, cdn-loop, x-forwarded-for, forwarded, connection",
      "Content-Length: 5",
      "Authorization: Bearer x",
      "Expect: 100-continue",
      "CDN-Loop: other",
    ],
    sent: [
      ...POST,
      "Content-Length: 5",
      "Authorization: Bearer x",
      "Expect: 100-continue",
      "CDN-Loop: other",
    ],
  },
  {
    title: "Transfer-Encoding is made anew",
    lines: [...POST, "Connection: transfer-encoding", "transfer-encoding:   chunked ", "Trailer: X-Sum"],
    sent: [...POST, "Trailer: X-Sum", "Transfer-Encoding: chunked"],
  },
  {
    title: "what some targets would take for another framing is dropped",
    lines: [...GET, "Transfer_Encoding: chunked", "content_length: 5", "Content_Type: kept"],
    sent: [...GET, "Content_Type: kept"],
  },
  {
    title: "of TE `trailers` is left, and named as RFC 9110 has it",
    lines: [...GET, "TE: trailers, deflate;q=0.5", "Connection: TE", "te: Trailers"],
    sent: [...GET, "TE: trailers", "Connection: TE"],
  },
  {
    title: "forged forwarding fields are dropped in every spelling",
    lines: [
      ...GET,
      "X-Forwarded-For: 10.0.0.1",
      "x-forwarded-for: 10.0.0.2",
      "X_Forwarded_For: 10.0.0.3",
      "X-Forwarded_For: 10.0.0.3",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: evil.test",
      "X-Forwarded-Port: 1",
      "X-Forwarded-Server: x",
      "X_FORWARDED_SSL: on",
      "X-Forwarded: for=x",
      "Forwarded: for=10.0.0.4",
      "X-Real-IP: 10.0.0.5",
      "X_Real_Ip: 10.0.0.5",
      "True-Client-IP: 10.0.0.6",
      "True_Client-IP: 10.0.0.6",
      "CF-Connecting-IP: 10.0.0.7",
      "cf_ipcountry: XX",
      "X-Real: kept",
      "CFX: kept",
      "X_Forwarder: kept",
    ],
    sent: [...GET, "X-Real: kept", "CFX: kept", "X_Forwarder: kept"],
  },
  {
    title: "overrides pass where no policy is about them",
    lines: [...GET, "X-HTTP-Method-Override: DELETE", "X-Original-URL: /admin"],
    sent: [...GET, "X-HTTP-Method-Override: DELETE", "X-Original-URL: /admin"],
  },
  {
    title: "overrides of method and path are dropped in every spelling",
    lines: [
      ...GET,
      "X-HTTP-Method-Override: DELETE",
      "X-HTTP-Method: DELETE",
      "X-Method-Override: DELETE",
      "x_http_method_override: DELETE",
      "X-Original-URL: /admin",
      "X_Original_Url: /admin",
      "X-Rewrite-URL: /admin",
    ],
    options: { dropOverrides: true },
    sent: GET,
  },
  {
    title: "a credential of the application passes",
    lines: [...GET, "Authorization: Bearer x"],
    sent: [...GET, "Authorization: Bearer x"],
  },
  {
    title: "a credential of the link does not",
    lines: [...GET, "Authorization: Bearer x"],
    options: { dropAuthorization: true },
    sent: GET,
  },
  {
    title: "an upgrade that is admitted passes",
    lines: [...GET, "Connection: keep-alive, Upgrade", "Upgrade: WebSocket", "Sec-WebSocket-Key: x"],
    options: { upgrade: "websocket" },
    sent: [...GET, "Upgrade: WebSocket", "Sec-WebSocket-Key: x", "Connection: Upgrade"],
  },
  {
    title: "an upgrade that is not admitted is none",
    lines: [
      ...GET,
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQAAP__",
    ],
    sent: GET,
  },
  {
    title: "an upgrade with trailers names both",
    lines: [...GET, "Connection: Upgrade, TE", "Upgrade: websocket", "TE: trailers"],
    options: { upgrade: "websocket" },
    sent: [...GET, "Upgrade: websocket", "TE: trailers", "Connection: TE, Upgrade"],
  },
  {
    title: "CDN-Loop is appended to what came",
    lines: [...GET, "CDN-Loop: a, b", "cdn-loop: connectd;l=other"],
    sent: [...GET, "CDN-Loop: a, b", "cdn-loop: connectd;l=other"],
  },
];

for (const { title, lines, options, sent } of REQUESTS) {
  Deno.test(`to the target: ${title}`, () => {
    assert.equal(requestToTarget(request(lines), { ...OPTIONS, ...options }), text([...sent, ...OURS]));
  });
}

const PROVENANCE: { origin: Partial<Origin>; port: string; forwarded: string }[] = [
  {
    origin: { proto: "https" },
    port: "443",
    forwarded: 'for=192.0.2.7;host="k7.hub.test";proto=https',
  },
  {
    origin: { publicHost: "k7.localhost:8080" },
    port: "8080",
    forwarded: 'for=192.0.2.7;host="k7.localhost:8080";proto=http',
  },
  {
    origin: { address: "2001:db8::7", publicHost: "[::1]" },
    port: "80",
    forwarded: 'for="[2001:db8::7]";host="[::1]";proto=http',
  },
  {
    origin: { address: "2001:db8::7", publicHost: "[::1]:8443", proto: "https" },
    port: "8443",
    forwarded: 'for="[2001:db8::7]";host="[::1]:8443";proto=https',
  },
];

Deno.test("the target learns client, scheme, host and port, once each", () => {
  for (const { origin, port, forwarded } of PROVENANCE) {
    const o = { ...ORIGIN, ...origin };
    const head = request([...GET, ...provenance(o).split("\r\n").slice(0, -1)]);
    assert.deepEqual(head.fields.slice(1), [
      ["X-Forwarded-For", o.address],
      ["X-Forwarded-Proto", o.proto],
      ["X-Forwarded-Host", o.publicHost],
      ["X-Forwarded-Port", port],
      ["Forwarded", forwarded],
      ["CDN-Loop", "connectd;l=d1"],
    ]);
  }
});

Deno.test("a link knows its own requests by CDN-Loop, and no other's", () => {
  const looped = (...values: string[]) =>
    loops(request([...GET, ...values.map((v) => `CDN-Loop: ${v}`)]), "d1");
  assert.equal(looped("connectd;l=d1"), true);
  assert.equal(looped("a, connectd;l=d2", "b , connectd; l=d1 , c"), true);
  assert.equal(looped(), false);
  assert.equal(looped("connectd;l=d12", "connectd;l=d2", "x-connectd;l=d1", "d1"), false);
  assert.equal(loops(request(requestToTarget(request(GET), OPTIONS).split("\r\n").slice(0, -2)), "d1"), true);
});
