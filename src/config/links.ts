/** links.yaml: text in, configuration and problems out. */
import type { Entry, HubAddress, Service } from "../core/entry.ts";
import type { Problem } from "./problem.ts";

export type Remote = "revoke" | "manage" | "none";

/** A links.yaml that was accepted. */
export interface Config {
  readonly file: string;
  /** Empty: a hub inside this process. */
  readonly hubs: readonly HubAddress[];
  /** `host:port`; null: the default. */
  readonly listen: string | null;
  readonly tokenFile: string | null;
  readonly hubCaFile: string | null;
  readonly plain: boolean;
  readonly control: string | null;
  readonly connections: number;
  readonly drainTimeoutMs: number;
  readonly trace: boolean;
  readonly remote: Remote;
  readonly services: ReadonlyMap<string, Service>;
  readonly links: ReadonlyMap<string, Entry>;
  /** SHA-256 of the text, hex. */
  readonly hash: string;
  readonly text: string;
}

/** Files beside the configuration that matter to it: those of `auth`, absolute, each once. */
export function authFiles(_config: Config): string[] {
  throw new Error("not yet");
}

/** Reads the text of a links.yaml. Every problem is reported; with an error among them `config` is null. */
export function readConfig(
  _text: string,
  _options: { file: string; now: number; home?: string },
): { config: Config | null; problems: Problem[] } {
  throw new Error("not yet");
}
