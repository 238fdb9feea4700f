/** Which link a request is for, and what its life says about it: step 2 of policy.md, for `explain`. */
import { time } from "../api/call.ts";
import { ApiProblem } from "../api/problem.ts";
import { type Code, type Refusal, refusal } from "../core/errors.ts";
import type { Standing } from "../core/explain.ts";
import { expiresAt, type LinkRecord, usesLeft } from "../core/link.ts";
import { printDuration, quote } from "../core/units.ts";
import type { ManagedLink } from "./managed.ts";
import type { LinkJson } from "./status.ts";

/** A link, and the answer that the address has which was asked about, where it is the link's no more. */
export interface Addressed {
  readonly link: ManagedLink;
  readonly past: Code | null;
}

/** The link that is named, else the one that has or had the host at any hub. Throws ApiProblem. */
export function addressed(
  { link: name, host }: { readonly link: string | null; readonly host: string | null },
  links: ReadonlyMap<string, ManagedLink>,
): Addressed {
  const byHost = host === null ? null : atHost(host, links);
  if (name === null) {
    if (byHost !== null) return byHost;
    throw host === null
      ? invalid("/link", "is needed beside a path")
      : invalid("/url", `is no link of this daemon: ${quote(host)} is none of its hosts`);
  }
  const link = links.get(name);
  if (link === undefined) throw invalid("/link", `is no link of this daemon: ${quote(name)}`);
  if (byHost !== null && byHost.link !== link) {
    throw invalid("/url", `is an address of the link ${byHost.link.name}, and ${name} is named`);
  }
  return byHost ?? { link, past: null };
}

/** Hosts in full go first: two hubs may have the same subdomain for two links. */
function atHost(host: string, links: ReadonlyMap<string, ManagedLink>): Addressed | null {
  const wanted = hostname(host);
  const id = wanted.split(".", 1)[0];
  for (const link of links.values()) {
    for (const grant of link.grants.values()) {
      if ("url" in grant && hostname(new URL(grant.url).host) === wanted) return { link, past: null };
    }
  }
  for (const link of links.values()) {
    if (Object.values(link.record.ids).includes(id)) return { link, past: null };
  }
  for (const link of links.values()) {
    const past = link.record.past.find((past) => past.id === id);
    if (past !== undefined) return { link, past: past.code };
  }
  return null;
}

/** Without a port and a final dot, lower-cased. */
function hostname(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
}

function invalid(pointer: string, detail: string): ApiProblem {
  const sentence = `${pointer.slice(1)} ${detail}.`;
  return new ApiProblem(422, "invalid", sentence, [], [{ pointer, detail }]);
}

/** The keys of an entry that end a link. */
export type StandsBy = "until" | "ttl" | "max_uses";

/** How `link` stands at `now`, ms since 1970. `bar`: what it or the request itself is refused with before any policy. */
export function standingOf(
  link: ManagedLink,
  { state, url, lastError }: LinkJson,
  past: Code | null,
  bar: Refusal | null,
  now: number,
): Standing {
  const { record, served, name } = link;
  const refused = (why: Refusal, detail: string, rule: string | null = null) => ({
    refusal: why,
    rule,
    detail,
  });
  if (past !== null) {
    return refused(refusal(past), `it has this address no more${url === null ? "" : `, but ${url}`}`);
  }
  switch (bar?.code) {
    case undefined:
      break;
    case "link_revoked":
      return refused(
        bar!,
        `it was revoked at ${time(record.revokedAt)}: connectd renew ${name} brings it back`,
      );
    case "link_expired":
      return refused(bar!, howExpired(record), endsBy(record));
    case "link_unavailable":
      return refused(bar!, `it is in error: ${served.problem}`, served.failing === null ? "auth" : null);
    case "loop_detected":
      return refused(bar!, "the request has been through this link already: its CDN-Loop says so");
    default:
      return refused(bar!, "it is gone");
  }
  if (state !== "active") {
    const why = lastError ?? "no hub has answered for it yet";
    return refused(refusal("link_unavailable"), `it is ${state}: ${why}`);
  }
  return { refusal: null, rule: null, detail: `it is active${lifeLeft(record, now)}` };
}

/** What the key that ended a link, or will, says. */
export function termText(key: StandsBy, record: LinkRecord): string | null {
  const { term, renewed } = record;
  if (key === "until") return time(term.until);
  return key === "ttl" ? printDuration((renewed ?? term).ttlMs) : String(term.maxUses);
}

function howExpired(record: LinkRecord): string {
  if (usesLeft(record) === 0) return `it was to be used ${record.term.maxUses} times, and it was`;
  return `it expired at ${time(record.expiredAt ?? expiresAt(record))}`;
}

function endsBy(record: LinkRecord): StandsBy {
  if (usesLeft(record) === 0) return "max_uses";
  return record.renewed === null && record.term.until !== null ? "until" : "ttl";
}

function lifeLeft(record: LinkRecord, now: number): string {
  const end = expiresAt(record), uses = usesLeft(record);
  const until = end === null
    ? ", and never ends"
    : ` until ${time(end)}, for ${printDuration(Math.ceil((end - now) / 1000) * 1000)} more`;
  return uses === null ? until : `${until}; ${uses} of ${record.term.maxUses} uses left`;
}
