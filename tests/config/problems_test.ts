import assert from "node:assert/strict";
import { readConfig } from "../../src/config/links.ts";
import type { ProblemCode } from "../../src/config/problem.ts";
import { OPTIONS, problemOf, problemsOf, short } from "./read.ts";

const LINK = "version: 1\nlinks:\n  a:\n    target: echo\n";

/** A file for each code whose problem is found in a file alone, and where in it. */
const SAMPLES: Record<
  Exclude<ProblemCode, "revoked" | "bad_auth_file" | "bad_file" | "too_big">,
  [string, string]
> = {
  syntax: [`${LINK}    "x\n`, "5:5"],
  multi_document: [`${LINK}---\nversion: 1\n`, "5:1"],
  alias: ["version: 1\nlinks: &all {}\n", "2:8"],
  tag: ["version: !!int 1\n", "1:10"],
  too_deep: [`version: 1\nlinks: ${"[".repeat(21)}${"]".repeat(21)}\n`, "2:27"],
  unknown_key: ["version: 1\nlink: {}\n", "2:1"],
  duplicate_key: ["version: 1\nversion: 1\n", "2:1"],
  wrong_type: ["version: 1\nlinks: []\n", "2:8"],
  missing: ["links: {}\n", "1:1"],
  conflict: [`${LINK}    tls: { insecure: true }\n`, "5:10"],
  bad_value: [`${LINK}    upgrade: []\n`, "5:14"],
  bad_duration: [`${LINK}    ttl: soon\n`, "5:10"],
  bad_rate: [`${LINK}    rate: 0\n`, "5:11"],
  bad_size: [`${LINK}    max_body: big\n`, "5:15"],
  bad_path: [`${LINK}    paths: [x]\n`, "5:13"],
  bad_method: [`${LINK}    methods: [get]\n`, "5:15"],
  bad_target: ["version: 1\nlinks: { a: { target: 'localhost:0' } }\n", "2:23"],
  bad_address: ["version: 1\nlisten: here\n", "2:9"],
  bad_time: [`${LINK}    until: 2026-12-01\n`, "5:12"],
  bad_name: ["version: 1\nservices:\n  A: echo\n", "3:3"],
  unknown_service: ["version: 1\nlinks: { a: { target: api } }\n", "2:23"],
  expired: [`${LINK}    until: 2025-12-31T23:59:60Z\n`, "5:12"],
  shadowed: [`${LINK}    paths: [/, /x]\n`, "5:16"],
};

Deno.test("every kind of problem has its code, its place and its severity", () => {
  for (const [code, [text, place]] of Object.entries(SAMPLES)) {
    const severity = code === "expired" || code === "shadowed" ? "warning" : "error";
    assert.deepEqual(problemsOf(text), [`${place} ${severity} ${code}`], text);
  }
});

Deno.test("what two keys say against each other is a problem at the later one", () => {
  for (
    const [keys, place] of [
      ["until: 2099-01-01T00:00:00Z, target: echo, ttl: 1h", "ttl"],
      ["tls: {insecure: true}, target: 'localhost:1'", "tls"],
      ["tls: {insecure: true}, target: 'unix:/run/a.sock'", "tls"],
      ["tls: {}, target: web", "tls"],
    ]
  ) {
    const text = `version: 1\nservices: { web: 'localhost:3000' }\nlinks:\n  a: { ${keys} }\n`;
    const line = text.split("\n")[3];
    const column = line.indexOf(`${place}: `) + place.length + 3;
    assert.deepEqual(problemsOf(text), [`4:${column} error conflict`], keys);
  }
});

Deno.test("a link never makes a private service public, and never leads to raw TCP", () => {
  const services = "version: 1\nservices:\n  admin: { target: 'localhost:1', access: private }\n" +
    "  db: tcp://localhost:5432\n  dark: { target: 'tcp://localhost:1', access: private }\n";
  for (
    const [target, code] of [["admin", "conflict"], ["db", "bad_target"], ["dark", "bad_target"], [
      "tcp://localhost:5432",
      "bad_target",
    ]]
  ) {
    const problem = problemOf(`${services}links:\n  a:\n    target: ${target}\n`);
    assert.equal(short(problem), `8:13 error ${code}`);
    assert.match(problem.hint ?? "", /access: private/);
  }
});

Deno.test("hubs: equal ones conflict, embedded stands alone, and plain HTTP is asked for", () => {
  for (
    const [hub, ...problems] of [
      ["[https://a.example, https://b.example, https://A.example:443/]", "2:45 error conflict"],
      ["[https://a.example, embedded]", "2:26 error bad_address"],
      ["[{url: embedded}]", "2:13 error bad_address"],
      ["[embedded]", "2:7 error bad_address"],
      ["http://10.0.0.7", "2:6 error bad_address"],
      ["[{url: 'http://10.0.0.7', plain: false}]", "2:13 error bad_address"],
      ["[{url: 'http://10.0.0.7', plain: true}, http://10.0.0.8]", "2:46 error bad_address"],
      ["[]", "2:6 error bad_value"],
      ["https://user:pass@hub.example.com", "2:6 error bad_address"],
      ["https://hub.example.com/path", "2:6 error bad_address"],
      ["wss://hub.example.com", "2:6 error bad_address"],
      ["https://hub.example.com?x", "2:6 error bad_address"],
      ["https://0x7f.1", "2:6 error bad_address"],
      ["https://bücher.example", "2:6 error bad_address"],
      ["null", "2:6 error wrong_type"],
    ]
  ) {
    assert.deepEqual(problemsOf(`version: 1\nhub: ${hub}\n`), problems, hub);
  }
});

Deno.test("empty lists are problems wherever a list is due", () => {
  for (const key of ["methods", "paths", "rate", "allow_ips", "upgrade"]) {
    const text = `${LINK}    ${key}: []\n`;
    assert.deepEqual(problemsOf(text), [`5:${7 + key.length} error bad_value`], key);
  }
  assert.deepEqual(problemsOf("version: 1\nservices: { a: { target: echo, allow: [] } }\n"), [
    "2:39 error bad_value",
  ]);
});

Deno.test("a list or a pattern that a hub would refuse is a problem of the file", () => {
  const paths = (n: number) => Array.from({ length: n }, (_, i) => `/${i}`).join(", ");
  assert.deepEqual(problemsOf(`${LINK}    paths: [${paths(1000)}]\n`), []);
  assert.deepEqual(
    problemsOf(`${LINK}    paths:\n${paths(1001).replace(/(^|, )/g, "\n      - ").slice(1)}\n`),
    [
      "1006:9 error bad_value",
    ],
  );
  assert.deepEqual(problemsOf(`${LINK}    rate: [${"1, ".repeat(17)}]\n`), ["5:60 error bad_value"]);
  assert.deepEqual(problemsOf(`${LINK}    paths: [/${"a".repeat(4095)}]\n`), []);
  assert.deepEqual(problemsOf(`${LINK}    paths: [/${"a".repeat(4096)}]\n`), ["5:13 error bad_path"]);
  assert.deepEqual(problemsOf(`${LINK}    upgrade: [${"a".repeat(4097)}]\n`), ["5:15 error bad_value"]);
});

Deno.test("a timeout of no time is a problem, a drain of none is not", () => {
  assert.deepEqual(problemsOf(`${LINK}    timeout: 0s\n`), ["5:14 error bad_value"]);
  assert.deepEqual(problemsOf(`${LINK}    drain: 0s\n`), []);
});

Deno.test("a domain is written in the one form that it has, and is said so", () => {
  const rows: [domain: string, why: RegExp][] = [
    ["API.example.com", /is written api\.example\.com$/],
    ["api.example.com.", /is written api\.example\.com$/],
    ["api.example.com:443", /is written api\.example\.com$/],
    ["bücher.example", /is written xn--bcher-kva\.example$/],
    ["'*.example.com'", /is a wildcard/],
    ["https://api.example.com", /is no domain/],
    ["localhost", /is no domain/],
    ["127.0.0.1", /is no domain/],
    ["a..example.com", /is no domain/],
    ["-a.example.com", /is no domain/],
    ["a_b.example.com", /is no domain/],
  ];
  for (const [domain, why] of rows) {
    const { problems } = readConfig(`${LINK}    domain: ${domain}\n`, OPTIONS);
    assert.deepEqual(
      problems.map(({ line, column, code }) => `${line}:${column} ${code}`),
      ["5:13 bad_name"],
      domain,
    );
    assert.match(problems[0].message, why);
  }
  assert.deepEqual(problemsOf(`${LINK}    domain: xn--bcher-kva.example\n`), []);
  const two = `${LINK}    domain: a.example\n  two: { target: echo, domain: a.example }\n`;
  assert.deepEqual(problemsOf(two), ["6:32 error conflict"]);
});

Deno.test("subdomains with capitals and those of the house are refused", () => {
  const reserved = "www api hub admin mail smtp ftp ns ns1 ns2 static assets status dashboard connectd";
  for (const name of ["Demo", "xn--a", "a.b", "-a", ...reserved.split(" ")]) {
    assert.deepEqual(problemsOf(`${LINK}    subdomain: ${name}\n`), ["5:16 error bad_name"], name);
  }
});

Deno.test("what is written in YAML 1.1 is not mistaken, whatever the file says of its version", () => {
  for (const directive of ["", "%YAML 1.1\n---\n", "%YAML 1.2\n---\n"]) {
    const line = directive === "" ? 5 : 7;
    const at = (key: string) => `${line}:${7 + key.length} error wrong_type`;
    for (const word of ["on", "off", "yes", "no", "On", "NO"]) {
      assert.deepEqual(problemsOf(`${directive}${LINK}    shadow: ${word}\n`), [at("shadow")]);
      assert.deepEqual(problemsOf(`${directive}${LINK}    host: ${word}\n`), [at("host")]);
      assert.deepEqual(problemsOf(`${directive}${LINK}    host: "${word}"\n`), []);
    }
    assert.deepEqual(problemsOf(`${directive}${LINK}    inspect: off\n`), []);
    for (const number of ["1e3", "0x10", "0o10", "1.0", ".inf", ".nan", "+1"]) {
      assert.deepEqual(problemsOf(`${directive}${LINK}    max_streams: ${number}\n`), [at("max_streams")]);
      assert.deepEqual(problemsOf(`${directive}${LINK}    max_body: ${number}\n`), [at("max_body")]);
    }
  }
});

Deno.test("columns count UTF-16 units, tabs as one, and a byte order mark as none", () => {
  assert.deepEqual(problemsOf("\ufeffversion: 2\n"), ["1:10 error bad_value"]);
  assert.deepEqual(problemsOf(`version: 1\nlinks: { a: { target: echo, host: "😀é", x: 1 } }\n`), [
    "2:35 error bad_value",
    "2:42 error unknown_key",
  ]);
  assert.deepEqual(problemsOf("version:\t2\n"), ["1:10 error bad_value"]);
  assert.deepEqual(problemsOf("version: 1\r\nlinks:\r\n  A: { target: echo }\r\n"), ["3:3 error bad_name"]);
});

Deno.test("all problems are told, in the order of the text, warnings among them", () => {
  assert.deepEqual(
    problemsOf(
      "hub: ftp://x\nlinks:\n  a:\n    until: 2020-01-01T00:00:00Z\n    ttl: x\n    x: 1\n  B: {}\nservices:\n" +
        "  c: {}\n  c: &x echo\n",
    ),
    [
      "1:1 error missing",
      "1:6 error bad_address",
      "3:3 error missing",
      "4:12 warning expired",
      "5:10 error bad_duration",
      "6:5 error unknown_key",
      "7:3 error bad_name",
      "7:3 error missing",
      "9:3 error missing",
      "10:3 error duplicate_key",
      "10:6 error alias",
    ],
  );
});

Deno.test("what follows from a problem is not a problem of its own", () => {
  // The service is wrong; the link that names it is not.
  assert.deepEqual(problemsOf("version: 1\nservices: { api: 'x:0' }\nlinks: { a: { target: api } }\n"), [
    "2:18 error bad_target",
  ]);
  // Behind a broken text nothing is known; before it everything is.
  assert.deepEqual(problemsOf("version: &v 2\nlinks: [}\nA: *v\n").map((p) => p.replace(/:\d+/, "")), [
    "1 error alias",
    "2 error syntax",
  ]);
  assert.deepEqual(problemsOf("version: 1\nlinks: { a: *x, b: !env y }\n"), [
    "2:13 error alias",
    "2:20 error tag",
  ]);
});

Deno.test("a close word is offered, a far one is not, and then the known ones are listed", () => {
  const hint = (text: string) => problemOf(text).hint;
  assert.equal(hint(`${LINK}    tlt: 1h\n`), 'did you mean "ttl"?');
  assert.equal(hint(`${LINK}    allow_ip: [::1]\n`), 'did you mean "allow_ips"?');
  assert.equal(hint(`${LINK}    Shadow: true\n`), 'did you mean "shadow"?');
  assert.match(
    hint(`${LINK}    colour: red\n`) ?? "",
    /^known here: target, until, subdomain, domain, ttl, /,
  );
  assert.equal(
    hint("version: 1\nservices: { my-api: echo }\nlinks: { a: { target: my-ap } }\n"),
    'did you mean "my-api"?',
  );
  assert.match(hint("version: 1\nlinks: { a: { target: api } }\n") ?? "", /declare it under services/);
  assert.match(problemOf(`${LINK}    inspect: head\n`).message, /did you mean "heads"\?$/);
  assert.match(problemOf(`${LINK}    methods: [get]\n`).message, /write GET/);
});

Deno.test("a password in a target is not repeated by the message", () => {
  const problem = problemOf("version: 1\nlinks:\n  a:\n    target: http://ann:s3cret@localhost:1\n");
  assert.doesNotMatch(problem.message + problem.hint, /s3cret/);
});

Deno.test("an error refuses the file, a warning does not", () => {
  const options = { file: "/x/links.yaml", now: Date.parse("2026-01-01T00:00:00Z") };
  const warned = readConfig(SAMPLES.expired[0], options);
  assert.equal(warned.config?.links.get("a")?.until, Date.parse("2026-01-01T00:00:00Z"));
  assert.equal(readConfig(SAMPLES.bad_rate[0], options).config, null);
});
