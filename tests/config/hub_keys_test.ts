/** hub.yaml, key by key: each misspelt, of another type, twice, and all at once as people see it. */
import assert from "node:assert/strict";
import { HUB_ROOT_KEYS, KEEP_KEYS, LIMIT_KEYS, readHubConfig, TLS_KEYS } from "../../src/config/hub.ts";
import { printProblem, type Problem } from "../../src/config/problem.ts";
import type { Table } from "../../src/config/schema.ts";
import { hubProblemsOf, OPTIONS, short } from "./read.ts";

/** Each table with what stands before its keys; all of it is on one line. */
const TABLES: [lead: string, table: Table][] = [
  ["", HUB_ROOT_KEYS],
  ["limits: { ", LIMIT_KEYS],
  ["keep: { ", KEEP_KEYS],
  ["tls: { ", TLS_KEYS],
];

/** The problems of a hub.yaml whose second line has `key: value` in its table, as far as they are about that. */
function problemsAt(lead: string, key: string, value: string): Problem[] {
  const line = `${lead}${key}: ${value}${lead === "" ? "" : " }"}`;
  const version = lead === "" && key === "version" ? "" : "version: 1";
  return readHubConfig(`${version}\n${line}\n`, OPTIONS).problems.filter(({ code }) => code !== "missing");
}

Deno.test("hub.yaml: a key that is misspelt is found, and the one that was meant is named", () => {
  let keys = 0;
  for (const [lead, table] of TABLES) {
    for (const key of Object.keys(table)) {
      const wrong = `${key.slice(0, -2)}${key.at(-1)}${key.at(-2)}`;
      // As in `cert`, which is a key the other way round too.
      if (wrong === key) continue;
      const [problem, ...more] = problemsAt(lead, wrong, "1");
      assert.deepEqual(more, []);
      assert.equal(short(problem), `2:${lead.length + 1} error unknown_key`, wrong);
      assert.equal(problem.hint, `did you mean "${key}"?`);
      keys++;
    }
  }
  assert.ok(keys >= 20);
  const far = problemsAt("limits: { ", "colour", "1")[0];
  assert.equal(far.hint, `known here: ${Object.keys(LIMIT_KEYS).join(", ")}`);
});

Deno.test("hub.yaml: a value of another type is a problem where it stands, and says what is due", () => {
  for (const [lead, table] of TABLES) {
    for (const [key, { reader }] of Object.entries(table)) {
      const wrong = reader.shape.kinds.includes("mapping") ? "7" : "{ a: b }";
      const [problem, ...more] = problemsAt(lead, key, wrong);
      assert.deepEqual(more, [], key);
      assert.equal(short(problem), `2:${lead.length + key.length + 3} error wrong_type`, key);
      assert.ok(problem.message.includes(reader.wants), `${key}: ${problem.message}`);
    }
  }
});

Deno.test("hub.yaml: a key that stands twice is a problem at the second one", () => {
  for (const key of Object.keys(HUB_ROOT_KEYS).filter((key) => key !== "version")) {
    const { problems } = readHubConfig(`version: 1\n${key}: x\n${key}: x\n`, OPTIONS);
    assert.ok(problems.map(short).includes("3:1 error duplicate_key"), key);
  }
});

Deno.test("hub.yaml: a store that can not be had is refused with what can", () => {
  for (const written of ["nats://a:4222,b:4222", "nats:a"]) {
    const [problem] = problemsAt("", "store", JSON.stringify(written));
    assert.equal(short(problem), "2:8 error bad_value");
    assert.match(problem.message, /a store in NATS is not built yet: write sqlite:/);
  }
  assert.match(problemsAt("", "store", "postgres://x")[0].message, /no store such as sqlite:\.\/hub\.db/);
});

Deno.test("hub.yaml: all problems come at once, in the order of the file, each with its line and a caret", () => {
  const text = [
    "version: 1",
    "listen: 8080",
    "domian: hub.example.com",
    "store: nats://a:4222",
    "trusted_proxies: [127.0.0.1/33, proxy]",
    "limits:",
    "  head: 2MiB",
    "  sesions: 5",
    "keep: { audit: soon }",
  ].join("\n");
  const { config, problems } = readHubConfig(text, OPTIONS);
  assert.equal(config, null);
  assert.deepEqual(problems.map(short), [
    "2:9 error wrong_type",
    "3:1 error unknown_key",
    "4:8 error bad_value",
    "5:19 error bad_address",
    "5:33 error bad_address",
    "7:9 error bad_value",
    "8:3 error unknown_key",
    "9:16 error bad_duration",
  ]);
  for (const problem of problems) {
    const [head, source, caret] = printProblem(problem).split("\n");
    assert.ok(head.startsWith(`${OPTIONS.file}:${problem.line}:${problem.column}: error: `), head);
    assert.equal(source, `  ${text.split("\n")[problem.line - 1]}`);
    assert.equal(caret, `${" ".repeat(problem.column + 1)}^`);
  }
});

Deno.test("hub.yaml: the place of each key's value is known, however the file is written", () => {
  const places = (text: string) => Object.fromEntries(readHubConfig(text, OPTIONS).config!.places);
  assert.deepEqual(places("version: 1\nlisten:   127.0.0.1:1\nlimits:\n  head: 2KiB\n"), {
    version: { line: 1, column: 10 },
    listen: { line: 2, column: 11 },
    limits: { line: 4, column: 3 },
  });
  assert.deepEqual(places("{ version: 1, domain: a.example }\n"), {
    version: { line: 1, column: 12 },
    domain: { line: 1, column: 23 },
  });
  assert.deepEqual(hubProblemsOf("{}\n"), ["1:1 error missing"]);
});
