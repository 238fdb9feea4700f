/** What is known of a hub that a daemon dials. */

/** `refused`: dialling again can't help until something is changed; `replaced`: another process uses this state. */
export type HubState = "connecting" | "connected" | "refused" | "replaced";

/** A hub as `status` shows it. Times in ms since 1970. */
export interface HubStatus {
  /** What it is known by: its URL, or EMBEDDED. */
  readonly key: string;
  readonly url: string;
  /** `ignored`: a hub named it, and it is not dialled; `lastError` says why. */
  readonly state: HubState | "ignored";
  readonly since: number;
  readonly connections: number;
  readonly rttMs: number | null;
  readonly lastError: string | null;
}
