/** What `explain` says is what is done. */
import assert from "node:assert/strict";
import { whyAmbiguous } from "../../src/core/ambiguous.ts";
import { refusal } from "../../src/core/errors.ts";
import { countersFor, explain, EXPLAINED, explainMalformed, type Standing } from "../../src/core/explain.ts";
import { compilePaths, matchPath } from "../../src/core/paths.ts";
import { decide, type Facts, foresee, OPEN_POLICY, Policy, type PolicySpec } from "../../src/core/policy.ts";
import { type PolicyRule, PolicyState } from "../../src/core/policy.ts";
import { parseRate } from "../../src/core/units.ts";
import { aRequest, policySpec } from "./policy_fuzz.ts";
import { aPattern, aTarget } from "./paths_fuzz.ts";
import { Random } from "./random.ts";

const SERVES: Standing = { refusal: null, rule: null, detail: "active, and never ends" };

const FACTS: Facts = {
  method: "GET",
  target: "/",
  address: "198.51.100.1",
  declaredLength: null,
  websocket: false,
  hasCredential: false,
  credential: "unjudged",
};

/** A link that has this rule of `spec` and no other. */
function alone(rule: string, spec: PolicySpec): PolicySpec {
  const { auth, basic, bearer, allowIps, methods, upgrade, paths, maxBody, rate, maxStreams } = spec;
  const rules: Record<string, Partial<PolicySpec>> = {
    allow_ips: { allowIps },
    auth: { auth, basic, bearer },
    methods: { methods },
    upgrade: { upgrade },
    paths: { paths },
    max_body: { maxBody },
    rate: { rate },
    max_streams: { maxStreams },
  };
  return { ...OPEN_POLICY, ...rules[rule] };
}

/** Everything that is remembered, in the order in which it would be forgotten. */
function remembered({ buckets, failures, streams }: PolicyState, nowMs: number): string {
  return JSON.stringify([buckets.save(nowMs), buckets.spent, failures.spent, failures.save(nowMs), streams]);
}

Deno.test("explain never disagrees with what is decided, whatever the policy, the request and what was counted", () => {
  const random = new Random(9);
  const seen = new Set<string>();
  for (let i = 0; i < 1_500; i++) {
    const spec = policySpec(random), policy = new Policy(spec), state = new PolicyState();
    let now = random.below(1e9);
    const guesses = random.below(4) === 0 ? 10 : 0;
    const guess: Facts = { ...aRequest(random), hasCredential: true, credential: "wrong" };
    for (let n = 0; n < guesses; n++) decide(policy, guess, state, now);
    for (let n = 0; n < 12; n++) {
      now += random.of([0, 0, 1, 500, 20_000]);
      state.streams = random.below(4) === 0 ? random.below(3) : 0;
      const facts = aRequest(random);
      const before = remembered(state, now);
      const verdict = foresee(policy, facts, state, now);
      const strict = foresee(new Policy({ ...spec, shadow: false }), facts, state, now);
      const told = explain(SERVES, policy, facts, state, now);
      const counters = countersFor(policy, facts.address, state, now);
      assert.equal(remembered(state, now), before, "nothing is counted");
      assert.equal(told.verdict, verdict.kind);
      assert.deepEqual(told.refusal, strict.kind === "deny" ? strict.refusal : null);
      assert.equal(told.rule, strict.kind === "deny" ? strict.rule : null);
      if (verdict.kind === "allow") assert.deepEqual(told.refusal, verdict.shadowed);
      seen.add(`${told.verdict} ${told.refusal?.code ?? ""} ${told.rule ?? ""}`);

      assert.deepEqual(told.steps.map(({ step }) => step), EXPLAINED);
      const end = told.steps.findIndex(({ step }) =>
        step === (told.verdict === "check_auth" ? "auth" : told.rule)
      );
      for (const [at, { step, result, detail }] of told.steps.entries()) {
        assert.match(detail, /\S/);
        if (end >= 0 && at > end) assert.deepEqual([result, detail], ["skip", "not asked"]);
        if (at < 2 || end >= 0 && at >= end) continue;
        const own = foresee(new Policy(alone(step, spec)), facts, state, now).kind;
        assert.deepEqual([own, result !== "deny"], ["allow", true], `${step}: ${detail}`);
      }
      if (told.refusal !== null) {
        assert.equal(told.steps[end].result, "deny");
        const own = foresee(new Policy(alone(told.rule!, spec)), facts, state, now);
        assert.deepEqual(own.kind === "deny" && own.refusal.code, told.refusal.code);
      }
      for (const { key, left, waitMs } of counters) {
        const own = foresee(new Policy(alone(key, spec)), { ...facts, hasCredential: true }, state, now);
        const busy = own.kind === "deny" && own.refusal.code !== "auth_required";
        if (counters.filter((other) => other.key === key).length === 1) assert.equal(left === 0, busy, key);
        assert.equal(left === 0, waitMs !== 0);
      }
      decide(policy, facts, state, now);
    }
  }
  const codes = [
    ...["check_auth  ", "allow  ", "deny ip_denied allow_ips", "deny auth_required auth"],
    ...["deny rate_limited auth", "deny method_denied methods", "deny upgrade_denied upgrade"],
    ...["deny path_denied paths", "deny path_ambiguous paths", "deny body_too_large max_body"],
    ...["deny rate_limited rate", "deny link_busy max_streams", "allow path_denied paths"],
  ];
  for (const code of codes) assert.ok(seen.has(code), code);
});

Deno.test("an address that is asked about does not count as seen", () => {
  const policy = new Policy({ ...OPEN_POLICY, rate: [parseRate("5/h per ip")] }), state = new PolicyState();
  for (const address of ["192.0.2.1", "192.0.2.2"]) decide(policy, { ...FACTS, address }, state, 0);
  const before = remembered(state, 0);
  explain(SERVES, policy, { ...FACTS, address: "192.0.2.1" }, state, 0);
  assert.equal(remembered(state, 0), before);
});

Deno.test("a path is said to be ambiguous exactly where it is refused as such", () => {
  const random = new Random(10);
  const all = compilePaths(["/"]);
  let ambiguous = 0;
  for (let i = 0; i < 50_000; i++) {
    const { target } = aTarget(random, [aPattern(random)]);
    const refused = matchPath(all, target) === "path_ambiguous";
    assert.equal(whyAmbiguous(target) !== null, refused, target);
    if (refused) ambiguous++;
  }
  assert.ok(ambiguous > 10_000 && ambiguous < 49_000, `${ambiguous}`);
});

const DETAILS: [what: Partial<PolicySpec>, asked: Partial<Facts>, key: PolicyRule, said: string][] = [
  [{ allowIps: ["203.0.113.0/24", "198.51.100.7/16"] }, {}, "allow_ips", "198.51.100.1 is in 198.51.0.0/16"],
  [{ allowIps: ["203.0.113.0/24"] }, {}, "allow_ips", "198.51.100.1 is in none of 203.0.113.0/24"],
  [{}, {}, "allow_ips", "every address is let in"],
  [
    { auth: true, basic: true, bearer: true },
    {},
    "auth",
    "a credential (basic or bearer) is asked for, and none was sent; 10 of 10 wrong ones left for 198.51.100.1",
  ],
  [
    { auth: true, basic: true },
    { hasCredential: true, credential: "wrong", address: "2001:db8::1" },
    "auth",
    "the credential is wrong; 10 of 10 wrong ones left for 2001:db8::/64",
  ],
  [{ methods: ["GET"] }, { method: "HEAD" }, "methods", "HEAD comes with GET"],
  [{ methods: ["GET", "PUT"] }, { method: "get" }, "methods", '"get" is none of GET, HEAD, PUT'],
  [{ paths: ["/b", "/a/*/c/"] }, { target: "/a/x/c/d?e" }, "paths", '"/a/x/c/d" fits /a/*/c'],
  [{ paths: ["/b", "= /c/"] }, { target: "/bb?secret" }, "paths", '"/bb" fits none of /b, = /c/'],
  [
    { paths: ["/a"] },
    { target: "/a/%2E./b" },
    "paths",
    '"/a/%2E./b" can be read in more than one way: it has a segment that is . or ..',
  ],
  [{ maxBody: 2048 }, { declaredLength: 10 }, "max_body", "10B are declared, of 2KiB"],
  [{ maxBody: 9 }, { declaredLength: 10 }, "max_body", "10B are declared, and no more than 9B"],
  [{ maxBody: 9 }, {}, "max_body", "no length is declared; a body may have 9B"],
  [{ maxStreams: 5 }, {}, "max_streams", "3 of 5 in flight"],
  [{ maxStreams: 3 }, {}, "max_streams", "3 of 3 in flight"],
  [{}, {}, "max_streams", "no limit of its own; 3 in flight"],
  [{}, { websocket: true }, "upgrade", "WebSockets are let through"],
  [{ upgrade: [] }, { websocket: true }, "upgrade", "WebSockets are not let through"],
];

Deno.test("a step says what it found, with the numbers", () => {
  for (const [what, asked, key, said] of DETAILS) {
    const state = new PolicyState();
    state.streams = 3;
    const { steps } = explain(
      SERVES,
      new Policy({ ...OPEN_POLICY, ...what }),
      { ...FACTS, ...asked },
      state,
      0,
    );
    assert.equal(steps.find(({ step }) => step === key)?.detail, said);
  }
});

Deno.test("rates say what is left and when the next comes, and so do wrong credentials", () => {
  const rate = ["100/m burst 20", "3/h per ip"].map(parseRate);
  const policy = new Policy({ ...OPEN_POLICY, auth: true, basic: true, rate }), state = new PolicyState();
  const right: Facts = { ...FACTS, hasCredential: true, credential: "right" };
  const wrong: Facts = { ...right, credential: "wrong" };
  const said = (facts: Facts, key: string) =>
    explain(SERVES, policy, facts, state, 1_500).steps.find(({ step }) => step === key)!.detail;
  for (let i = 0; i < 3; i++) decide(policy, right, state, 0);
  assert.equal(
    said(right, "rate"),
    "100/m burst 20: 19 of 20 left; 3/h per ip: none left, the next comes in 19m59s for 198.51.100.1",
  );
  const other = { ...right, address: "198.51.100.2" };
  assert.match(said(other, "rate"), /3\/h per ip: 3 of 3 left for 198\.51\.100\.2$/);
  for (let i = 0; i < 10; i++) decide(policy, wrong, state, 0);
  assert.equal(said(right, "auth"), "too many wrong ones came from 198.51.100.1: the next is read in 5s");
  assert.deepEqual(countersFor(policy, FACTS.address, state, 1_500), [
    { key: "auth", text: "10/m per ip", left: 0, of: 10, waitMs: 4_500 },
    { key: "rate", text: "100/m burst 20", left: 19, of: 20, waitMs: 0 },
    { key: "rate", text: "3/h per ip", left: 0, of: 3, waitMs: 1_198_500 },
  ]);
});

Deno.test("a link that serves nobody is refused before its policy is asked, and so is what is no request", () => {
  const ended: Standing = { refusal: refusal("link_expired"), rule: "ttl", detail: "it expired" };
  const policy = new Policy({ ...OPEN_POLICY, shadow: true, methods: ["PUT"] });
  const told = explain(ended, policy, FACTS, new PolicyState(), 0);
  assert.deepEqual([told.verdict, told.refusal?.status, told.rule], ["deny", 410, "ttl"]);
  assert.deepEqual(told.steps.slice(0, 3).map(({ result, detail }) => `${result} ${detail}`), [
    "pass it is well-formed",
    "deny it expired",
    "skip not asked",
  ]);
  const malformed = explainMalformed(refusal("bad_request"), "no method");
  assert.deepEqual([malformed.verdict, malformed.refusal?.code, malformed.rule], [
    "deny",
    "bad_request",
    null,
  ]);
  assert.deepEqual(malformed.steps.map(({ step }) => step), EXPLAINED);
  assert.deepEqual(malformed.steps.map(({ result }) => result).slice(0, 2), ["deny", "skip"]);
});

Deno.test("a link that has no rates just now is explained, and what it had counted goes on under the next ones", () => {
  const limited = new Policy({ ...OPEN_POLICY, rate: [parseRate("1/h")] });
  const state = new PolicyState(), open = new Policy(OPEN_POLICY);
  decide(limited, FACTS, state, 0);
  assert.equal(explain(SERVES, open, FACTS, state, 0).verdict, "allow");
  assert.deepEqual(countersFor(open, FACTS.address, state, 0), []);
  const again = new Policy({ ...OPEN_POLICY, rate: [parseRate("1/h")] });
  assert.equal(explain(SERVES, again, FACTS, state, 0).refusal?.code, "rate_limited");
});
