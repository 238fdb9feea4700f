/**
 * Why a request is let through or refused, step by step (policy.md "Order"). What is decided is `foreseeStrictly`'s word, not
 * this file's: it says of each step what that word rests on.
 */
import type { Refusal } from "./errors.ts";
import { type Asked, TELLERS } from "./explain_steps.ts";
import type { Level } from "./limit.ts";
import {
  AUTH_FAILURES,
  type Facts,
  foreseeStrictly,
  type Policy,
  POLICY_KEYS,
  type PolicyRule,
  type PolicyState,
} from "./policy.ts";
import { printRate } from "./units.ts";

const RULES = POLICY_KEYS.filter((key) => key !== "shadow");

/** The steps in their order: the request itself, the link's life, then the keys of its policy. */
export const EXPLAINED = ["request", "link", ...RULES] as const;

/** One step. `skip`: it was not asked, or the link has no such rule. */
export interface ExplainedStep {
  readonly step: typeof EXPLAINED[number];
  readonly result: "pass" | "deny" | "skip";
  readonly detail: string;
}

/** What is known of a link beside its policy (step 2). */
export interface Standing {
  /** What everybody is told; null: it serves. */
  readonly refusal: Refusal | null;
  /** The key of its entry that says so; null: none does. */
  readonly rule: string | null;
  readonly detail: string;
}

export interface Explanation {
  /** `check_auth`: the credential has to be judged first. */
  readonly verdict: "allow" | "deny" | "check_auth";
  /** Why it is refused; where it is let through, why it would be if the link were not in shadow. */
  readonly refusal: Refusal | null;
  /** The key that refuses, or would. */
  readonly rule: string | null;
  readonly steps: readonly ExplainedStep[];
}

/** What a limit has left: of so many, and ms until there is one again. */
export interface Counter {
  readonly key: PolicyRule;
  /** The limit as it is written. */
  readonly text: string;
  readonly left: number;
  readonly of: number;
  /** 0: one is left; null: that depends on others. */
  readonly waitMs: number | null;
}

/** Explains a request that is well-formed. `nowMs`: of the clock that `decide` is asked with. Nothing is counted. */
export function explain(
  link: Standing,
  policy: Policy,
  facts: Facts,
  state: PolicyState,
  nowMs: number,
): Explanation {
  const before: ExplainedStep[] = [
    { step: "request", result: "pass", detail: "it is well-formed" },
    { step: "link", result: link.refusal === null ? "pass" : "deny", detail: link.detail },
  ];
  if (link.refusal !== null) {
    return {
      verdict: "deny",
      refusal: link.refusal,
      rule: link.rule,
      steps: [...before, ...notAsked("link")],
    };
  }
  const verdict = foreseeStrictly(policy, facts, state, nowMs);
  const asked = { policy, facts, state, nowMs };
  if (verdict.kind === "check_auth") {
    const auth: ExplainedStep = { step: "auth", result: "skip", detail: "the credential is not judged" };
    const steps = [...before, ...told("auth", asked), auth, ...notAsked("auth")];
    return { verdict: "check_auth", refusal: null, rule: null, steps };
  }
  if (verdict.kind === "allow") {
    return { verdict: "allow", refusal: null, rule: null, steps: [...before, ...told(null, asked)] };
  }
  const { rule, refusal } = verdict;
  const last = tell(rule, asked, refusal);
  return {
    verdict: policy.spec.shadow ? "allow" : "deny",
    refusal,
    rule,
    steps: [...before, ...told(rule, asked), last, ...notAsked(rule)],
  };
}

/** Explains a request that is refused before it is looked at whose it is (step 1). */
export function explainMalformed(refusal: Refusal, detail: string): Explanation {
  const steps: ExplainedStep[] = [{ step: "request", result: "deny", detail }, ...notAsked("request")];
  return { verdict: "deny", refusal, rule: null, steps };
}

/** What the limits of a link have left for `address`. */
export function countersFor(
  { spec }: Policy,
  address: string,
  state: PolicyState,
  nowMs: number,
): Counter[] {
  const of = (key: PolicyRule) => ({ rate, left, waitMs }: Level): Counter => ({
    key,
    text: printRate(rate),
    left,
    of: rate.burst,
    waitMs: Math.ceil(waitMs),
  });
  const { failures, buckets, streams } = state;
  const counters = [
    ...(spec.auth ? failures.levels(AUTH_FAILURES, address, nowMs).map(of("auth")) : []),
    // A link without rates remembers those that it had, until it has others.
    ...(spec.rate.length > 0 ? buckets.levels(spec.rate, address, nowMs).map(of("rate")) : []),
  ];
  const most = spec.maxStreams;
  if (most === null) return counters;
  const left = Math.max(0, most - streams);
  return [...counters, {
    key: "max_streams",
    text: String(most),
    left,
    of: most,
    waitMs: left > 0 ? 0 : null,
  }];
}

/** The steps behind `refuser`, which nobody asks. */
function notAsked(refuser: ExplainedStep["step"]): ExplainedStep[] {
  return EXPLAINED.slice(EXPLAINED.indexOf(refuser) + 1)
    .map((step) => ({ step, result: "skip", detail: "not asked" }));
}

/** The policy's steps before `refuser`, all of them where it is null: none of them refuses. */
function told(refuser: PolicyRule | null, asked: Asked): ExplainedStep[] {
  const before = refuser === null ? RULES : RULES.slice(0, RULES.indexOf(refuser));
  return before.map((step) => tell(step, asked, null));
}

function tell(step: PolicyRule, asked: Asked, why: Refusal | null): ExplainedStep {
  const said = TELLERS[step](asked, why);
  if (typeof said !== "string") return { step, result: "skip", detail: said.skip };
  return { step, result: why === null ? "pass" : "deny", detail: said };
}
