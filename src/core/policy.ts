/**
 * Who gets through: the one function that daemon, hub, `explain` and shadow mode ask (policy.md). The daemon is the
 * authority; a hub asks for its part first, so that a refused visitor costs the tunnel nothing.
 */
import { type Cidr, contains, parseAddress, parseCidr } from "./address.ts";
import { type Refusal, refusal } from "./errors.ts";
import { Buckets, type Wait } from "./limit.ts";
import { admittedMethods } from "./methods.ts";
import { compilePaths, matchPath, type Paths } from "./paths.ts";
import type { PolicyRule, PolicySpec } from "./policy_spec.ts";
import { rateFields } from "./rate_fields.ts";
import type { Rate } from "./units.ts";

export {
  checkPolicySpec,
  OPEN_POLICY,
  POLICY_KEYS,
  POLICY_LIMITS,
  policyJson,
  printPolicyKey,
} from "./policy_spec.ts";
export type { PolicyKey, PolicyRule, PolicySpec } from "./policy_spec.ts";

/** What is asked about a request, taken from the bytes that are forwarded. */
export interface Facts {
  /** As sent; methods are case-sensitive. */
  readonly method: string;
  /** The raw request target. */
  readonly target: string;
  /** The client address, in its canonical form. */
  readonly address: string;
  /** Content-Length; null: chunked, or no body. */
  readonly declaredLength: number | null;
  /** It is a WebSocket handshake. */
  readonly websocket: boolean;
  /** It carries a credential that the link's own `auth` is concerned with. */
  readonly hasCredential: boolean;
  /** What the shell found after `check_auth`; `unjudged` before. */
  readonly credential: "unjudged" | "right" | "wrong";
}

/** What `shield` asks: credentials are none of a hub's business. */
export type OpenFacts = Omit<Facts, "hasCredential" | "credential">;

export type Allow = {
  readonly kind: "allow"; /** What a shadow link would have said. */
  readonly shadowed: Refusal | null;
};
/** `rule`: the key of the policy that refuses. */
export type Deny = { readonly kind: "deny"; readonly refusal: Refusal; readonly rule: PolicyRule };
/** `check_auth`: judge the credential and ask again. */
export type Verdict = Allow | Deny | { readonly kind: "check_auth" };

/** Guessing a credential: so many wrong ones of one link and address (policy.md step 4). */
export const AUTH_FAILURES: readonly Rate[] = [{ count: 10, perMs: 60_000, burst: 10, perIp: true }];

/** What a link remembers between requests. It survives a `retune`: another policy goes on with it. */
export class PolicyState {
  readonly failures = new Buckets();
  /** Requests in flight: the shell adds one for each that it lets through and takes it off at its end. */
  streams = 0;

  /** `buckets`: of a daemon that ran before (`Buckets.restore`). */
  constructor(readonly buckets: Buckets = new Buckets()) {}
}

const ALLOW: Allow = { kind: "allow", shadowed: null };
const CHECK_AUTH: Verdict = { kind: "check_auth" };

/** A policy, compiled once. Throws as its parts do when the spec was not checked. */
export class Policy {
  readonly allowIps: readonly Cidr[] | null;
  readonly methods: ReadonlySet<string> | null;
  readonly paths: Paths | null;
  readonly websocket: boolean;
  /** Answers that are the same for every request, made once. */
  readonly unauthorized: Deny;
  readonly wrongMethod: Deny;

  constructor(readonly spec: PolicySpec) {
    this.allowIps = spec.allowIps?.map(parseCidr) ?? null;
    const methods = spec.methods === null ? [] : admittedMethods(spec.methods);
    this.methods = spec.methods === null ? null : new Set(methods);
    this.paths = spec.paths === null ? null : compilePaths(spec.paths);
    this.websocket = this.upgradesTo("websocket");
    this.unauthorized = deny("auth", refusal("auth_required", challenges(spec)));
    this.wrongMethod = deny("methods", refusal("method_denied", [["Allow", methods.join(", ")]]));
  }

  /** True where a request may upgrade to `protocol` (lower case). What may not is forwarded without its Upgrade. */
  upgradesTo(protocol: string): boolean {
    return this.spec.upgrade.includes(protocol);
  }
}

/** RFC 9110 §11.6.1: a challenge for each kind, in fields of their own, since some clients split a list wrongly. */
function challenges(spec: PolicySpec): [string, string][] {
  const fields: [string, string][] = [];
  if (spec.basic) fields.push(["WWW-Authenticate", `Basic realm="link", charset="UTF-8"`]);
  if (spec.bearer) fields.push(["WWW-Authenticate", `Bearer realm="link"`]);
  return fields;
}

function deny(rule: PolicyRule, why: Refusal): Deny {
  return { kind: "deny", refusal: why, rule };
}

const IP_DENIED = deny("allow_ips", refusal("ip_denied"));
const UPGRADE_DENIED = deny("upgrade", refusal("upgrade_denied"));
const PATH_DENIED = deny("paths", refusal("path_denied"));
const PATH_AMBIGUOUS = deny("paths", refusal("path_ambiguous"));
const BODY_TOO_LARGE = deny("max_body", refusal("body_too_large"));
const LINK_BUSY = deny("max_streams", refusal("link_busy"));

/**
 * Steps 3–9 of policy.md, in that order, for the daemon. `nowMs`: of a clock that only goes forward. A request that is
 * let through has been counted against every rate; one that is refused, against none. A shadow link lets through what
 * it would refuse and tells what that was.
 */
export function decide(policy: Policy, facts: Facts, state: PolicyState, nowMs: number): Verdict {
  return shadowed(policy, judge(policy, facts, state, nowMs, true));
}

/** What `decide` would say now; nothing is counted. */
export function foresee(policy: Policy, facts: Facts, state: PolicyState, nowMs: number): Verdict {
  return shadowed(policy, foreseeStrictly(policy, facts, state, nowMs));
}

/** The same for a link as it would be without `shadow`. For `explain`, which names the rule that refuses. */
export function foreseeStrictly(policy: Policy, facts: Facts, state: PolicyState, nowMs: number): Verdict {
  return judge(policy, facts, state, nowMs, false);
}

/**
 * The hub's part: step 3, and 5–7 when no credential comes before them; nothing of a shadow link, whose daemon must see
 * what it reports.
 */
export function shield(policy: Policy, facts: OpenFacts): Allow | Deny {
  const { shadow, auth } = policy.spec;
  if (shadow) return ALLOW;
  return judgeAddress(policy, facts) ?? (auth ? null : judgeRequest(policy, facts)) ?? ALLOW;
}

function shadowed(policy: Policy, verdict: Verdict): Verdict {
  if (verdict.kind !== "deny" || !policy.spec.shadow) return verdict;
  return { kind: "allow", shadowed: verdict.refusal };
}

function judge(policy: Policy, facts: Facts, state: PolicyState, nowMs: number, count: boolean): Verdict {
  return judgeAddress(policy, facts) ??
    (policy.spec.auth ? judgeCredential(policy, facts, state, nowMs, count) : null) ??
    judgeRequest(policy, facts) ??
    judgeLoad(policy, facts, state, nowMs, count) ??
    ALLOW;
}

function judgeAddress({ allowIps }: Policy, { address }: OpenFacts): Deny | null {
  if (allowIps === null) return null;
  const parsed = parseAddress(address);
  return parsed !== null && contains(allowIps, parsed) ? null : IP_DENIED;
}

/**
 * The limit is asked before the credential is looked at, also the second time, when it was judged already: of a
 * thousand guesses sent at once, all judged before one had failed, ten get an answer.
 */
function judgeCredential(
  policy: Policy,
  { address, hasCredential, credential }: Facts,
  { failures }: PolicyState,
  nowMs: number,
  count: boolean,
): Verdict | null {
  if (!hasCredential) return policy.unauthorized;
  const wait = count
    ? failures.take(AUTH_FAILURES, address, nowMs, false)
    : failures.foresee(AUTH_FAILURES, address, nowMs);
  if (wait !== null) return tooMany("auth", AUTH_FAILURES, wait);
  if (credential === "unjudged") return CHECK_AUTH;
  if (credential === "right") return null;
  if (count) failures.take(AUTH_FAILURES, address, nowMs, true);
  return policy.unauthorized;
}

/** Steps 5–7: what a request says about itself. */
function judgeRequest(policy: Policy, facts: OpenFacts): Deny | null {
  const { methods, paths, spec } = policy;
  if (methods !== null && !methods.has(facts.method)) return policy.wrongMethod;
  if (facts.websocket && !policy.websocket) return UPGRADE_DENIED;
  if (paths !== null) {
    const verdict = matchPath(paths, facts.target);
    if (verdict !== "allow") return verdict === "path_denied" ? PATH_DENIED : PATH_AMBIGUOUS;
  }
  if (spec.maxBody !== null && facts.declaredLength !== null && facts.declaredLength > spec.maxBody) {
    return BODY_TOO_LARGE;
  }
  return null;
}

/** Steps 8 and 9. Tokens are given last: a request that finds the link busy must not have used any. */
function judgeLoad(
  { spec }: Policy,
  { address }: Facts,
  { buckets, streams }: PolicyState,
  nowMs: number,
  count: boolean,
): Deny | null {
  const busy = spec.maxStreams !== null && streams >= spec.maxStreams;
  if (spec.rate.length > 0) {
    const wait = count
      ? buckets.take(spec.rate, address, nowMs, !busy)
      : buckets.foresee(spec.rate, address, nowMs);
    if (wait !== null) return tooMany("rate", spec.rate, wait);
  }
  return busy ? LINK_BUSY : null;
}

/** 429: rates go by their place in the list, from 1. */
function tooMany(rule: "auth" | "rate", rates: readonly Rate[], wait: Wait): Deny {
  const nameOf = (i: number) => rule === "auth" ? "auth" : String(i + 1);
  return deny(rule, refusal("rate_limited", rateFields(rates, wait, nameOf)));
}
