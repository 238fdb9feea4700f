/** What the words of `connectd link` come to. */
import assert from "node:assert/strict";
import { curlLine, linkText, policyText } from "../../src/cli/link_print.ts";
import type { LinkJson } from "../../src/cli/links.ts";
import { readWish } from "../../src/cli/link_wish.ts";
import { linkName, meaning, unknownService } from "../../src/cli/target.ts";
import { UsageError } from "../../src/cli/verb.ts";
import type { Service } from "../../src/core/entry.ts";
import { Failure } from "../../src/core/errors.ts";
import { parseTarget, printTarget } from "../../src/core/target.ts";

Deno.test("flags become members of the body, and what is absent stays so", () => {
  const flags = {
    expires: "1h",
    methods: "GET,POST",
    paths: "/api,/health",
    "rate-limit": "60",
    name: "demo",
  };
  assert.deepEqual(readWish({ flags, words: [] }), {
    name: "demo",
    ttl: "1h",
    methods: ["GET", "POST"],
    paths: ["/api", "/health"],
    rate: "60/m",
  });
  assert.deepEqual(readWish({ flags: {}, words: [] }), {});
  assert.deepEqual(readWish({ flags: { expires: "never" }, words: [] }), { ttl: "never" });
});

Deno.test("a flag that can't be read is named, with the value that was given", () => {
  const cases: [string, string][] = [
    ["expires", "soon"],
    ["expires", "0s"],
    ["methods", "get"],
    ["methods", "GET,,POST"],
    ["paths", "api"],
    ["paths", "/api,health"],
    ["paths", "= /exact"],
    ["rate-limit", "0"],
    ["rate-limit", "many"],
    ["name", "No Name"],
  ];
  for (const [flag, value] of cases) {
    assert.throws(() => readWish({ flags: { [flag]: value }, words: [] }), (error) => {
      assert.ok(error instanceof UsageError, `${flag} ${value}`);
      assert.ok(error.message.startsWith(`--${flag}: `), error.message);
      return true;
    });
  }
});

function service(name: string, target: string, access: Service["access"] = "public"): [string, Service] {
  return [name, { name, target: parseTarget(target), access, allow: null, remote: false }];
}

const CONFIG = {
  services: new Map([
    service("my-api", "localhost:3000"),
    service("db", "tcp://localhost:5432", "private"),
    service("inside", "localhost:4000", "private"),
  ]),
};

Deno.test("a word is a service of the file, else a target, else a name somebody else may know", () => {
  const cases: [string, string | null, boolean, string][] = [
    ["my-api", "http://localhost:3000", true, "my-api"],
    ["localhost:3000", "http://localhost:3000", false, "localhost-3000"],
    ["https://api.internal", "https://api.internal:443", false, "api-internal-443"],
    ["http://10.0.0.5:8080", "http://10.0.0.5:8080", false, "10-0-0-5-8080"],
    ["http://[::1]:3000", "http://[::1]:3000", false, "1-3000"],
    ["unix:/run/app.sock", "unix:/run/app.sock", false, "run-app-sock"],
    ["echo", "echo", false, "echo"],
    ["other", null, false, "other"],
    ["3000", null, false, "3000"],
  ];
  for (const [word, target, inFile, name] of cases) {
    const meant = meaning(word, CONFIG);
    assert.equal(meant.target === null ? null : printTarget(meant.target), target, word);
    assert.equal(meant.inFile, inFile, word);
    assert.equal(linkName(meant), name, word);
  }
  assert.equal(meaning("my-api", null).target, null);
});

Deno.test("a unix target is found from the working folder, whoever runs the link", () => {
  const { target } = meaning("unix:./app.sock", null);
  assert.deepEqual(target, { kind: "unix", path: `${Deno.cwd()}/app.sock` });
});

Deno.test("a long target's name keeps its end and is a name", () => {
  const name = linkName(meaning(`${"a".repeat(60)}.example.com:3000`, null));
  assert.match(name, /^[a-z0-9][a-z0-9-]{0,62}$/);
  assert.ok(name.endsWith("-example-com-3000"));
});

Deno.test("a private or a raw service is never linked, and no target is exit 2", () => {
  assert.throws(() => meaning("inside", CONFIG), (e) => e instanceof Failure && !(e instanceof UsageError));
  assert.throws(() => meaning("db", CONFIG), /no HTTP service/);
  for (const word of ["tcp://localhost:5432", "localhost:99999", "http://localhost:3000/path", "Bad Word"]) {
    assert.throws(() => meaning(word, CONFIG), UsageError, word);
  }
});

Deno.test("who names a service that nobody knows is told what is close", () => {
  assert.match(unknownService("my-pai", CONFIG.services.keys()).hint!, /did you mean my-api/);
  assert.match(unknownService("3000", []).hint!, /did you mean localhost:3000/);
  assert.match(unknownService("other", []).hint!, /links\.yaml/);
});

Deno.test("a link's text has the URL alone on its first line, its policy, its end, and a request it admits", () => {
  const link = {
    name: "demo",
    id: "abc",
    url: "http://abc.localhost:8080",
    target: "http://localhost:3000",
    state: "active",
    source: "oneoff",
    activatedAt: "2026-01-01T00:00:00Z",
    expiresAt: "2026-01-01T01:00:00Z",
    policy: { methods: ["GET", "POST"], paths: ["/api", "/health"], rate: ["60/m"], auth: null },
    lastError: null,
  };
  const lines = linkText(link, Date.UTC(2026, 0, 1)).split("\n");
  assert.equal(lines[0], link.url);
  assert.match(lines[2], /methods GET,POST; paths \/api, \/health; rate 60\/m$/);
  assert.match(lines[3], /in 1h \(2026-01-01T01:00:00Z\)/);
  assert.match(lines[4], /curl http:\/\/abc\.localhost:8080\/api$/);
  assert.match(lines[5], /this machine only/);
  const world = linkText({ ...link, url: "https://abc.hub.example.com", expiresAt: null }, 0);
  assert.doesNotMatch(world, /this machine only/);
  assert.match(world, /expires +never/);
  const waiting = linkText(
    { ...link, url: null, activatedAt: null, expiresAt: null, lastError: "no route" },
    0,
  );
  assert.match(waiting, /^demo has no URL yet.*no route/);
  assert.match(waiting, /expires +its time begins/);
});

Deno.test("what a hub says of a link does not command the terminal", () => {
  const lastError = "no\x1b]52;c;cm0gLXJm\x07 name\n\u202e";
  const link = { name: "demo", url: null, lastError, policy: {} } as unknown as LinkJson;
  const [head] = linkText(link, 0).split("\n");
  assert.ok(head.endsWith("(no\\u001b]52;c;cm0gLXJm\\u0007 name\\u000a\\u202e)"), head);
});

Deno.test("the curl line asks for what the policy admits, safe to paste", () => {
  const url = "http://abc.localhost:8080";
  assert.equal(curlLine(url, {}), `curl ${url}/`);
  assert.equal(curlLine(url, { methods: ["POST"] }), `curl -X POST ${url}/`);
  assert.equal(curlLine(url, { methods: ["POST", "GET"] }), `curl ${url}/`);
  assert.equal(curlLine(url, { paths: ["= /exact"] }), `curl ${url}/exact`);
  assert.equal(curlLine(url, { paths: ["/a/*/b"] }), `curl ${url}/a/x/b`);
  assert.equal(curlLine(url, { paths: ["/a$(b)"] }), `curl '${url}/a$(b)'`);
  assert.equal(policyText({ upgrade: ["websocket"], shadow: false }), "every method, every path, no limit");
});
