/** A share: a code that gives members of a workspace private access to some services for a while. */
import type { ServiceRef } from "./services.ts";
import { serviceKey } from "./services.ts";

/** Somebody who came with the code. */
export interface Member {
  /** The id of their token. */
  readonly token: string;
  /** Its name. */
  readonly name: string;
  readonly joinedAt: number;
  /** Null: they wait for approval. */
  readonly approvedAt: number | null;
}

/** What is kept of a share. Times in ms since 1970. Replaced whole, never changed. */
export interface ShareRecord {
  readonly id: string;
  readonly workspace: string;
  /** SHA-256 of the code, hex. 75 random bits need no slow hash. */
  readonly hash: string;
  readonly services: readonly ServiceRef[];
  readonly requireApproval: boolean;
  /** The token that made it; null: whoever sits at the hub. */
  readonly owner: string | null;
  /** Its name, for people. */
  readonly by: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Taken back before it expired. */
  readonly endedAt: number | null;
  /** It was seen to be over: no clock that is set back brings it back. Absent: it was not. */
  readonly expired?: boolean;
  readonly members: readonly Member[];
}

/** Whether it gives anything at `now`. */
export function isLive({ endedAt, expired = false, expiresAt }: ShareRecord, now: number): boolean {
  return endedAt === null && !expired && now < expiresAt;
}

/** Whether the token `id` reaches `service` by `share` at `now`. */
export function admits(share: ShareRecord, id: string, service: ServiceRef, now: number): boolean {
  return isLive(share, now) && (memberOf(share, id)?.approvedAt ?? null) !== null &&
    share.services.some((one) => serviceKey(one) === serviceKey(service));
}

/** Who came with token `id`. */
export function memberOf({ members }: ShareRecord, id: string): Member | undefined {
  return members.find(({ token }) => token === id);
}

/** A share as the API prints it: without its code, which was shown once. */
export function shareJson(share: ShareRecord, now: number) {
  const { id, workspace, services, requireApproval, by, createdAt, expiresAt, endedAt, members } = share;
  return {
    id,
    workspace,
    services,
    requireApproval,
    by,
    state: endedAt !== null ? "ended" as const : isLive(share, now) ? "active" as const : "expired" as const,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
    endedAt: endedAt === null ? null : new Date(endedAt).toISOString(),
    members: members.map(({ token, name, joinedAt, approvedAt }) => ({
      token,
      name,
      state: approvedAt === null ? "waiting" as const : "approved" as const,
      joinedAt: new Date(joinedAt).toISOString(),
    })),
  };
}
