/** What a request asks of a link, read off its head: the same for those that come and for `explain`. */
import { type Refusal, refusal } from "../core/errors.ts";
import { loops } from "../core/headers.ts";
import { fieldAll, type RequestHead } from "../core/http1/types.ts";
import type { Facts } from "../core/policy.ts";
import type { Auth } from "./auth.ts";
import type { ServedLink } from "./served.ts";

const EXPIRED = refusal("link_expired");
const UNAVAILABLE = refusal("link_unavailable");
const LOOP = refusal("loop_detected");

const NONE: readonly string[] = [];

/** Facts whose credential is judged on the way. */
export type Asked = Facts & { credential: Facts["credential"] };

/** What the policy is asked about. Null: two credentials; one would be judged, and another might be what the target goes by. */
export function factsOf(head: RequestHead, address: string, auth: Auth | null): Asked | null {
  const credentials = auth === null ? NONE : fieldAll(head, "authorization");
  if (credentials.length > 1) return null;
  const { framing } = head;
  return {
    method: head.method,
    target: head.target,
    address,
    declaredLength: framing.kind === "length" ? framing.length : null,
    websocket: head.upgrade === "websocket" && head.method === "GET",
    hasCredential: credentials.length === 1 && auth!.concerns(credentials[0]),
    credential: "unjudged",
  };
}

/** Why `link` serves nobody at `now` (ms since 1970), or not this request; null: its policy is asked. */
export function barred(link: ServedLink, head: RequestHead, now: number): Refusal | null {
  if (link.ended !== null) return link.ended;
  if (link.expiresAt !== null && now >= link.expiresAt) return EXPIRED;
  if (link.uses?.left === 0) return EXPIRED;
  if (link.problem !== null) return UNAVAILABLE;
  return loops(head, link.digest) ? LOOP : null;
}
