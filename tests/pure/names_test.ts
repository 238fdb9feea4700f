import assert from "node:assert/strict";
import { checkSubdomain, isName, RESERVED } from "../../src/core/names.ts";
import { admittedMethods, isMethod } from "../../src/core/methods.ts";

Deno.test("a subdomain is a lower-case DNS label that nobody would take for something else", () => {
  for (const good of ["a", "7", "demo", "my-app-2", "a--b", "s".repeat(63), "apis", "ns3"]) {
    checkSubdomain(good);
  }
  const bad = [
    "",
    "Demo",
    "demo-",
    "-demo",
    "my_app",
    "a.b",
    "xn--bcher-kva",
    "s".repeat(64),
    "a\n",
    "é",
    ...RESERVED,
  ];
  for (const text of bad) assert.throws(() => checkSubdomain(text), SyntaxError, text);
  assert.equal(RESERVED.size, 15);
});

Deno.test("a name may be what a subdomain may not: reserved, or with a dash last", () => {
  for (const name of ["www", "api", "a-", "constructor"]) assert.ok(isName(name), name);
  assert.ok(!isName("a\n"));
});

Deno.test("GET admits HEAD, once, and nothing else is implied", () => {
  assert.deepEqual(admittedMethods(["GET", "POST"]), ["GET", "HEAD", "POST"]);
  assert.deepEqual(admittedMethods(["HEAD", "GET"]), ["HEAD", "GET"]);
  assert.deepEqual(admittedMethods(["HEAD"]), ["HEAD"]);
});

Deno.test("a method has at most 32 characters, and three are never forwarded", () => {
  assert.ok(isMethod("A".repeat(32)));
  for (const text of ["A".repeat(33), "", "get", "-A", "CONNECT", "TRACE", "PRI"]) {
    assert.ok(!isMethod(text), text);
  }
});
