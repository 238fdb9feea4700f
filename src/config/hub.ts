/** hub.yaml: text in, configuration and problems out. */
import type { ServerLimits } from "../core/limits.ts";
import type { Problem } from "./problem.ts";

/** A hub.yaml that was accepted. */
export interface HubConfig {
  readonly file: string;
  /** `host:port`; null: the default. */
  readonly listen: string | null;
  readonly domain: string | null;
  /** An origin. */
  readonly publicUrl: string | null;
  /** Absolute path of the database; null: `hub.db` in the state directory. */
  readonly store: { readonly kind: "sqlite"; readonly path: string } | null;
  readonly trustedProxies: readonly string[];
  readonly limits: ServerLimits;
  readonly hash: string;
  readonly text: string;
}

/** Reads the text of a hub.yaml. Every problem is reported; with an error among them `config` is null. */
export function readHubConfig(
  _text: string,
  _options: { file: string; home?: string },
): { config: HubConfig | null; problems: Problem[] } {
  throw new Error("not yet");
}
