import assert from "node:assert/strict";
import { contains, parseAddress, parseCidr } from "../../src/core/address.ts";
import { RequestReader } from "../../src/core/http1/head.ts";
import { toBytes } from "../../src/core/latin1.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { clientAddress, forwardedSecure } from "../../src/net/client.ts";
import { request } from "./visitor_rig.ts";

const PROXIES = ["10.0.0.0/8", "2001:db8:f::/48"].map(parseCidr);
const trusted = (ip: string) => contains(PROXIES, parseAddress(ip)!);

function head(...lines: string[]) {
  const reader = new RequestReader(DEFAULT_LIMITS), bytes = toBytes(request("GET /", lines));
  reader.read(bytes, 0, bytes.length);
  return reader.head!;
}

const xff = (...values: string[]) => values.map((value) => `X-Forwarded-For: ${value}`);
const MANY = Array.from({ length: 90 }, (_, i) => `X-Forwarded-For: 203.0.113.${i}`);

/** What a proxy at 10.0.0.1 passes on, and who that is from. */
const CHAINS: readonly (readonly [what: string, lines: readonly string[], client: string])[] = [
  ["no chain", [], "10.0.0.1"],
  ["one visitor", xff("203.0.113.7"), "203.0.113.7"],
  ["a visitor that made up the rest", xff("192.0.2.1, 127.0.0.1, 203.0.113.7"), "203.0.113.7"],
  ["a visitor that made up a trusted proxy", xff("192.0.2.1, 10.0.0.9, 203.0.113.7"), "203.0.113.7"],
  ["a visitor behind two proxies", xff("192.0.2.1, 203.0.113.7, 10.0.0.2"), "203.0.113.7"],
  ["the same in fields of their own", xff("192.0.2.1", "203.0.113.7", "10.0.0.2"), "203.0.113.7"],
  ["proxies alone", xff("10.9.9.9, 10.0.0.2"), "10.9.9.9"],
  ["nonsense left of the visitor", xff("<script>, 203.0.113.7"), "203.0.113.7"],
  ["nonsense where the visitor should be", xff("203.0.113.7, unknown"), "10.0.0.1"],
  ["nonsense behind a proxy", xff("203.0.113.7, unknown, 10.0.0.2"), "10.0.0.2"],
  ["empty places", xff("203.0.113.7, , "), "10.0.0.1"],
  ["an empty field", xff(""), "10.0.0.1"],
  ["a port", xff("203.0.113.7:4711"), "203.0.113.7"],
  ["IPv6", xff("2001:DB8:0::7"), "2001:db8::7"],
  ["IPv6 with a port", xff("[2001:db8::7]:4711"), "2001:db8::7"],
  ["IPv6 in brackets", xff("[2001:db8::7]"), "2001:db8::7"],
  ["IPv6 proxies", xff("2001:db8::7, [2001:db8:f::1]:80"), "2001:db8::7"],
  ["a mapped proxy", xff("203.0.113.7, ::ffff:10.0.0.2"), "203.0.113.7"],
  ["a zone", xff("fe80::1%eth0"), "10.0.0.1"],
  ["numbers that some read as octal", xff("0300.0.0.1"), "10.0.0.1"],
  ["a decimal address", xff("3405803783"), "10.0.0.1"],
  ["many fields", MANY, "203.0.113.89"],
  ["Forwarded, which nobody here trusts", ["Forwarded: for=192.0.2.1", ...xff("203.0.113.7")], "203.0.113.7"],
  ["other names for it", ["X-Real-IP: 192.0.2.1", "X_Forwarded_For: 192.0.2.1"], "10.0.0.1"],
];

for (const [what, lines, client] of CHAINS) {
  Deno.test(`of ${what} the client is ${client}`, () => {
    assert.equal(clientAddress(head(...lines), "10.0.0.1", trusted), client);
  });
}

Deno.test("https is what the nearest proxy says last", () => {
  const rows: [lines: string[], secure: boolean][] = [
    [[], false],
    [["X-Forwarded-Proto: https"], true],
    [["X-Forwarded-Proto: HTTPS "], true],
    [["X-Forwarded-Proto: https, http"], false],
    [["X-Forwarded-Proto: http", "X-Forwarded-Proto: https"], true],
    [["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"], false],
    [["X-Forwarded-Proto: wss"], false],
    [["X-Forwarded-Proto: "], false],
    [["Forwarded: proto=https"], false],
  ];
  for (const [lines, secure] of rows) assert.equal(forwardedSecure(head(...lines)), secure, lines.join("; "));
});
