/** What must hold of any policy and any requests under it, one after another. */
import assert from "node:assert/strict";
import {
  checkPolicySpec,
  decide,
  type Facts,
  foresee,
  Policy,
  type PolicySpec,
  PolicyState,
  shield,
  type Verdict,
} from "../../src/core/policy.ts";
import { parseRate, type Rate } from "../../src/core/units.ts";
import type { Random } from "./random.ts";
import { ReferenceLink, type Told } from "./reference_policy.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PROPFIND", "get", "X-1"];
const PATHS = ["/", "/api", "/api/", "= /api", "/a/*/b", "/caf%c3%a9"];
const TARGETS = [
  "/",
  "/api",
  "/api/",
  "/api/x?y",
  "/apix",
  "/a/x/b",
  "/a/../api",
  "/%",
  "//",
  "/api;x",
  "/caf%C3%A9",
  "*",
];
const ADDRESSES = [
  "192.0.2.1",
  "192.0.2.2",
  "203.0.113.9",
  "2001:db8::1",
  "2001:db8::2",
  "2001:db8:0:1::1",
  "::1",
  "unix",
];
const BLOCKS = [
  "192.0.2.0/24",
  "192.0.2.1",
  "2001:db8::/32",
  "2001:db8::/64",
  "0.0.0.0/0",
  "::/0",
  "::ffff:192.0.2.0/120",
];
const RATES = [
  "1/s",
  "3/s burst 1",
  "2/m",
  "60/m burst 3",
  "3/m per ip",
  "7/h burst 2 per ip",
  "1000/d burst 2",
  "5/d per ip",
]
  .map(parseRate);
const STEPS_MS = [0, 0, 0, 1, 333, 334, 1000, 5999, 20_000, 60_000, 3_600_000, 86_400_000];

/** A dozen requests to one link are judged as policy.md says. True: one of them was let through. */
export function policyCase(random: Random): boolean {
  const spec = policySpec(random);
  assert.deepEqual(checkPolicySpec(JSON.parse(JSON.stringify(spec))), spec);
  const policy = new Policy(spec), state = new PolicyState(), reference = new ReferenceLink(spec);
  let now = random.below(1e9), allowed = false, wait = 0, waited: Facts | null = null;
  const story: unknown[] = [spec];
  try {
    for (let n = 0; n < 12; n++) {
      now += wait > 0 ? wait : random.of(STEPS_MS);
      state.streams = random.below(6) === 0 ? random.below(3) : 0;
      const facts: Facts = waited ?? aRequest(random);
      story.push({ now, streams: state.streams, facts });
      const foreseen = foresee(policy, facts, state, now);
      const verdict = decide(policy, facts, state, now);
      assert.deepEqual(foreseen, verdict);
      const expected = reference.ask(facts, state.streams, now);
      assert.equal(
        told(verdict),
        spec.shadow && expected !== "check_auth" && expected !== "allow" ? `shadowed ${expected}` : expected,
      );
      const hub = shield(policy, facts);
      assert.equal(told(hub), ReferenceLink.shield(spec, facts));
      // Who waits as long as it was told is let in.
      if (waited !== null) assert.ok(!told(verdict).startsWith("rate_limited"));
      const limited = /^rate_limited (\d+)$/.exec(told(verdict));
      [wait, waited] = limited !== null && random.below(2) === 0
        ? [Number(limited[1]) * 1000, facts]
        : [0, null];
      if (verdict.kind === "allow") allowed = true;
    }
  } catch (error) {
    throw new Error(JSON.stringify(story), { cause: error });
  }
  return allowed;
}

function told(verdict: Verdict): Told {
  if (verdict.kind === "allow") {
    return verdict.shadowed === null ? "allow" : `shadowed ${coded(verdict.shadowed)}`;
  }
  return verdict.kind === "deny" ? coded(verdict.refusal) : verdict.kind;
}

function coded({ code, fields }: { code: string; fields: readonly (readonly [string, string])[] }): Told {
  const after = fields.find(([name]) => name === "Retry-After")?.[1];
  return after === undefined ? code : `${code} ${after}`;
}

/** A few of `items`, in any order, none twice. */
function some<T>(random: Random, items: readonly T[], most: number): T[] {
  const left = [...items];
  return Array.from({ length: 1 + random.below(most) }, () => left.splice(random.below(left.length), 1)[0]);
}

/** A policy that a link could have. */
export function policySpec(random: Random): PolicySpec {
  const often = () => random.below(3) === 0;
  const basic = random.below(6) === 0, bearer = random.below(6) === 0;
  const rate: Rate[] = often() ? some(random, RATES, 3) : [];
  return {
    methods: often() ? some(random, METHODS.filter((method) => method !== "get"), 3) : null,
    paths: often() ? some(random, PATHS, 3) : null,
    rate,
    auth: basic || bearer,
    basic,
    bearer,
    allowIps: random.below(4) === 0 ? some(random, BLOCKS, 2) : null,
    maxBody: often() ? random.of([0, 10, 1e6]) : null,
    maxStreams: often() ? 1 + random.below(2) : null,
    upgrade: random.of([["websocket"], ["websocket"], ["websocket"], [], ["foo/2", "websocket"]]),
    shadow: random.below(8) === 0,
  };
}

/** A request that a visitor could send. */
export function aRequest(random: Random): Facts {
  return {
    method: random.of(["GET", "GET", "GET", ...METHODS]),
    target: random.of(["/api", "/api", ...TARGETS]),
    address: random.of(["192.0.2.1", "192.0.2.1", ...ADDRESSES]),
    declaredLength: random.of([null, null, 0, 10, 11, 1e9]),
    websocket: random.below(8) === 0,
    hasCredential: random.below(6) > 0,
    credential: random.of(["unjudged", "right", "right", "wrong"]),
  };
}
