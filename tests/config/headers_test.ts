import assert from "node:assert/strict";
import { readEntry } from "../../src/config/oneoff.ts";
import { printProblem } from "../../src/config/problem.ts";
import { type Entry, entryChanges, restoreEntry, storeEntry } from "../../src/core/entry.ts";
import { compileEdits } from "../../src/core/field_edits.ts";
import { config, link, NOW, problemOf, problemsOf } from "./read.ts";

const file = (headers: string) => `version: 1\nlinks:\n  a:\n    target: echo\n    headers:\n${headers}`;

Deno.test("headers, hold and max_uses are read into what they mean, also as defaults", () => {
  const keys = "headers: { request: { set: { X-Key: a b, X-Count: 5 }, remove: [Cookie] }, " +
    "response: { remove: [Server, X-Powered-By] } }, hold: 1500ms, max_uses: 3";
  for (const entry of [link(`target: echo, ${keys}`), link("target: echo", `defaults: { ${keys} }\n`)]) {
    const { request, response } = compileEdits(entry.headers);
    assert.equal(request!.lines, "X-Key: a b\r\nX-Count: 5\r\n");
    assert.ok(request!.drops("cookie", 0, 6));
    assert.equal(response!.lines, "");
    assert.deepEqual(entry.headers!.response!.remove, ["Server", "X-Powered-By"]);
    assert.deepEqual([entry.holdMs, entry.maxUses], [1500, 3]);
  }
  const own = link("target: echo, headers: { response: { remove: [Server] } }", `defaults: { ${keys} }\n`);
  assert.equal(own.headers!.request, null);
});

/** What stands below `headers:` from line 6 on, and the problems of the file. */
const PROBLEMS: [headers: string, ...problems: string[]][] = [
  ["      request:\n        set: { Content-Length: 5 }\n", "7:16 error bad_name"],
  ["      request:\n        set: { host: a }\n", "7:16 error bad_name"],
  ["      request:\n        set:\n          X_Forwarded_For: a\n", "8:11 error bad_name"],
  ["      request:\n        remove: [Cookie, X-HTTP-Method-Override]\n", "7:26 error bad_name"],
  [
    "      response:\n        remove: [Connection, Server, proxy-x]\n",
    "7:18 error bad_name",
    "7:38 error bad_name",
  ],
  ["      request:\n        set: { 'a b': c }\n", "7:16 error bad_name"],
  ['      request:\n        set: { X-A: "a\\r\\nB: c" }\n', "7:21 error bad_value"],
  ["      request:\n        set: { X-A: é }\n", "7:21 error bad_value"],
  ["      request:\n        set:\n          X-A: |\n            a\n", "8:16 error bad_value"],
  ["      request:\n        set: { X-A: 1.5 }\n", "7:21 error bad_value"],
  ["      request:\n        set: { X-A: true }\n", "7:21 error wrong_type"],
  ["      request:\n        set: { X-A: [a] }\n", "7:21 error wrong_type"],
  ["      request:\n        set: { X-A: }\n", "7:21 error wrong_type"],
  ["      request:\n        set: { X-A: a, x_a: b }\n", "7:24 error conflict"],
  ["      request:\n        set: { X-A: a }\n        remove: [x-a]\n", "8:18 error conflict"],
  ["      request: {}\n", "6:7 error missing"],
  ["      answer: {}\n", "6:7 error unknown_key", "5:5 error missing"],
  ["      request:\n        remove: []\n", "7:17 error bad_value"],
  [
    `      request:\n        set: { ${Array.from({ length: 33 }, (_, i) => `X-${i}: a`).join(", ")} }\n`,
    "7:9 error bad_value",
  ],
  [
    `      request:\n        set: { A: ${"x".repeat(9000)}, B: ${"y".repeat(9000)} }\n`,
    "7:9 error bad_value",
  ],
];

Deno.test("what is wrong with headers is a problem at its place", () => {
  for (const [headers, ...problems] of PROBLEMS) {
    assert.deepEqual(problemsOf(file(headers)).sort(), problems.sort(), headers.slice(0, 200));
  }
  for (
    const [keys, problem] of [
      ["hold: 61s", "4:27 error bad_value"],
      ["hold: never", "4:27 error bad_duration"],
      ["max_uses: 0", "4:31 error bad_value"],
      ["max_uses: 1.5", "4:31 error wrong_type"],
      ["max_uses: never", "4:31 error wrong_type"],
    ]
  ) {
    assert.deepEqual(
      problemsOf(`version: 1\nlinks:\n  a:\n    { target: echo, ${keys} }\n`),
      [problem],
      keys,
    );
  }
});

Deno.test("a value of a field is shown by no problem, also not by one of its line", () => {
  const texts = [
    file('      request:\n        set: { X-A: "s3cret\\n" }\n'),
    file("      request:\n        set: { X-A: s3crét }\n"),
    file("      request:\n        set: { X-A: s3cret, Host: b }\n"),
    file("      request: { set: { X-A: s3cret }, remove: [] }\n"),
    "version: 1\nlinks:\n  a: { target: echo, headers: { request: { set: { X-A: s3cret } } }, metod: [GET] }\n",
    file("      request:\n        set: { X-A: [s3cret] }\n"),
    file("      request:\n        set: { X-A: { Bearer: s3cret } }\n"),
  ];
  for (const text of texts) {
    const problem = problemOf(text);
    assert.doesNotMatch(JSON.stringify(problem) + printProblem(problem), /s3cr/, text);
    assert.match(printProblem(problem), /\*\*\* *\n|Host|remove|metod/);
  }
  const { text } = config(texts[4].replace(", metod: [GET]", ""));
  assert.match(text, /^ {2}a: \{ target: echo, headers: \{ request: \{ set: \{ X-A: \*\*\* +$/m);
});

Deno.test("nothing but values is hidden of a file, and every place stays where it is", () => {
  const text = file(
    "      request:\n        set:\n          X-A: a\n          X-B: bcdefgh\r\n      response:\n" +
      "        remove: [Server]\n",
  ).replace("echo", "echo # X-A: a");
  const shown = config(text).text;
  assert.deepEqual(shown.split("\n").map((line) => line.length), text.split("\n").map((line) => line.length));
  const lines = shown.split("\n").map((line) => line.trimEnd());
  assert.deepEqual(lines.slice(7, 9), ["          X-A: *", "          X-B: ***"]);
  assert.equal(lines[3], "    target: echo # X-A: a");
});

Deno.test("a change of headers, hold or uses is planned in words, and no value is among them", () => {
  const changes = (from: string, to: string) =>
    entryChanges(link(`target: echo, ${from}`), link(`target: echo, ${to}`));
  const key = (value: string) => `headers: { request: { set: { X-Key: ${value} } } }`;
  assert.deepEqual(changes(key("s3cret"), `${key("s3cret")}, hold: 5s, max_uses: 7`), [
    { key: "max_uses", from: null, to: "7" },
    { key: "hold", from: null, to: "5s" },
  ]);
  assert.deepEqual(changes(key("s3cret"), key("s3cret2")), [
    { key: "headers", from: "request set X-Key: ***", to: "request set X-Key: *** (others)" },
  ]);
  assert.deepEqual(changes(key("s3cret"), "headers: { response: { remove: [Server] } }"), [
    { key: "headers", from: "request set X-Key: ***", to: "response remove Server" },
  ]);
});

Deno.test("a one-off has headers, hold and maxUses, is pointed at where it is wrong, and is stored whole", () => {
  const read = (members: object) =>
    readEntry({ name: "a", target: "echo", ...members }, {
      now: NOW,
      source: "oneoff",
      config: null,
      dir: "/",
    });
  const members = { headers: { request: { set: { "X-Key": "s3cret" } } }, hold: "2s", maxUses: 1 };
  const entry = read(members).entry!;
  assert.doesNotMatch(JSON.stringify(entry), /s3cret/);
  const again = restoreEntry(storeEntry(entry));
  assert.deepEqual(entryChanges(entry, again), []);
  assert.equal(compileEdits(again.headers).request!.lines, "X-Key: s3cret\r\n");
  const wrong = read({ headers: { response: { set: { "A/b": "c", TE: "d" }, remove: ["é"] } }, hold: "2m" });
  assert.deepEqual(wrong.errors.map(({ pointer }) => pointer), [
    "/headers/response/set/A~1b",
    "/headers/response/set/TE",
    "/headers/response/remove/0",
    "/hold",
  ]);
  assert.deepEqual(read({ maxUses: "1" }).errors.map(({ pointer }) => pointer), ["/maxUses"]);
});

Deno.test("an entry that an earlier version stored has none of what it did not know", () => {
  const entry = link("target: echo");
  const { headers: _h, holdMs: _w, maxUses: _m, lines: _l, ...old } = entry;
  const again: Entry = restoreEntry(JSON.stringify(old));
  assert.deepEqual(entryChanges(entry, again), []);
});
