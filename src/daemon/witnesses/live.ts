/** Requests as events, for whoever watches them live; while nobody does they cost a comparison each. */
import type { Code } from "../../core/errors.ts";
import type { Access } from "../../store/access_line.ts";
import type { Events } from "../events.ts";
import type { Seen, Witness } from "./recorder.ts";

export class LiveRequests implements Witness {
  /** How many watch. */
  watchers = 0;

  constructor(private readonly events: Events) {}

  saw(seen: Seen): void {
    if (this.watchers > 0) this.tell(accessOf(seen));
  }

  /** Tells whoever watches of a request that is over. */
  tell(access: Required<Access>): void {
    if (this.watchers > 0) this.events.emit("request", accessJson(access));
  }
}

/** A request as logs, lists and events print it. */
export interface SeenJson {
  readonly id: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly link: string;
  readonly address: string;
  readonly method: string;
  readonly path: string;
  /** 0: no answer was sent. */
  readonly status: number;
  readonly code: string | null;
  readonly verdict: Code | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly ms: number;
}

/** What is printed of `seen`; only `requests` shows more. */
export function seenJson(seen: Seen): SeenJson {
  return accessJson(accessOf(seen));
}

/** What logs say of `seen`. */
export function accessOf({ request, at, times, outcome }: Seen): Required<Access> {
  const { link, requestId, address, head, verdict } = request;
  const { status, code, bytesIn, bytesOut } = outcome;
  return {
    id: requestId,
    at,
    link: link.name,
    address,
    method: head.method,
    target: head.target,
    status,
    code,
    verdict,
    bytesIn,
    bytesOut,
    ms: times.over,
  };
}

function accessJson(access: Required<Access>): SeenJson {
  const { id, at, link, address, method, target, status, code, verdict, bytesIn, bytesOut, ms } = access;
  const query = target.indexOf("?");
  return {
    id,
    at: new Date(at).toISOString(),
    link,
    address,
    method,
    // A query may hold what only the target should know.
    path: query < 0 ? target : target.slice(0, query),
    status,
    code,
    verdict,
    bytesIn,
    bytesOut,
    ms,
  };
}
