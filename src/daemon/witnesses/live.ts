/** Requests as events, for whoever watches them live; while nobody does they cost a comparison each. */
import type { Code } from "../../core/errors.ts";
import type { Events } from "../events.ts";
import type { Seen, Witness } from "./recorder.ts";

export class LiveRequests implements Witness {
  /** How many watch. */
  watchers = 0;

  constructor(private readonly events: Events) {}

  saw(seen: Seen): void {
    if (this.watchers > 0) this.events.emit("request", seenJson(seen));
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
export function seenJson({ request, at, times, outcome }: Seen): SeenJson {
  const { link, requestId, address, head, verdict } = request;
  const { status, code, bytesIn, bytesOut } = outcome;
  const query = head.target.indexOf("?");
  return {
    id: requestId,
    at: new Date(at).toISOString(),
    link: link.name,
    address,
    method: head.method,
    // A query may hold what only the target should know.
    path: query < 0 ? head.target : head.target.slice(0, query),
    status,
    code,
    verdict,
    bytesIn,
    bytesOut,
    ms: times.over,
  };
}
