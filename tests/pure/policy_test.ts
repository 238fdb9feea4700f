import assert from "node:assert/strict";
import {
  decide,
  type Facts,
  foresee,
  OPEN_POLICY,
  Policy,
  type PolicySpec,
  PolicyState,
  shield,
  type Verdict,
} from "../../src/core/policy.ts";
import { parseRate } from "../../src/core/units.ts";
import { Random } from "./random.ts";

const FACTS: Facts = {
  method: "GET",
  target: "/",
  address: "198.51.100.1",
  declaredLength: null,
  websocket: false,
  hasCredential: false,
  credential: "unjudged",
};

/** Refuses at every step; each request below mends one thing. */
const STRICT: PolicySpec = {
  methods: ["POST", "GET"],
  paths: ["/api"],
  rate: [parseRate("1/m")],
  auth: true,
  basic: true,
  bearer: true,
  allowIps: ["203.0.113.0/24"],
  maxBody: 10,
  maxStreams: 1,
  upgrade: [],
  shadow: false,
};

const STEPS: [Partial<Facts>, string][] = [
  [{ method: "PUT", target: "/..", websocket: true, declaredLength: 11 }, "allow_ips ip_denied 403"],
  [{ address: "203.0.113.9" }, "auth auth_required 401"],
  [{ hasCredential: true }, "check_auth"],
  [{ credential: "right" }, "methods method_denied 405"],
  [{ method: "GET" }, "upgrade upgrade_denied 403"],
  [{ websocket: false }, "paths path_ambiguous 400"],
  [{ target: "/other" }, "paths path_denied 403"],
  [{ target: "/api" }, "max_body body_too_large 413"],
  [{ declaredLength: 10 }, "max_streams link_busy 503"],
];

function told(verdict: Verdict): string {
  if (verdict.kind === "deny") return `${verdict.rule} ${verdict.refusal.code} ${verdict.refusal.status}`;
  if (verdict.kind === "allow" && verdict.shadowed !== null) return `shadowed ${verdict.shadowed.code}`;
  return verdict.kind;
}

function fieldsOf(verdict: Verdict): Record<string, string> {
  assert.equal(verdict.kind, "deny");
  return Object.fromEntries((verdict as Extract<Verdict, { kind: "deny" }>).refusal.fields);
}

Deno.test("the first step that refuses answers, in the order of policy.md", () => {
  const policy = new Policy(STRICT), state = new PolicyState();
  state.streams = 1;
  let facts = FACTS;
  for (const [mended, expect] of STEPS) {
    facts = { ...facts, ...mended };
    assert.equal(told(decide(policy, facts, state, 0)), expect);
  }
  state.streams = 0;
  assert.equal(told(decide(policy, facts, state, 0)), "allow", "none of the refused has used a token");
  state.streams = 1;
  assert.equal(told(decide(policy, facts, state, 0)), "rate rate_limited 429", "rates come before streams");
});

Deno.test("a link without a policy lets everything through as it came", () => {
  const policy = new Policy(OPEN_POLICY), state = new PolicyState();
  const facts = {
    ...FACTS,
    method: "FROBNICATE",
    target: "//../%zz",
    declaredLength: 1e15,
    address: "no address",
  };
  for (let i = 0; i < 1_000; i++) assert.equal(told(decide(policy, facts, state, 0)), "allow");
  assert.equal(told(decide(policy, { ...facts, websocket: true }, state, 0)), "allow");
});

Deno.test("a method is compared exactly, GET admits HEAD, and Allow lists what is admitted", () => {
  const policy = new Policy({ ...OPEN_POLICY, methods: ["GET", "POST"] }), state = new PolicyState();
  for (const method of ["GET", "HEAD", "POST"]) {
    assert.equal(told(decide(policy, { ...FACTS, method }, state, 0)), "allow");
  }
  for (const method of ["get", "OPTIONS", "PUT", "GETS", ""]) {
    const verdict = decide(policy, { ...FACTS, method }, state, 0);
    assert.equal(told(verdict), "methods method_denied 405");
    assert.deepEqual(fieldsOf(verdict), { Allow: "GET, HEAD, POST" });
  }
});

Deno.test("an address that can not be read is denied where addresses are limited", () => {
  const policy = new Policy({ ...OPEN_POLICY, allowIps: ["0.0.0.0/0", "::/0"] }), state = new PolicyState();
  for (const address of ["", "unix", "198.51.100.1:80", "[::1]"]) {
    assert.equal(told(decide(policy, { ...FACTS, address }, state, 0)), "allow_ips ip_denied 403");
  }
  assert.equal(told(decide(policy, { ...FACTS, address: "::ffff:198.51.100.1" }, state, 0)), "allow");
});

Deno.test("a body of exactly max_body passes, one octet more does not", () => {
  const policy = new Policy({ ...OPEN_POLICY, maxBody: 10 }), state = new PolicyState();
  assert.equal(told(decide(policy, { ...FACTS, declaredLength: 10 }, state, 0)), "allow");
  assert.equal(
    told(decide(policy, { ...FACTS, declaredLength: 11 }, state, 0)),
    "max_body body_too_large 413",
  );
  assert.equal(told(decide(policy, { ...FACTS, declaredLength: null }, state, 0)), "allow");
});

Deno.test("a challenge is sent for each kind of credential that the link takes", () => {
  const challenges = (kinds: Partial<PolicySpec>) => {
    const policy = new Policy({ ...OPEN_POLICY, auth: true, ...kinds });
    const verdict = decide(policy, FACTS, new PolicyState(), 0);
    return (verdict as Extract<Verdict, { kind: "deny" }>).refusal.fields;
  };
  const basic = ["WWW-Authenticate", 'Basic realm="link", charset="UTF-8"'];
  const bearer = ["WWW-Authenticate", 'Bearer realm="link"'];
  assert.deepEqual(challenges({ basic: true }), [basic]);
  assert.deepEqual(challenges({ bearer: true }), [bearer]);
  assert.deepEqual(challenges({ basic: true, bearer: true }), [basic, bearer]);
});

Deno.test("ten wrong credentials from an address, and the next is not read; a missing or a right one is no failure", () => {
  const policy = new Policy({ ...OPEN_POLICY, auth: true, basic: true }), state = new PolicyState();
  const send = (credential: Facts["credential"], address = FACTS.address, nowMs = 0) =>
    told(decide(policy, { ...FACTS, address, hasCredential: true, credential }, state, nowMs));
  for (let i = 0; i < 50; i++) {
    assert.equal(told(decide(policy, FACTS, state, 0)), "auth auth_required 401");
    assert.equal(send("right"), "allow");
  }
  for (let i = 0; i < 10; i++) {
    assert.equal(send("unjudged"), "check_auth");
    assert.equal(send("wrong"), "auth auth_required 401");
  }
  assert.equal(send("unjudged"), "auth rate_limited 429");
  assert.equal(send("right"), "auth rate_limited 429", "a guess that was judged too late says nothing");
  assert.equal(told(decide(policy, FACTS, state, 0)), "auth auth_required 401", "without a credential");
  assert.equal(send("unjudged", "198.51.100.2"), "check_auth", "another address");
  const limited = decide(policy, { ...FACTS, hasCredential: true }, state, 1_700);
  assert.deepEqual(fieldsOf(limited), {
    "Retry-After": "5",
    "RateLimit-Policy": '"auth";q=10;w=60',
    "RateLimit": '"auth";r=0;t=5',
  });
  assert.equal(send("right", FACTS.address, 6_000), "allow", "after the wait");
});

Deno.test("a refusal by rate names every rate in order, and the one that refuses longest", () => {
  const rate = ["100/m", "2/h per ip", "1000/d burst 3"].map(parseRate);
  const policy = new Policy({ ...OPEN_POLICY, rate }), state = new PolicyState();
  for (let i = 0; i < 2; i++) assert.equal(told(decide(policy, FACTS, state, 0)), "allow");
  assert.deepEqual(fieldsOf(decide(policy, FACTS, state, 500)), {
    "Retry-After": "1800",
    "RateLimit-Policy": '"1";q=100;w=60, "2";q=2;w=3600, "3";q=1000;w=86400',
    "RateLimit": '"2";r=0;t=1800',
  });
  assert.equal(told(decide(policy, FACTS, state, 1_800_000)), "allow");
});

Deno.test("a shadow link lets everything through, tells what it would have said, and counts as if it had", () => {
  const shadow = new Policy({ ...STRICT, shadow: true }), strict = new Policy(STRICT);
  const shadowState = new PolicyState(), strictState = new PolicyState();
  const random = new Random(5);
  const seen = new Set<string>();
  for (let i = 0; i < 20_000; i++) {
    const facts = randomFacts(random);
    const nowMs = i * 97;
    shadowState.streams = strictState.streams = random.below(8) === 0 ? 1 : 0;
    const said = decide(strict, facts, strictState, nowMs),
      shadowed = decide(shadow, facts, shadowState, nowMs);
    seen.add(told(said));
    if (said.kind === "deny") assert.deepEqual(shadowed, { kind: "allow", shadowed: said.refusal });
    else assert.deepEqual(shadowed, said);
  }
  assert.equal(seen.size, STEPS.length + 3, "every step, two kinds of 429, and allow");
});

Deno.test("foresee says what decide will say, as often as it is asked", () => {
  const policy = new Policy(STRICT), state = new PolicyState();
  const random = new Random(6);
  for (let i = 0; i < 5_000; i++) {
    const facts = randomFacts(random);
    for (let n = 0; n < 12; n++) foresee(policy, facts, state, i * 50);
    const foreseen = foresee(policy, facts, state, i * 50);
    assert.deepEqual(foreseen, decide(policy, facts, state, i * 50));
  }
});

Deno.test("a hub refuses nothing that the daemon would let through, and never before a credential is due", () => {
  const random = new Random(8);
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    const of = <T>(value: T, none: T) => random.below(2) === 0 ? value : none;
    const spec: PolicySpec = {
      ...STRICT,
      methods: of(STRICT.methods, null),
      paths: of(STRICT.paths, null),
      auth: of(true, false),
      allowIps: of(STRICT.allowIps, null),
      maxBody: of(STRICT.maxBody, null),
      shadow: random.below(4) === 0,
    };
    const policy = new Policy(spec), facts = randomFacts(random);
    const hub = shield(policy, facts), daemon = decide(policy, facts, new PolicyState(), 0);
    if (hub.kind === "allow") continue;
    refused++;
    assert.ok(!spec.shadow);
    assert.ok(!spec.auth || hub.rule === "allow_ips");
    assert.deepEqual(daemon, hub);
  }
  assert.ok(refused > 1_000, `${refused}`);
});

Deno.test("a hub refuses what the daemon would by address, method, upgrade, path and length", () => {
  const policy = new Policy({ ...STRICT, auth: false, basic: false, bearer: false });
  let facts = FACTS;
  for (const [mended, expect] of STEPS) {
    facts = { ...facts, ...mended };
    if (/auth|busy/.test(expect)) continue;
    if (mended.credential !== undefined) continue;
    assert.equal(told(shield(policy, facts)), expect);
  }
  assert.equal(told(shield(policy, facts)), "allow", "rates and streams are the daemon's");
});

Deno.test("a link's policy changes under it, and what it has counted goes on", () => {
  const state = new PolicyState();
  const before = new Policy({ ...OPEN_POLICY, rate: [parseRate("10/m")] });
  for (let i = 0; i < 10; i++) assert.equal(told(decide(before, FACTS, state, 0)), "allow");
  const after = new Policy({ ...OPEN_POLICY, rate: [parseRate("12/m")], methods: ["GET"] });
  for (let i = 0; i < 2; i++) assert.equal(told(decide(after, FACTS, state, 0)), "allow");
  assert.equal(told(decide(after, FACTS, state, 0)), "rate rate_limited 429");
});

function randomFacts(random: Random): Facts {
  return {
    method: random.of(["GET", "GET", "POST", "HEAD", "PUT"]),
    target: random.of(["/api", "/api/x?y", "/api", "/other", "/a/../api", "/%"]),
    address: random.of(["203.0.113.9", "203.0.113.9", "203.0.113.9", "198.51.100.1", "2001:db8::1", "x"]),
    declaredLength: random.of([null, 10, 3, 11]),
    websocket: random.below(8) === 0,
    hasCredential: random.below(8) > 0,
    credential: random.of(["unjudged", "right", "right", "right", "right", "right", "wrong"]),
  };
}
