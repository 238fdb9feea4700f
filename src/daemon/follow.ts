/** How others watch requests go by (captured requests, access log, live lists) without being in their way. */
import type { Code } from "../core/errors.ts";
import type { RequestHead, ResponseHead } from "../core/http1/types.ts";
import type { ServedLink } from "./served.ts";

/** What is known of a request when it was judged. */
export interface Followed {
  readonly link: ServedLink;
  readonly hub: string;
  readonly requestId: string;
  /** The visitor's, in canonical form, as the hub says. */
  readonly address: string;
  readonly secure: boolean;
  readonly head: RequestHead;
  /** When the head came, by the clock's `mono`. */
  readonly since: number;
  /** What the policy said: null admitted; of a shadow link what it would have said. */
  readonly verdict: Code | null;
  /** The request that this one sends again; absent: a visitor sent it. */
  readonly replayOf?: string;
}

/** How a request ended. */
export interface Outcome {
  /** Of the answer; 0: none was sent. */
  readonly status: number;
  /** The answer that connectd itself gave, or why it cut the stream; null: the target's answer, whole. */
  readonly code: string | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Sees one request. The bytes are valid during the call only. */
export interface Follower {
  /** A connection to the target was made for it; not called where one was kept. */
  connected(): void;
  requestBody(bytes: Uint8Array): void;
  /** The request was whole; not called where its head said that nothing follows. `trailers`: raw field lines. */
  requestEnd(trailers: string): void;
  response(head: ResponseHead): void;
  responseBody(bytes: Uint8Array): void;
  done(outcome: Outcome): void;
}

/** Asked once for every request that names a link; null: it does not want to follow this one. */
export interface Observer {
  follow(request: Followed): Follower | null;
}
