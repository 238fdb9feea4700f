import assert from "node:assert/strict";
import { Failure } from "../../src/core/errors.ts";
import {
  checkPolicySpec,
  OPEN_POLICY,
  Policy,
  POLICY_KEYS,
  POLICY_LIMITS,
  type PolicySpec,
  printPolicyKey,
} from "../../src/core/policy.ts";
import { parseRate } from "../../src/core/units.ts";
import { Random } from "./random.ts";

const FULL: PolicySpec = {
  methods: ["GET", "POST"],
  paths: ["/api/", "= /x", "/a/*/b"],
  rate: ["10/s burst 20", "500/h per ip"].map(parseRate),
  auth: true,
  basic: true,
  bearer: false,
  allowIps: ["198.51.100.7/24", "2001:DB8::/32"],
  maxBody: 10 * 2 ** 20,
  maxStreams: 100,
  upgrade: ["websocket", "tls/1.3"],
  shadow: true,
};

Deno.test("a policy that travelled as JSON is the policy that was sent", () => {
  for (const spec of [OPEN_POLICY, FULL]) {
    assert.deepEqual(checkPolicySpec(JSON.parse(JSON.stringify(spec))), spec);
  }
});

Deno.test("members that are not known are left behind, also such as are known to every object", () => {
  const sent = JSON.parse(
    JSON.stringify(OPEN_POLICY).replace("{", '{"__proto__":{"shadow":true},"newer":1,'),
  );
  const spec = checkPolicySpec(sent);
  assert.deepEqual(spec, OPEN_POLICY);
  assert.equal(Object.getPrototypeOf(spec), Object.prototype);
});

Deno.test("a member is never inherited", () => {
  const text = JSON.stringify(OPEN_POLICY).replace('"shadow":false', '"__proto__":{"shadow":true}');
  assert.throws(() => checkPolicySpec(JSON.parse(text)), /shadow is missing/);
  assert.throws(() => checkPolicySpec(Object.create(OPEN_POLICY)), Failure);
});

Deno.test("whatever is wrong in a policy is refused, and the place is named", () => {
  const rate = FULL.rate[0];
  const bad: [unknown, string][] = [
    ...[null, undefined, 7, "policy", [], true].map((value): [unknown, string] => [value, "no object"]),
    [{ ...FULL, methods: "GET" }, "/methods"],
    [{ ...FULL, methods: [] }, "/methods"],
    [{ ...FULL, methods: ["GET", "get"] }, "/methods/1"],
    [{ ...FULL, methods: ["TRACE"] }, "/methods/0"],
    [{ ...FULL, methods: new Array(POLICY_LIMITS.methods + 1).fill("GET") }, "/methods"],
    [{ ...FULL, paths: ["/ok", "/a/../b"] }, "/paths/1"],
    [{ ...FULL, paths: [["/a"]] }, "/paths/0"],
    [{ ...FULL, paths: ["/" + "x".repeat(POLICY_LIMITS.text)] }, "/paths/0"],
    [{ ...FULL, paths: new Array(POLICY_LIMITS.paths + 1).fill("/x") }, "/paths"],
    [{ ...FULL, rate: null }, "/rate"],
    [{ ...FULL, rate: new Array(POLICY_LIMITS.rate + 1).fill(rate) }, "/rate"],
    [{ ...FULL, rate: [{ ...rate, count: 0 }] }, "/rate/0"],
    [{ ...FULL, rate: [{ ...rate, burst: 1.5 }] }, "/rate/0"],
    [{ ...FULL, rate: [{ ...rate, perMs: 7 }] }, "/rate/0"],
    [{ ...FULL, rate: [{ ...rate, count: "10" }] }, "/rate/0"],
    [{ ...FULL, rate: [{ ...rate, count: null }] }, "/rate/0"],
    [{ ...FULL, rate: [{ count: 1, perMs: 1000, burst: 1 }] }, "/perIp"],
    [{ ...FULL, auth: 1 }, "/auth"],
    [{ ...FULL, auth: false }, "/auth"],
    [{ ...FULL, basic: false }, "/auth"],
    [{ ...FULL, allowIps: ["198.51.100.0/33"] }, "/allowIps/0"],
    [{ ...FULL, allowIps: [] }, "/allowIps"],
    [{ ...FULL, maxBody: -1 }, "/maxBody"],
    [{ ...FULL, maxBody: 2 ** 60 }, "/maxBody"],
    [{ ...FULL, maxBody: "10" }, "/maxBody"],
    [{ ...FULL, maxStreams: 0 }, "/maxStreams"],
    [{ ...FULL, maxStreams: NaN }, "/maxStreams"],
    [{ ...FULL, upgrade: null }, "/upgrade"],
    [{ ...FULL, upgrade: ["h2c"] }, "/upgrade/0"],
    [{ ...FULL, upgrade: ["WebSocket"] }, "/upgrade/0"],
    [{ ...FULL, shadow: "false" }, "/shadow"],
  ];
  for (const [value, place] of bad) {
    assert.throws(() => checkPolicySpec(value), (error) => {
      assert.ok(error instanceof Failure, `${place}: ${error}`);
      assert.ok(error.message.includes(place), `${place}: ${error.message}`);
      return true;
    }, place);
  }
  for (const name of Object.keys(FULL)) {
    const { [name as keyof PolicySpec]: _, ...rest } = FULL;
    assert.throws(() => checkPolicySpec(rest), new RegExp(`/${name} is missing`));
  }
});

Deno.test("a policy mangled at random is refused with a Failure or compiles", () => {
  const random = new Random(3);
  const text = JSON.stringify(FULL);
  const values = [
    '""',
    "null",
    "0",
    "-1",
    "[]",
    "{}",
    "true",
    "false",
    '"/"',
    "[null]",
    "1e400",
    '{"length":3}',
    '"__proto__"',
  ];
  let taken = 0;
  for (let i = 0; i < 20_000; i++) {
    // Some value of the text, from behind its colon or comma up to the next, becomes another.
    const places = [...text.matchAll(/[:,[](?=[^,:[]*[,\]}])/g)];
    const at = random.of(places).index + 1;
    const mangled = text.slice(0, at) + random.of(values) + text.slice(at).replace(/^[^,\]}]*/, "");
    let value: unknown;
    try {
      value = JSON.parse(mangled);
    } catch {
      continue;
    }
    try {
      new Policy(checkPolicySpec(value));
      taken++;
    } catch (error) {
      assert.ok(error instanceof Failure, `${mangled}: ${error}`);
    }
  }
  assert.ok(taken > 100, `${taken}`);
});

Deno.test("each key of a policy prints in one form, and not at all where it is absent", () => {
  const prints = (spec: PolicySpec) =>
    Object.fromEntries(POLICY_KEYS.map((key) => [key, printPolicyKey(key, spec)]));
  assert.deepEqual(prints(FULL), {
    allow_ips: "198.51.100.0/24, 2001:db8::/32",
    auth: "basic",
    methods: "GET,POST",
    upgrade: "websocket, tls/1.3",
    paths: "/api, = /x, /a/*/b",
    max_body: "10MiB",
    rate: "10/s burst 20, 500/h per ip",
    max_streams: "100",
    shadow: "true",
  });
  assert.deepEqual(Object.values(prints(OPEN_POLICY)), POLICY_KEYS.map(() => null));
  assert.equal(printPolicyKey("upgrade", { ...OPEN_POLICY, upgrade: [] }), "false");
});
