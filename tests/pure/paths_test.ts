import assert from "node:assert/strict";
import { compilePaths, covers, matchPath, printPattern } from "../../src/core/paths.ts";
import cases from "../vectors/paths.json" with { type: "json" };
import { referencePath } from "./reference_paths.ts";
import { Random } from "./random.ts";

Deno.test("every path of the vectors is admitted, denied or ambiguous as they say", () => {
  const policies = cases.filter((one) => one.patterns !== null);
  assert.ok(policies.length > 0);
  for (const { patterns, path, expect, why } of policies) {
    assert.equal(matchPath(compilePaths(patterns!), path), expect, `${patterns} ${path}: ${why}`);
    // What a pattern prints as admits the same.
    assert.equal(
      matchPath(compilePaths(patterns!.map(printPattern)), path),
      expect,
      `${patterns} printed, ${path}`,
    );
  }
});

Deno.test("the slow reading of the rules agrees with the vectors", () => {
  for (const { patterns, path, expect } of cases) {
    if (patterns !== null) assert.equal(referencePath(patterns, path), expect, `${patterns} ${path}`);
  }
});

Deno.test("an escaped question mark in a pattern never matches the query", () => {
  const paths = compilePaths(["/a%3Fb"]);
  for (const target of ["/a?b", "/a?b/", "/a?b/c", "/a?b?", "/a"]) {
    assert.equal(matchPath(paths, target), "path_denied");
  }
  for (const target of ["/a%3fb", "/a%3Fb/c", "/a%3Fb?x"]) assert.equal(matchPath(paths, target), "allow");
});

Deno.test("a target that is no path is ambiguous, never a match", () => {
  const all = compilePaths(["/"]);
  for (
    const target of ["", "*", "api", "?x", "http://a.test/", " /", "/a b", "/a#b", "/a\ud800", "/a\u0100"]
  ) {
    assert.equal(matchPath(all, target), "path_ambiguous", JSON.stringify(target));
  }
});

/** Pieces that rules are about; joined at random they make near misses of every kind. */
const PIECES = [
  ..."/ / / / a b api x . .. ... ; ;x ?q # % %2 %2e %2E %2f %5c %3b %3B %00 %7f %25 %252e %25%32%65 %61 %41 %70"
    .split(" "),
  ..."%c3%a9 %c3 %a9 %c2%85 %c2%a0 %c0%ae %ed%a0%80 %f0%9f%98%80 %f4%90%80%80 %2a * ** \\ \u00e9 \u0001 \u007f ~ = &"
    .split(" "),
];

Deno.test("some 400,000 random targets match as the slow reading has them, and none throws", () => {
  const random = new Random(20260801);
  const policies = [["/"], ["/api"], ["/a/*/b", "/x"], ["= /a"], ["= /api/"], ["/%c3%a9", "/*/*"], [
    "/a;x",
    "/%2a",
    "/%25",
  ]];
  const compiled = policies.map(compilePaths);
  const seen = { allow: 0, path_denied: 0, path_ambiguous: 0 };
  for (let i = 0; i < 60_000; i++) {
    let target = random.below(20) === 0 ? "" : "/";
    for (let n = random.below(7); n > 0; n--) target += random.of(PIECES);
    policies.forEach((patterns, p) => {
      const verdict = matchPath(compiled[p], target);
      assert.equal(verdict, referencePath(patterns, target), `${JSON.stringify(target)} under ${patterns}`);
      seen[verdict]++;
    });
  }
  for (const [verdict, n] of Object.entries(seen)) assert.ok(n > 10_000, `${verdict}: only ${n}`);
});

Deno.test("a pattern that could be read in two ways, or means nothing, is refused by name", () => {
  const bad = [
    ...[
      "",
      "api",
      "= api",
      "=/api",
      "/a/../b",
      "/a//b",
      "/a%2fb",
      "/a?b=c",
      "/a#b",
      "/a%zz",
      "/a\\b",
      "/;/x",
      "/a/%3b",
      "/a%25%34%31",
    ],
    ...["/a/%1f", "/a/%c2%85", "/é", "/a b", "/a/**/b", "/a*", "/*.php", "= /a/**", "//", "/..", "= ", " /a"],
  ];
  for (const text of bad) {
    assert.throws(() => compilePaths(["/ok", text]), (error) => {
      return error instanceof SyntaxError && error.message.includes(JSON.stringify(text));
    }, text);
  }
});

Deno.test("a pattern prints in one form", () => {
  const forms: [string, string][] = [
    ["/", "/"],
    ["/**", "/"],
    ["/api/", "/api"],
    ["/api/**", "/api"],
    ["/%61pi/%7Euser", "/api/~user"],
    ["/caf%c3%a9", "/caf%C3%A9"],
    ["/a/*/b", "/a/*/b"],
    ["/%2a", "/%2A"],
    ["/a:b@c;d=e,f+g$h&i!j'k(l)", "/a:b@c;d=e,f+g$h&i!j'k(l)"],
    ["/a%20%3f%23%25", "/a%20%3F%23%25"],
    ["= /", "= /"],
    ["= /a", "= /a"],
    ["= /a/", "= /a/"],
    ["= /a/*", "= /a/*"],
  ];
  for (const [text, printed] of forms) {
    assert.equal(printPattern(text), printed);
    assert.equal(printPattern(printed), printed);
  }
});

Deno.test("a pattern covers another when it admits all that the other does", () => {
  const cases: [string, string, boolean][] = [
    ["/api", "/api/x", true],
    ["/api/x", "/api", false],
    ["/api", "/api/", true],
    ["/api", "/apix", false],
    ["/", "= /x", true],
    ["/", "/", true],
    ["/api", "= /api/", true],
    ["= /api", "/api", false],
    ["= /api", "= /api/", false],
    ["= /api", "= /%61pi", true],
    ["= /*", "= /a", true],
    ["= /a", "= /*", false],
    ["/a/*/b", "/a/x/b/c", true],
    ["/a/*/b", "/a/x", false],
    ["/a/*", "/a/*/b", true],
    ["/a/x", "/a/*", false],
    ["/*", "/%2a", true],
    ["/%2a", "/*", false],
  ];
  for (const [a, b, expect] of cases) assert.equal(covers(a, b), expect, `${a} covers ${b}`);
});
