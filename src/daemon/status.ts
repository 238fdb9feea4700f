/** What the control API prints of links and hubs. */
import type { LinkState } from "../core/link.ts";
import type { Counters } from "./served.ts";

/** A link in JSON (product §5). Times are RFC 3339 UTC. */
export interface LinkJson {
  readonly name: string;
  /** Public id and URL on the first hub that gave one. */
  readonly id: string | null;
  readonly url: string | null;
  readonly urls: readonly {
    readonly hub: string;
    readonly id: string | null;
    readonly url: string | null;
    readonly state: LinkState;
    readonly lastError: string | null;
  }[];
  readonly target: string;
  readonly service: string | null;
  readonly state: LinkState;
  readonly source: "file" | "oneoff" | "hub";
  readonly activatedAt: string | null;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  /** In the forms that an entry is written in. */
  readonly policy: Readonly<Record<string, unknown>>;
  readonly counters: Counters;
  readonly lastError: string | null;
}
