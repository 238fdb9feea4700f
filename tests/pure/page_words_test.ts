import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { withoutCoding } from "../../src/pages/coding.ts";
import { BodyView, hexDump, viewsOf } from "../../src/pages/bodies.tsx";
import { policyWords, relativeWords, sizeWords, spanWords } from "../../src/pages/words.ts";

const SPANS: [ms: number, text: string][] = [
  [0, "0s"],
  [999, "0s"],
  [1_000, "1s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [61_000, "1m 1s"],
  [3_600_000, "1h"],
  [3_661_000, "1h 1m"],
  [86_400_000, "1d"],
  [6 * 86_400_000 + 23 * 3_600_000 + 59 * 60_000, "6d 23h"],
  [-5, "0s"],
];

Deno.test("spans are said in their two largest units", () => {
  for (const [ms, text] of SPANS) assert.equal(spanWords(ms), text);
  assert.equal(relativeWords(5_000, 0), "in 5s");
  assert.equal(relativeWords(0, 5_000), "5s ago");
});

Deno.test("sizes are said in binary units", () => {
  const sizes = {
    0: "0 B",
    1023: "1023 B",
    1024: "1 KiB",
    1536: "1.5 KiB",
    10485760: "10 MiB",
    1099511627776: "1 TiB",
  };
  for (const [bytes, text] of Object.entries(sizes)) assert.equal(sizeWords(Number(bytes)), text);
});

const OPEN = {
  methods: null,
  paths: null,
  rate: null,
  auth: null,
  allowIps: null,
  maxBody: null,
  maxStreams: null,
  upgrade: ["websocket"],
  shadow: false,
};

const RULES: [change: Record<string, unknown>, sentence: string][] = [
  [{}, "Any method."],
  [{ methods: ["GET"] }, "Only GET (and HEAD)."],
  [{ methods: ["GET", "PUT", "POST"] }, "Only GET (and HEAD), PUT or POST."],
  [{ paths: ["/api", "= /x"] }, "Only /api and what is below it or exactly /x."],
  [{ rate: ["1/s"] }, "At most 1 request a second."],
  [
    { rate: ["100/m burst 20 per ip"] },
    "At most 100 requests a minute, 20 at once, for each address by itself.",
  ],
  [{ auth: ["basic", "bearer"] }, "Only with a name and a password or a token."],
  [{ allowIps: ["192.0.2.0/24"] }, "Only visitors from 192.0.2.0/24."],
  [{ maxBody: 1536 }, "Bodies of at most 1.5 KiB."],
  [{ maxStreams: 1 }, "At most 1 request in flight."],
  [{ upgrade: [] }, "No connection may be upgraded."],
  [{ shadow: true }, "In shadow: what this would refuse is let through and counted."],
];

Deno.test("a policy is said in words, a sentence a rule", () => {
  for (const [change, sentence] of RULES) {
    const words = policyWords({ ...OPEN, ...change });
    assert.ok(words.includes(sentence), `${sentence} is not in ${words.join(" ")}`);
  }
});

const WIDE: [what: string, text: string][] = [
  ["30,000 lists in each other", "[".repeat(30_000) + "]".repeat(30_000)],
  ["30,000 numbers", `[${Array.from({ length: 30_000 }, () => 1).join()}]`],
  ["many lists of many", `[${Array.from({ length: 300 }, () => `[${"1,".repeat(100)}1]`).join()}]`],
];

Deno.test("a tree of what somebody sent is never more than a page holds", () => {
  for (const [what, text] of WIDE) {
    const html = String(BodyView({ body: { bytes: octets(text), text }, view: "json", id: "body" }));
    assert.match(html, /and more: see the text/, what);
    assert.ok(html.length < 100_000, `${what}: ${html.length}`);
  }
});

const octets = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

const BODIES: [what: string, bytes: Uint8Array, isText: boolean, views: string[]][] = [
  ["text", octets("hello"), true, ["text", "hex"]],
  ["an object", octets(` {"a":1}`), true, ["json", "text", "hex"]],
  ["a number", octets("17"), true, ["text", "hex"]],
  ["half an object", octets(`{"a":`), true, ["text", "hex"]],
  ["a picture", octets("\x89PNG\r\n\x1a\n\0\0"), false, ["image", "hex"]],
  ["a document that is drawn", octets("<svg onload=x>"), true, ["text", "hex"]],
  ["a page", octets("<!doctype html>"), true, ["text", "hex"]],
  ["octets", octets("\xff\0"), false, ["hex"]],
];

Deno.test("a body is looked at in the ways that fit what it is, whatever its sender calls it", () => {
  for (const [what, bytes, isText, views] of BODIES) {
    const text = isText ? new TextDecoder().decode(bytes) : null;
    assert.deepEqual(viewsOf({ bytes, text }), views, what);
  }
});

Deno.test("a dump has place, octets and what is printable of them", () => {
  const lines = hexDump(octets("0123456789abcdef\0<")).split("\n");
  assert.equal(lines[0], `00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  |0123456789abcdef|`);
  assert.equal(lines[1], `00000010  00 3c${" ".repeat(42)}  |.<|`);
});

const CODINGS: [coding: string, pack: (text: string) => Uint8Array][] = [
  ["gzip", gzipSync],
  ["x-gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
];

Deno.test("a packed body is unpacked to be read, its beginning where it is cut short, and never without a bound", () => {
  const text = Array.from({ length: 2000 }, (_, i) => (i * 7919 % 1000).toString(36)).join(" ");
  for (const [coding, pack] of CODINGS) {
    const head = `HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\n\r\n`;
    const packed = pack(text);
    assert.equal(Buffer.from(withoutCoding(head, packed)!).toString(), text, coding);
    const begun = Buffer.from(withoutCoding(head, packed.subarray(0, packed.length >> 1))!).toString();
    assert.ok(begun.length > 100 && text.startsWith(begun), coding);
    assert.equal(withoutCoding(head, pack("a".repeat(1_000_000))), null, coding);
    assert.equal(withoutCoding(head, new Uint8Array(100)), null, coding);
    assert.equal(withoutCoding(head.replace(coding, `${coding}, ${coding}`), packed), null);
  }
  assert.equal(withoutCoding("HTTP/1.1 200 OK\r\n\r\n", gzipSync(text)), null);
});
