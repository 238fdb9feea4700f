import assert from "node:assert/strict";
import { crc32c } from "../../src/core/crc32c.ts";
import { toBytes } from "../../src/core/latin1.ts";
import { readProxyHeader } from "../../src/core/proxy_protocol.ts";
import { taken } from "./fuzz.ts";
import { proxyCase } from "./proxy_fuzz.ts";
import { extra, header, IPV4, IPV6, MAPPED, summed } from "./proxy_inputs.ts";

Deno.test("CRC-32C is what RFC 3720 says it is", () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assert.equal(crc32c(toBytes("123456789")), 0xe3069283);
});

const GOOD: readonly (readonly [what: string, bytes: Uint8Array, source: string | null])[] = [
  ["TCP over IPv4", header(), "203.0.113.7"],
  ["UDP over IPv4", header({ family: 0x12 }), "203.0.113.7"],
  ["TCP over IPv6", header({ family: 0x21, rest: IPV6 }), "2001:db8::7"],
  ["an IPv4 address in the dress of IPv6", header({ family: 0x21, rest: MAPPED }), "203.0.113.7"],
  ["LOCAL", header({ kind: 0x20, family: 0, rest: [] }), null],
  ["LOCAL with addresses that mean nothing", header({ kind: 0x20 }), null],
  ["LOCAL with a family and no addresses", header({ kind: 0x20, family: 0x21, rest: [1, 2] }), null],
  ["a family that is not said", header({ family: 0, rest: [] }), null],
  ["a unix socket", header({ family: 0x31, rest: Array(216).fill(65) }), null],
  [
    "extras that mean nothing here",
    header({ rest: [...IPV4, ...extra(1, [104, 50]), ...extra(4, [])] }),
    "203.0.113.7",
  ],
  [
    "an extra of 60,000 octets",
    header({ rest: [...IPV4, ...extra(4, Array(60_000).fill(0))] }),
    "203.0.113.7",
  ],
  ["a checksum", summed(), "203.0.113.7"],
  ["a checksum behind another extra", summed(extra(2, [97])), "203.0.113.7"],
];

for (const [what, bytes, source] of GOOD) {
  Deno.test(`PROXY v2: ${what} is read, complete to the octet and no sooner`, () => {
    const behind = Uint8Array.from([...bytes, 71, 69, 84]);
    assert.deepEqual(readProxyHeader(behind), { length: bytes.length, source });
    const step = bytes.length > 300 ? 977 : 1;
    for (let n = 0; n < bytes.length; n += step) {
      assert.equal(readProxyHeader(bytes.subarray(0, n)), null, `${n}`);
    }
  });
}

/** A right checksum, and `extras` behind it. */
function summedFirst(extras: readonly number[]): Uint8Array {
  const bytes = header({ rest: [...IPV4, ...extra(3, [0, 0, 0, 0]), ...extras] });
  new DataView(bytes.buffer).setUint32(bytes.length - extras.length - 4, crc32c(bytes));
  return bytes;
}

const BAD: readonly (readonly [what: string, bytes: Uint8Array, at: number, why: RegExp])[] = [
  ["version 1", toBytes("PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n"), 1, /version 1/],
  ["a request", toBytes("GET / HTTP/1.1\r\n\r\n"), 1, /no PROXY protocol header/],
  ["a TLS greeting", Uint8Array.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0, 0, 0, 0]), 1, /no PROXY/],
  [
    "the blank line that the signature begins with, and a request",
    toBytes("\r\n\r\nGET / HTTP/1.1\r\n"),
    5,
    /no PROXY/,
  ],
  ["a signature whose last octet is another", header({}).with(11, 0x0b), 12, /no PROXY/],
  ["version 1 in the dress of 2", header({ kind: 0x11 }), 13, /version 1/],
  ["version 3", header({ kind: 0x31 }), 13, /version 3/],
  ["another command", header({ kind: 0x22 }), 13, /unknown command 2/],
  ["another family", header({ family: 0x41 }), 14, /unknown family 65/],
  ["another transport", header({ family: 0x13 }), 14, /unknown family 19/],
  ["no room for the addresses of IPv4", header({ rest: IPV4.slice(1) }), 16, /too short/],
  ["no room for the addresses of IPv6", header({ family: 0x21, rest: IPV6.slice(1) }), 16, /too short/],
  ["no room for the paths of a unix socket", header({ family: 0x31, rest: IPV4 }), 16, /too short/],
  ["an extra that ends beyond it", header({ rest: [...IPV4, 4, 0, 9, 1] }), 32, /beyond/],
  ["an extra without a length", header({ rest: [...IPV4, 4, 0] }), 30, /beyond/],
  ["a wrong checksum", summed([], 1), 35, /wrong checksum/],
  [
    "a checksum of three octets",
    header({ rest: [...IPV4, ...extra(3, [1, 2, 3])] }),
    34,
    /malformed checksum/,
  ],
  ["two checksums, the first one right", summedFirst(extra(3, [0, 0, 0, 0])), 42, /malformed checksum/],
];

for (const [what, bytes, at, why] of BAD) {
  Deno.test(`PROXY v2: ${what} is refused as soon as it shows`, () => {
    assert.equal(readProxyHeader(bytes.subarray(0, at - 1)), null);
    assert.throws(() => readProxyHeader(bytes.subarray(0, at)), why);
    assert.throws(() => readProxyHeader(bytes), why);
  });
}

Deno.test("PROXY v2: octets of any kind are a header, the beginning of one, or refused, wherever they are cut", async () => {
  const cases = 4_000, n = await taken(proxyCase, cases);
  assert.ok(n > cases / 5 && n < cases * 9 / 10, `${n} of ${cases} were let through`);
});
