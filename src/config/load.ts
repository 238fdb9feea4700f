/** Configuration files from disk. */
import type { HubConfig } from "./hub.ts";
import type { Config } from "./links.ts";
import type { Problem } from "./problem.ts";

/** Reads and checks the links.yaml at `path`. Throws Failure when there is no such readable file. */
export function loadConfig(
  _path: string,
  _now: number,
): Promise<{ config: Config | null; problems: Problem[] }> {
  throw new Error("not yet");
}

/** Reads and checks the hub.yaml at `path`. Throws Failure when there is no such readable file. */
export function loadHubConfig(_path: string): Promise<{ config: HubConfig | null; problems: Problem[] }> {
  throw new Error("not yet");
}
