/** What each step of a policy found, as a sentence with the numbers. */
import { contains, parseAddress, parseCidr, printCidr } from "./address.ts";
import { whyAmbiguous } from "./ambiguous.ts";
import type { Refusal } from "./errors.ts";
import { compilePaths, matchPath, printPattern } from "./paths.ts";
import { AUTH_FAILURES, type Facts, type Policy, type PolicyRule, type PolicyState } from "./policy.ts";
import { printDuration, printRate, printSize, quote } from "./units.ts";

/** What a step is told from. `nowMs`: of the clock that only goes forward. */
export interface Asked {
  readonly policy: Policy;
  readonly facts: Facts;
  readonly state: PolicyState;
  readonly nowMs: number;
}

/** Says what a step found, `why` where it is the one that refuses. A link without such a rule has a reason to skip it. */
type Teller = (asked: Asked, why: Refusal | null) => string | { readonly skip: string };

export const TELLERS: Readonly<Record<PolicyRule, Teller>> = {
  allow_ips({ policy, facts: { address } }, why) {
    if (policy.allowIps === null) return { skip: "every address is let in" };
    if (why !== null) return `${address} is in none of ${some(policy.spec.allowIps!)}`;
    const parsed = parseAddress(address)!;
    return `${address} is in ${printCidr(policy.allowIps.find((cidr) => contains([cidr], parsed))!)}`;
  },
  auth({ policy: { spec }, facts, state, nowMs }, why) {
    if (!spec.auth) return { skip: "no credential is asked for" };
    const [{ left, waitMs }] = state.failures.levels(AUTH_FAILURES, facts.address, nowMs);
    const [{ burst }] = AUTH_FAILURES;
    if (why?.code === "rate_limited") {
      return `too many wrong ones came from ${visitors(facts.address)}: the next is read in ${wait(waitMs)}`;
    }
    const kinds = [...(spec.basic ? ["basic"] : []), ...(spec.bearer ? ["bearer"] : [])].join(" or ");
    const found = why === null
      ? "the credential is right"
      : facts.hasCredential
      ? "the credential is wrong"
      : `a credential (${kinds}) is asked for, and none was sent`;
    return `${found}; ${left} of ${burst} wrong ones left for ${visitors(facts.address)}`;
  },
  methods({ policy: { methods, spec }, facts: { method } }, why) {
    if (methods === null) return { skip: "every method is let through" };
    if (why !== null) return `${quote(method)} is none of ${some([...methods])}`;
    return spec.methods!.includes(method) ? `${method} is let through` : `${method} comes with GET`;
  },
  upgrade({ facts }, why) {
    if (!facts.websocket) return { skip: "no WebSocket is asked for" };
    return why === null ? "WebSockets are let through" : "WebSockets are not let through";
  },
  paths({ policy: { spec }, facts: { target } }, why) {
    if (spec.paths === null) return { skip: "every path is let through, as it came" };
    const path = quote(target.split("?", 1)[0]);
    if (why?.code === "path_ambiguous") {
      return `${path} can be read in more than one way: ${whyAmbiguous(target) ?? "no server is sure of it"}`;
    }
    if (why !== null) return `${path} fits none of ${some(spec.paths.map(printPattern))}`;
    const fitting = spec.paths.find((pattern) => matchPath(compilePaths([pattern]), target) === "allow")!;
    return `${path} fits ${printPattern(fitting)}`;
  },
  max_body({ policy: { spec }, facts: { declaredLength } }, why) {
    if (spec.maxBody === null) return { skip: "a body of any length is let through" };
    const most = printSize(spec.maxBody);
    if (declaredLength === null) return `no length is declared; a body may have ${most}`;
    return `${printSize(declaredLength)} are declared, ${why === null ? "of" : "and no more than"} ${most}`;
  },
  rate({ policy: { spec }, facts: { address }, state, nowMs }) {
    if (spec.rate.length === 0) return { skip: "no limit" };
    return state.buckets.levels(spec.rate, address, nowMs).map(({ rate, left, waitMs }) => {
      const whose = rate.perIp ? ` for ${visitors(address)}` : "";
      const much = left > 0
        ? `${left} of ${rate.burst} left`
        : `none left, the next comes in ${wait(waitMs)}`;
      return `${printRate(rate)}: ${much}${whose}`;
    }).join("; ");
  },
  max_streams({ policy: { spec }, state: { streams } }) {
    if (spec.maxStreams === null) return { skip: `no limit of its own; ${streams} in flight` };
    return `${streams} of ${spec.maxStreams} in flight`;
  },
};

/** How many items of a list a sentence has room for. */
const SHOWN = 8;

function some(items: readonly string[]): string {
  const more = items.length - SHOWN;
  return items.slice(0, SHOWN).map((item) => quote(item).slice(1, -1)).join(", ") +
    (more > 0 ? ` and ${more} more` : "");
}

/** Whom limits by address count together: an IPv6 visitor has a whole /64. */
function visitors(address: string): string {
  const parsed = parseAddress(address);
  return parsed?.groups.length === 8 ? printCidr(parseCidr(`${address}/64`)) : address;
}

/** Whole seconds, rounded up: who waits so long is admitted. */
function wait(ms: number): string {
  return printDuration(Math.ceil(ms / 1000) * 1000);
}
