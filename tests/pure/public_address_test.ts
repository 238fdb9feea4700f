import assert from "node:assert/strict";
import { parseAddress } from "../../src/core/address.ts";
import { isPublic } from "../../src/core/public_address.ts";

const ROWS: readonly [what: string, inside: string, outside: string][] = [
  ["this machine", "127.0.0.1 127.255.255.255 0.0.0.0 0.1.2.3 ::1 ::", "126.255.255.255 128.0.0.0 1.0.0.0"],
  [
    "networks of one's own",
    "10.0.0.0 10.255.255.255 192.168.0.1 fc00::1 fdff:ffff::1",
    "9.255.255.255 11.0.0.0",
  ],
  ["172.16/12, neither more nor less", "172.16.0.0 172.31.255.255", "172.15.255.255 172.32.0.0"],
  ["192.168/16, neither more nor less", "192.168.255.255", "192.167.255.255 192.169.0.0"],
  [
    "link-local, where clouds keep metadata",
    "169.254.0.0 169.254.169.254 fe80::1 febf::1",
    "169.253.255.255 169.255.0.0",
  ],
  [
    "other addresses of metadata",
    "100.100.100.200 192.0.0.192 168.63.129.16 fd00:ec2::254",
    "168.63.129.15 168.63.129.17",
  ],
  ["carriers' NAT", "100.64.0.0 100.127.255.255", "100.63.255.255 100.128.0.0"],
  [
    "documentation and benchmarks",
    "192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.1 198.19.255.255 2001:db8::1 3fff::1",
    "198.17.255.255 198.20.0.0 203.0.114.0",
  ],
  [
    "multicast, broadcast, what nobody has",
    "224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 ff02::1 4000::1 fec0::1",
    "223.255.255.255",
  ],
  [
    "IPv4 in the dress of IPv6",
    "::ffff:10.0.0.1 ::ffff:127.0.0.1 ::10.0.0.1 64:ff9b::a00:1 2002:a00:1::1 2001:0:a00:1::1",
    "::ffff:8.8.8.8",
  ],
  ["the old relays of 6to4", "192.88.99.1", "192.88.98.1 192.88.100.1"],
  [
    "nothing of the internet",
    "100::1 5f00::1",
    "1.1.1.1 8.8.8.8 93.184.216.34 2001:4860:4860::8888 2606:4700::1111 2a00::1",
  ],
];

for (const [what, inside, outside] of ROWS) {
  Deno.test(`public addresses: ${what}`, () => {
    for (const [text, expected] of [[inside, false], [outside, true]] as const) {
      for (const one of text.split(" ")) assert.equal(isPublic(parseAddress(one)!), expected, one);
    }
  });
}
