import assert from "node:assert/strict";
import type { FullRequestJson } from "../../src/cli/captured.ts";
import { diffLines, shortened } from "../../src/cli/line_diff.ts";
import { editOf, fileOf } from "../../src/cli/replay_edit.ts";
import { replay } from "../../src/cli/replay.ts";
import { comparison } from "../../src/cli/replay_print.ts";
import { requestRow, requestText } from "../../src/cli/request_print.ts";
import { requests } from "../../src/cli/requests.ts";
import { readWords, UsageError } from "../../src/cli/verb.ts";
import { latin1, toBytes } from "../../src/core/latin1.ts";
import { Random } from "../pure/random.ts";

const HEAD = "POST /x?y=1 HTTP/1.1\r\nHost: a\r\nCookie: ***\r\nX-Odd:  \xe9\r\n\r\n";

function request(other: Partial<FullRequestJson> = {}, body = "a\nb"): FullRequestJson {
  return {
    id: "r1",
    at: "2026-01-01T00:00:00.000Z",
    link: "hook",
    address: "192.0.2.7",
    method: "POST",
    path: "/x",
    target: "/x?y=1",
    status: 200,
    code: null,
    verdict: null,
    bytesIn: body.length,
    bytesOut: 2,
    ms: 3,
    replayOf: null,
    times: { judged: 0.1, connected: 1, answered: 2, over: 3 },
    request: { head: HEAD, body: { length: body.length, kept: body.length, encoding: "utf8", text: body } },
    response: {
      head: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: now\r\n\r\n",
      body: { length: 2, kept: 2, encoding: "utf8", text: "ok" },
    },
    ...other,
  };
}

Deno.test("one request is printed as curl -v does, and says what there is to say", () => {
  assert.equal(
    requestText(request({ replayOf: "r0", verdict: "path_denied" })),
    [
      "* r1  2026-01-01T00:00:00.000Z  link hook  from 192.0.2.7",
      "* sent again: r0",
      "* judged 0.1, connected 1.0, answered 2.0, over 3.0 ms",
      "* shadow: would be refused, path_denied",
      "> POST /x?y=1 HTTP/1.1",
      "> Host: a",
      "> Cookie: ***",
      "> X-Odd:  é",
      ">",
      "a",
      "b",
      "< HTTP/1.1 200 OK",
      "< Content-Length: 2",
      "< Date: now",
      "<",
      "ok",
    ].join("\n"),
  );
  const refused = requestText(request({ code: "rate_limited", status: 429, response: null }));
  assert.match(refused, /^\* rate_limited: connectd answered 429$/m);
});

const HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp\r\b\u2028";

Deno.test("whatever a visitor or a target sends, a terminal gets text", () => {
  const head = `GET /${HOSTILE} HTTP/1.1\r\nHost: a\r\nX: ${HOSTILE.replaceAll(/[\r]/g, "")}\r\n\r\n`;
  const body = { length: 99, kept: 9, encoding: "utf8" as const, text: `${HOSTILE}\n${HOSTILE}` };
  const bad = request({
    id: HOSTILE,
    link: HOSTILE,
    address: HOSTILE,
    method: HOSTILE,
    path: HOSTILE,
    code: HOSTILE,
    request: { head, body },
    response: { head: `HTTP/1.1 200 ${HOSTILE}\r\nX-A: ${HOSTILE}\r\n\r\n`, body },
  });
  const other = { ...bad, response: { head: "HTTP/1.1 200 OK\r\n\r\n", body: { ...body, text: "x" } } };
  const texts = [requestText(bad), comparison(request(), bad), comparison(bad, other)];
  for (const text of [...texts, `${requestRow(bad)}`]) {
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(text, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2028]/);
  }
  assert.ok(!requestRow(bad).includes("\n"));
});

Deno.test("two answers are shown beside each other, and of them what differs", () => {
  const now = request({
    id: "r2",
    status: 500,
    ms: 12,
    response: {
      head: "HTTP/1.1 500 Oh no\r\nContent-Length: 2\r\nX-New: 1\r\n\r\n",
      body: { length: 2, kept: 2, encoding: "utf8", text: "no" },
    },
  });
  assert.equal(
    comparison(request(), now),
    [
      "        ID  ANSWER     MS   OCTETS",
      "before  r1  200 OK     3.0  2",
      "now     r2  500 Oh no  12   2",
      "fields:",
      "- Date: now",
      "+ X-New: 1",
      "body:",
      "- ok",
      "+ no",
    ].join("\n"),
  );
  assert.match(comparison(request(), request()), /^fields: the same\nbody: the same$/m);
  const octets = { length: 3, kept: 3, encoding: "base64" as const, text: "/wAB" };
  const binary = request({ response: { head: "HTTP/1.1 200 OK\r\n\r\n", body: octets } });
  const other = { ...binary, response: { ...binary.response!, body: { ...octets, text: "/wAC" } } };
  assert.match(comparison(binary, other), /^body: other octets$/m);
  assert.match(
    comparison(request(), request({ code: "link_busy", status: 503, response: null })),
    /503 \[link_busy\]/,
  );
  assert.match(comparison(request({ response: null }), request()), /^HTTP\/1\.1 200 OK\n[^]*\n\nok$/m);
});

Deno.test("a diff leads from one text to the other, by the fewest lines", () => {
  const random = new Random(5);
  for (let round = 0; round < 300; round++) {
    const lines = () => Array.from({ length: random.below(12) }, () => "abc"[random.below(3)]);
    const [a, b] = [lines(), lines()];
    const diff = diffLines(a, b);
    assert.deepEqual(diff.filter(({ sign }) => sign !== "+").map(({ line }) => line), a);
    assert.deepEqual(diff.filter(({ sign }) => sign !== "-").map(({ line }) => line), b);
    assert.equal(diff.filter(({ sign }) => sign !== " ").length, a.length + b.length - 2 * commonOf(a, b));
  }
  const long = Array.from({ length: 5_000 }, (_, i) => String(i));
  const other = [...long.slice(0, 100), "new", ...long.slice(101)];
  assert.deepEqual(shortened(diffLines(long, other)), [
    ...["  … 97 lines the same", "  97", "  98", "  99", "- 100", "+ new", "  101", "  102", "  103"],
    "  … 4896 lines the same",
  ]);
  // Too much for the fewest: still the way.
  assert.equal(diffLines(long, long.toReversed()).filter(({ sign }) => sign !== "+").length, 5_000);
});

/** The length of the longest common subsequence, by trying. */
function commonOf(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  let row = new Array(b.length + 1).fill(0);
  for (const line of a) {
    const next = [0];
    for (let j = 0; j < b.length; j++) next.push(line === b[j] ? row[j] + 1 : Math.max(next[j], row[j + 1]));
    row = next;
  }
  return row[b.length];
}

const FILE = "POST /x?y=1 HTTP/1.1\nHost: a\nCookie: ***\nX-Odd:  \xe9\n\na\nb";

const EDITS: [what: string, saved: string, edit: unknown][] = [
  ["nothing", FILE, null],
  ["a line feed that the editor added", FILE + "\n", null],
  ["line ends of another kind", FILE.split("\n\n")[0].replaceAll("\n", "\r\n") + "\r\n\r\na\nb", null],
  ["the method", FILE.replace("POST", "PUT"), { method: "PUT" }],
  ["the target, without a version", FILE.replace("/x?y=1 HTTP/1.1", "/z"), { target: "/z" }],
  ["the body", FILE + "c\xff", { body: btoa("a\nbc\xff"), bodyEncoding: "base64" }],
  ["no body", FILE.split("\n\n")[0] + "\n\n", { body: "", bodyEncoding: "base64" }],
  [
    "a field",
    FILE.replace("Host: a", "Host: b"),
    { headers: [["Host", "b"], ["Cookie", "***"], ["X-Odd", "\xe9"]] },
  ],
];

Deno.test("what a person saved is an edit of just that", () => {
  assert.equal(latin1(fileOf(request())), FILE);
  for (const [what, saved, edit] of EDITS) assert.deepEqual(editOf(request(), toBytes(saved)), edit, what);
  for (
    const [saved, why] of [
      ["", /empty/],
      [" \n\n", /empty/],
      ["hello", /first line/],
      ["GET", /first line/],
      ["GET /\nno field\n\n", /line 2 is no field/],
    ] as const
  ) {
    assert.throws(() => editOf(request(), toBytes(saved)), why);
  }
});

Deno.test("words that do not go together are refused before anybody is asked", async () => {
  for (
    const args of [
      ["requests", "--limit", "0"],
      ["requests", "--limit", "1001"],
      ["requests", "r1", "--follow"],
      ["requests", "r1", "--link", "a"],
      ["requests", "--curl"],
      ["requests", "r1", "r2"],
      ["replay"],
      ["replay", "r1", "--via", "x"],
    ]
  ) {
    const verb = [requests, replay].find(({ name }) => name === args[0])!;
    const run = async () => await verb.run(readWords(verb, [...args.slice(1), "--state", "/nonexistent"]));
    await assert.rejects(run, UsageError, args.join(" "));
  }
});
