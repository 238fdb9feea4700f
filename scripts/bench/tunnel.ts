/** What every program that is compared comes to. */
import type { Running } from "./process.ts";

/** A tunnel that runs. Requests go to `port` with `host` in the Host field. */
export interface Tunnel {
  readonly port: number;
  readonly host: string;
  /** The public side first. Empty for the target itself. */
  readonly processes: readonly Running[];
}
