/** Hostile texts in lines of the log and of the access log. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createLog, oneLine } from "../../src/log.ts";
import { type Access, AccessLines, LINE_MAX } from "../../src/store/access_line.ts";
import type { Random } from "./random.ts";

/** What has broken logs elsewhere: ends of lines, escape sequences, bidi, halves of pairs, quotes, octets that are no UTF-8. */
const PIECES = [
  ...'\r\n\t\0\x1b\x7f\x80\x85\x9b\xff"\\/{}',
  ..."\u061c\u200b\u200e\u200f\u2028\u2029\u202e\u2066\u2069\ufeff\ufffd",
  "\ud800",
  "\udc00",
  "👩‍💻",
  "\u001b]0;a\u0007",
  '","status":200,"x":"',
  "%0a",
  "\\u0022",
  "Æ\xc3\x28",
] as const;

function textOf(random: Random): string {
  if (random.below(2) === 0) return "/api/v1".slice(0, random.below(8));
  let text = "";
  for (let n = random.below(6); n >= 0; n--) text += random.below(2) === 0 ? random.of(PIECES) : "abc";
  return random.below(20) === 0 ? text.repeat(1 + random.below(16_384 / text.length)) : text;
}

const lines = new AccessLines();

/** Both kinds of line hold what they were given, or its beginning and how long it was, and nothing but that. */
export function linesCase(random: Random): boolean {
  const target = textOf(random);
  const access: Access = {
    id: textOf(random),
    at: random.below(2 ** 31) * 1000 + random.below(1000),
    link: textOf(random),
    address: textOf(random),
    method: textOf(random),
    target,
    status: random.of([0, 101, 200, 599, 999]),
    code: random.of([null, textOf(random)]),
    ...random.of([{}, { verdict: null }]),
    bytesIn: random.of([0, 1, 9, 10, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1]),
    bytesOut: random.below(1_000_000),
    ms: random.below(1_000),
  };
  lines.add(access);
  const octets = lines.take();
  assert.ok(octets.length < LINE_MAX);
  const line = Buffer.from(octets).toString("latin1");
  assert.match(line, /^[ -~]+\n$/);
  const { at, ...rest } = access;
  const due = Object.entries({ ...rest, at: new Date(at).toISOString(), path: target.split("?", 1)[0] })
    .filter(([name]) => name !== "target");
  const read = JSON.parse(line);
  assert.deepEqual(Object.keys(read).sort(), due.map(([name]) => name).sort());
  for (const [name, value] of due) holds(read[name], value, name === "path" ? 2048 : 256);

  for (const format of ["json", "text"] as const) {
    const written: string[] = [];
    const log = createLog({ format, write: (line) => written.push(line), now: () => at });
    log.info(target, { [`f${access.link}`]: access.address, nested: [{ deep: access.id }] });
    assert.equal(written.length, 1);
    assert.equal(oneLine(written[0]), written[0]);
    assert.ok(written[0].length < 8 * 6 * 4200);
    if (format === "text") continue;
    const { message, nested } = JSON.parse(written[0]);
    holds(message, target, 4096);
    holds(nested[0].deep, access.id, 4096);
  }
  return /^[ !#-[\]-~]*$/.test(target + access.link) && target.length < 256;
}

/** `read` is `value`, or so much of it and its length. */
function holds(read: unknown, value: unknown, most: number): void {
  if (typeof value !== "string" || value.length <= most) return assert.equal(read, value);
  assert.equal(read, `${value.slice(0, most)}… (${value.length} characters)`);
}
