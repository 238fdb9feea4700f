/** What one-offs and settings stand on where no file says otherwise. */
import type { Config } from "../config/links.ts";

/** What would stand in a file, links and listeners aside: what a one-off without a file stands on. */
export type Base =
  & Pick<Config, "hubs" | "services" | "defaults" | "connections" | "drainTimeoutMs">
  & {
    /** Relative paths of a one-off start there. */
    readonly dir: string;
  };

/** What a daemon without a file stands on unless it is told otherwise: the embedded hub and no services. */
export const NO_BASE: Omit<Base, "dir"> = {
  hubs: [],
  services: new Map(),
  defaults: {},
  connections: 2,
  drainTimeoutMs: 30_000,
};
