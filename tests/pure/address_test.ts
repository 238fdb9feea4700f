import assert from "node:assert/strict";
import { isIP } from "node:net";
import {
  contains,
  isLoopback,
  parseAddress,
  parseCidr,
  printAddress,
  printCidr,
  rateKey,
} from "../../src/core/address.ts";
import { Random } from "./random.ts";

Deno.test("an address is read in all its spellings and printed in one", () => {
  const same: [string, string][] = [
    ["127.0.0.1", "127.0.0.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:0db8::0001", "2001:db8::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["::ffff:198.51.100.7", "198.51.100.7"],
    ["::FFFF:c633:6407", "198.51.100.7"],
    ["0:0:0:0:0:ffff:198.51.100.7", "198.51.100.7"],
  ];
  for (const [text, printed] of same) {
    const address = parseAddress(text);
    assert.ok(address !== null, text);
    assert.equal(printAddress(address), printed);
    assert.deepEqual(parseAddress(printed), address);
  }
});

Deno.test("what some readers would take for another address is none", () => {
  const none = [
    ...[
      "",
      "1",
      "127.1",
      "1.2.3",
      "1.2.3.4.5",
      "256.0.0.1",
      "01.2.3.4",
      "0x7f.0.0.1",
      "1.2.3.4 ",
      " 1.2.3.4",
      "1.2.3.4:80",
    ],
    ...[
      ":",
      ":::",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1::2::3",
      "::12345",
      "[::1]",
      "fe80::1%eth0",
      "::1.2.3",
      "1:2:3:4:5:6:7:1.2.3.4",
    ],
    ...[
      "1.2.3.4::",
      "::g",
      "1:2:3:4:5:6:7:8::",
      "::1:",
      ":1::",
      "::1/64",
      "localhost",
      "1".repeat(100) + "::",
    ],
  ];
  for (const text of none) assert.equal(parseAddress(text), null, text);
});

Deno.test("a block holds its addresses and none beside them", () => {
  const cases: [string, string[], string[]][] = [
    ["198.51.100.0/24", ["198.51.100.0", "198.51.100.255", "::ffff:198.51.100.9"], [
      "198.51.101.0",
      "198.51.99.255",
      "::c633:6409",
    ]],
    ["198.51.100.128/25", ["198.51.100.128"], ["198.51.100.127"]],
    ["10.0.0.0/15", ["10.1.255.255"], ["10.2.0.0"]],
    ["203.0.113.9", ["203.0.113.9"], ["203.0.113.8"]],
    ["0.0.0.0/0", ["0.0.0.0", "255.1.2.3"], ["::", "2001:db8::1"]],
    ["::/0", ["::1", "2001:db8::"], ["127.0.0.1"]],
    ["2001:db8::/32", ["2001:db8:ffff::1"], ["2001:db9::"]],
    ["2001:db8::/45", ["2001:db8:7::"], ["2001:db8:8::"]],
    ["::ffff:198.51.100.0/120", ["198.51.100.77"], ["198.51.101.77"]],
  ];
  for (const [text, inside, outside] of cases) {
    const block = [parseCidr(text)];
    for (const one of inside) assert.ok(contains(block, parseAddress(one)!), `${one} in ${text}`);
    for (const one of outside) assert.ok(!contains(block, parseAddress(one)!), `${one} not in ${text}`);
  }
  assert.ok(!contains([], parseAddress("1.2.3.4")!));
});

Deno.test("a block prints with zeros behind its length, and what is no block is refused by name", () => {
  assert.equal(printCidr(parseCidr("198.51.100.77/24")), "198.51.100.0/24");
  assert.equal(printCidr(parseCidr("2001:DB8::1/32")), "2001:db8::/32");
  assert.equal(printCidr(parseCidr("203.0.113.9/32")), "203.0.113.9");
  for (
    const text of [
      "",
      "office.test",
      "1.2.3.4/33",
      "1.2.3.4/",
      "1.2.3.4/-1",
      "1.2.3.4/024",
      "::/129",
      "::ffff:1.2.3.4/95",
      "1.2.3.4/8/8",
    ]
  ) {
    assert.throws(
      () => parseCidr(text),
      (error) => error instanceof SyntaxError && error.message.includes(`"${text}"`),
    );
  }
});

Deno.test("loopback is an address, never a name", () => {
  for (const text of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) assert.ok(isLoopback(text), text);
  for (const text of ["128.0.0.1", "::2", "localhost", "127.0.0.1.test", ""]) {
    assert.ok(!isLoopback(text), text);
  }
});

Deno.test("a visitor's whole /64 counts as one address", () => {
  assert.equal(rateKey("2001:db8:0:1::1"), rateKey("2001:db8:0:1:ffff:ffff:ffff:ffff"));
  assert.notEqual(rateKey("2001:db8:0:1::1"), rateKey("2001:db8:0:2::1"));
  assert.equal(rateKey("::ffff:198.51.100.7"), rateKey("198.51.100.7"));
  assert.notEqual(rateKey("198.51.100.7"), rateKey("198.51.100.8"));
});

Deno.test("a random text is an address exactly when node says so, and prints as one that reads the same", () => {
  const random = new Random(64);
  const pieces = [...": : : :: 0 1 ffff db8 12345 g 1.2.3.4 256.1.1.1 01.2.3.4 . % / [".split(" "), ""];
  const seen = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < 200_000; i++) {
    let text = "";
    for (let n = random.below(16); n > 0; n--) {
      text += n % 2 === 0 ? random.of(pieces) : random.of([":", "1", "0", "::"]);
    }
    if (text.includes("%")) continue;
    const address = parseAddress(text);
    assert.equal(address === null ? 0 : 1, Math.sign(isIP(text)), text);
    seen[isIP(text)]++;
    if (address !== null) assert.deepEqual(parseAddress(printAddress(address)), address, text);
  }
  assert.ok(seen[4] > 100 && seen[6] > 1_000, `${seen}`);
});
