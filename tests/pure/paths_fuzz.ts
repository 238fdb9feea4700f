/** What must hold of any request target under any path policy. */
import assert from "node:assert/strict";
import { compilePaths, covers, matchPath, printPattern } from "../../src/core/paths.ts";
import type { Random } from "./random.ts";
import { referencePath } from "./reference_paths.ts";
import { admitsAsRead, READINGS } from "./server_readings.ts";

/** Segments that no server reads in two ways. */
const PLAIN = [
  "a",
  "b",
  "api",
  "x.y",
  "v1.2",
  ".well-known",
  "a..b",
  "...",
  "~u",
  "c,d",
  "k=v",
  "a:b",
  "@",
  "STA",
];
/** Segments that a pattern may hold, some of them near to what is refused. */
const LITERAL = [
  ...PLAIN,
  "%61pi",
  "caf%C3%A9",
  "a;x",
  "%2a",
  "100%25",
  "%20",
  "%3F",
  "%23",
  "a%3bb",
  "%e2%82%ac",
];
/** What ambiguity is made of. */
const ODD = [
  ..."/ // /. /.. /... . .. ; ;x ;/ ..; .; ? ?q # % %2 %zz %2e %2E %2f %2F %5c %3b %3B %00 %09 %0a %7f %25"
    .split(" "),
  ..."%252e %252f %25%32%65 %%32%65 %2%65 %u002e %u002f %c0%ae %c0%af %c1%9c %e0%80%af %c2%85 %c2%a0".split(
    " ",
  ),
  ..."%ed%a0%80 %f4%90%80%80 %c3 %a9 %80 %2a * ** \\ \\..\\ \u00e9 \u0001 \u007f \ud800 %3f %23 + & a b api x"
    .split(" "),
];

/** True: the target was admitted. */
export function pathsCase(random: Random): boolean {
  if (random.below(16) === 0) return anyPattern(random);
  const patterns = Array.from({ length: 1 + random.below(3) }, () => aPattern(random));
  const paths = compilePaths(patterns);
  const { target, plain } = aTarget(random, patterns);
  const said = matchPath(paths, target);
  const about = () => `${JSON.stringify(target)} under ${JSON.stringify(patterns)}`;
  assert.equal(said, referencePath(patterns, target), about());
  if (plain) assert.equal(said, "allow", `a plain path is refused: ${about()}`);
  if (random.below(4) === 0) {
    assert.equal(matchPath(compilePaths(patterns.map(printPattern)), target), said, `printed: ${about()}`);
  }
  if (said !== "allow") return false;
  for (const [name, reading] of Object.entries(READINGS)) {
    if (!admitsAsRead(reading, patterns, target)) {
      assert.fail(`read as ${name}, it is another path: ${about()}`);
    }
  }
  const [a, b] = [random.of(patterns), random.of(patterns)];
  if (covers(a, b) && matchPath(compilePaths([b]), target) === "allow") {
    assert.equal(matchPath(compilePaths([a]), target), "allow", `${a} covers ${b}: ${about()}`);
  }
  // A letter and its escape are one.
  const [path, ...query] = target.split("?");
  const escaped = escapedSomewhere(random, path) + query.map((part) => "?" + part).join("");
  assert.equal(matchPath(paths, escaped), "allow", `${JSON.stringify(escaped)} is ${about()}`);
  return true;
}

/** Whatever text stands where a pattern should: it is one, and then prints and matches, or it is refused by name. */
function anyPattern(random: Random): boolean {
  const text = random.of(["", "/", "/", "= /"]) + odd(random);
  try {
    compilePaths([text]);
  } catch (error) {
    assert.ok(error instanceof SyntaxError, `${JSON.stringify(text)}: ${error}`);
    return false;
  }
  const printed = printPattern(text);
  assert.equal(printPattern(printed), printed, text);
  const target = "/" + odd(random);
  assert.equal(matchPath(compilePaths([text]), target), referencePath([text], target), `${text} ${target}`);
  return true;
}

/** A pattern that links.yaml could hold. */
export function aPattern(random: Random): string {
  const exact = random.below(4) === 0;
  let text = "";
  for (let n = random.below(4); n > 0; n--) text += "/" + (random.below(4) === 0 ? "*" : random.of(LITERAL));
  if (!exact && random.below(4) === 0) return text + "/**";
  if (text === "" || random.below(4) === 0) text += "/";
  return exact ? `= ${text}` : text;
}

/** `plain`: one of the patterns admits it, and nobody could read it in two ways. */
export function aTarget(random: Random, patterns: readonly string[]): { target: string; plain: boolean } {
  const kind = random.below(8);
  if (kind === 0) return { target: random.of(["", "/", "/", "/"]) + odd(random), plain: false };
  const wanted = random.of(patterns), exact = wanted.startsWith("= ");
  let path = (exact ? wanted.slice(2) : wanted.replace(/\/\*\*$/, "")).replace(/\/\*(?=\/|$)/g, () => {
    return "/" + random.of(PLAIN);
  });
  let plain = !/[%;]/.test(path);
  if (!exact) {
    path = path.replace(/\/$/, "");
    for (let n = random.below(3); n > 0; n--) path += "/" + random.of(PLAIN);
    if (path === "" || random.below(3) === 0) path += "/";
  }
  if (kind < 5) {
    plain = false;
    for (let n = 1 + random.below(3); n > 0; n--) {
      const at = random.below(path.length + 1);
      path = path.slice(0, at) + random.of(ODD) + path.slice(at + random.below(3));
    }
  }
  if (kind === 5) path = escapedSomewhere(random, path);
  if (random.below(4) === 0) path += "?" + odd(random);
  return { target: path, plain };
}

function odd(random: Random): string {
  let text = "";
  for (let n = random.below(7); n > 0; n--) text += random.of(ODD);
  return text;
}

/** Some letters as their escapes; what is part of an escape stays. */
function escapedSomewhere(random: Random, path: string): string {
  return path.replace(/%..|[A-Za-z0-9~_-]/g, (text) => {
    if (text.length > 1 || random.below(4) > 0) return text;
    return "%" + text.charCodeAt(0).toString(16)[random.below(2) ? "toUpperCase" : "toLowerCase"]();
  });
}
