/** What a renewal asks for, and whether an entry admits it. */
import { ApiProblem } from "../api/problem.ts";
import type { Entry } from "../core/entry.ts";

export interface Renewal {
  /** null: never ends; absent: what the entry says. */
  readonly ttlMs?: number | null;
  /** A fresh public id. */
  readonly newId?: boolean;
  /** When a hub asked for it, by its clock; null or absent: now. */
  readonly askedAt?: number | null;
}

/** Throws ApiProblem where `entry` does not admit `wish`. */
export function checkRenewal({ until, subdomain }: Entry, { ttlMs, newId }: Renewal): void {
  if (until !== null && ttlMs === undefined) {
    throw invalid("ttl", "is needed: the link has an `until` of its own, which stays");
  }
  if (newId && subdomain !== null) {
    throw invalid("newId", `is not possible: the link asks for the subdomain ${subdomain}`);
  }
}

function invalid(member: string, detail: string): ApiProblem {
  return new ApiProblem(422, "invalid", `${member} ${detail}.`, [], [{ pointer: `/${member}`, detail }]);
}
