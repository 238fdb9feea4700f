/** Why a link can't be served, whatever its target does. */
import type { Entry } from "../core/entry.ts";
import type { Failure } from "../core/errors.ts";
import { checkPolicySpec, type PolicySpec } from "../core/policy.ts";
import { flagFor, flagToRead } from "../net/grants.ts";

/** A control message has 1 MiB, and JSON may need two octets for a character. */
const POLICY_MAX = 400 * 1024;

/** Why the link of `entry` is in `error` from the beginning, and what to do; null: nothing is in its way. */
export function unservable(entry: Entry): string | null {
  return untellable(entry.policy) ?? ungranted(entry);
}

/** Why no hub can be told of a policy; null: it can. What a hub would not take would cost every link its session. */
function untellable(policy: PolicySpec): string | null {
  try {
    checkPolicySpec(policy);
    return JSON.stringify(policy).length <= POLICY_MAX ? null : "its policy is too large to be told to a hub";
  } catch (error) {
    return (error as Failure).message;
  }
}

/** What the process was not permitted when it began; only a start with more can mend it. */
function ungranted({ target, tls, auth }: Entry): string | null {
  const files = [tls?.caFile ?? null, auth.basicFile, auth.bearerFile].filter((path) => path !== null);
  const flag = flagFor(target) ?? files.map(flagToRead).find((flag) => flag !== null) ?? null;
  if (flag === null) return null;
  return `the daemon was started without ${flag}: start it again with what \`connectd permissions\` prints`;
}
