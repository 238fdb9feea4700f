import assert from "node:assert/strict";
import { type MemberError, type OneOffOptions, readEntry } from "../../src/config/oneoff.ts";
import { config, NOW } from "./read.ts";

const options: OneOffOptions = {
  now: NOW,
  source: "oneoff",
  config: null,
  dir: "/srv/app",
  home: "/home/ann",
};
const HOUR = 3_600_000;

function errorsOf(value: unknown, rest: Partial<OneOffOptions> = {}): MemberError[] {
  const { entry, errors } = readEntry(value, { ...options, ...rest });
  assert.equal(entry === null, errors.length > 0);
  return errors;
}

const pointersOf = (value: unknown) => errorsOf(value).map(({ pointer }) => pointer);

Deno.test("a one-off is an entry in JSON, keys in camelCase", () => {
  const { entry, errors } = readEntry({
    name: "demo",
    target: "localhost:3000",
    allowIps: ["::1"],
    maxBody: "1MiB",
    maxStreams: 5,
    rate: 60,
    auth: { bearer: { tokenFile: "./tokens" } },
    shadow: true,
  }, options);
  assert.deepEqual(errors, []);
  assert.ok(entry !== null);
  assert.deepEqual([entry.name, entry.source, entry.line, entry.column], ["demo", "oneoff", 0, 0]);
  assert.deepEqual(entry.policy.allowIps, ["::1"]);
  assert.equal(entry.policy.maxBody, 1024 * 1024);
  assert.equal(entry.policy.maxStreams, 5);
  assert.equal(entry.auth.bearerFile, "/srv/app/tokens");
  assert.equal(entry.policy.rate[0].count, 60);
  assert.equal(entry.ttlMs, 24 * HOUR);
});

Deno.test("a one-off takes services and defaults from the file, and lives a day when nobody says how long", () => {
  const file = config(
    "version: 1\ndefaults: { methods: [GET] }\nservices:\n  api: localhost:3000\n  db: { target: echo, access: private }\n",
  );
  const { entry } = readEntry({ name: "a", target: "api" }, { ...options, config: file });
  assert.deepEqual([entry?.service, entry?.ttlMs, entry?.policy.methods], ["api", 24 * HOUR, ["GET"]]);
  const never = config("version: 1\ndefaults: { ttl: never }\n");
  const ttlOf = (value: object, config: OneOffOptions["config"]) =>
    readEntry({ name: "a", target: "echo", ...value }, { ...options, config }).entry?.ttlMs;
  assert.equal(ttlOf({}, never), null);
  assert.equal(ttlOf({ ttl: "1h" }, never), HOUR);
  assert.equal(ttlOf({ ttl: "never" }, null), null);
  assert.equal(ttlOf({ until: "2099-01-01T00:00:00Z" }, null), null);
  assert.deepEqual(errorsOf({ name: "a", target: "db" }, { config: file }).map((e) => e.pointer), [
    "/target",
  ]);
  assert.match(errorsOf({ name: "a", target: "apj" }, { config: file })[0].detail, /did you mean "api"/);
});

Deno.test("what is wrong is pointed at, a missing member by its own name", () => {
  assert.deepEqual(pointersOf({}), ["/name", "/target"]);
  assert.deepEqual(pointersOf({ name: "a", target: "echo", auth: {} }), ["/auth/basic"]);
  assert.deepEqual(pointersOf({ name: "a", target: "echo", auth: { bearer: {} } }), [
    "/auth/bearer/tokenFile",
  ]);
  assert.deepEqual(pointersOf({ name: "A", target: "localhost:0" }), ["/name", "/target"]);
  assert.deepEqual(
    pointersOf({ name: "a", target: "echo", paths: ["/a", "b", 3], maxBody: "x", tls: { serverName: " " } }),
    ["/paths/1", "/paths/2", "/maxBody", "/tls/serverName", "/tls"],
  );
  assert.deepEqual(pointersOf({ name: "a", target: "echo", "a/b~c": 1 }), ["/a~1b~0c"]);
  assert.deepEqual(pointersOf({ name: "a", target: "echo", rate: [] }), ["/rate"]);
});

Deno.test("a body that is no object is pointed at as a whole", () => {
  for (const value of [null, [], "x", 7, true, undefined]) assert.deepEqual(pointersOf(value), [""]);
});

Deno.test("members are spelled as JSON spells them, in messages and in what may have been meant", () => {
  const [error] = errorsOf({ name: "a", target: "echo", maxbody: 1 });
  assert.deepEqual(error, {
    pointer: "/maxbody",
    detail: '"maxbody" is no key here; did you mean "maxBody"?',
  });
  const [snake] = errorsOf({ name: "a", target: "echo", max_body: 1 });
  assert.equal(snake.pointer, "/max_body");
  assert.match(snake.detail, /"max_body" is no key here; did you mean "maxBody"/);
  assert.deepEqual(pointersOf(JSON.parse('{"name":"a","target":"echo","__proto__":{"ttl":"1h"}}')), [
    "/__proto__",
  ]);
});

Deno.test("a one-off that has ended before it begins is refused, a path too many is not", () => {
  assert.deepEqual(pointersOf({ name: "a", target: "echo", until: "2025-01-01T00:00:00Z" }), ["/until"]);
  assert.deepEqual(pointersOf({ name: "a", target: "echo", ttl: "1h", until: "2099-01-01T00:00:00Z" }), [
    "/until",
  ]);
  assert.deepEqual(pointersOf({ name: "a", target: "echo", paths: ["/", "/x"] }), []);
});

Deno.test("a number is one as JSON has it, and booleans are no words", () => {
  assert.deepEqual(pointersOf({ name: "a", target: "echo", maxStreams: 1.5 }), ["/maxStreams"]);
  assert.deepEqual(pointersOf({ name: "a", target: "echo", rate: 1e21, shadow: "true" }), [
    "/rate",
    "/shadow",
  ]);
  assert.deepEqual(pointersOf({ name: "a", target: "echo", host: "on", inspect: "off" }), []);
});

Deno.test("a body nested a hundred thousand deep is refused without overflow", () => {
  let deep: unknown = "x";
  for (let i = 0; i < 100_000; i++) deep = [deep];
  const errors = errorsOf({ name: "a", target: "echo", paths: deep });
  assert.ok(errors.some(({ detail }) => detail === "nested too deep"));
});
