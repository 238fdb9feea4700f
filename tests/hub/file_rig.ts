/** A hub.yaml for the hubs of tests. */
import { type Clock, systemClock } from "../../src/clock.ts";
import type { HubConfig } from "../../src/config/hub.ts";
import { loadHubConfig } from "../../src/config/load.ts";
import { parseListen } from "../../src/config/places.ts";
import { HubFile } from "../../src/hub/file.ts";
import type { HubSettings } from "../../src/hub/settings.ts";
import { createLog } from "../../src/log.ts";

/** What a file means; where it names no address, any port. */
export function settingsOf(config: HubConfig): HubSettings {
  const { listen, domain, publicUrl, store, trustedProxies, limits, keepAuditMs } = config;
  return {
    listen: parseListen(listen ?? "127.0.0.1:0"),
    domain,
    publicUrl,
    ...(store === null ? {} : { storePath: store.path }),
    trustedProxies,
    limits,
    keepAuditMs,
  };
}

/** The hub.yaml at `path`, as a hub is given it; what it logs goes into `lines`. */
export async function hubFile(
  path: string,
  lines: string[] = [],
  clock: Clock = systemClock,
): Promise<HubFile> {
  const { config, problems } = await loadHubConfig(path);
  if (config === null) throw new Error(JSON.stringify(problems));
  const log = createLog({ level: "info", write: (line) => lines.push(line) });
  return new HubFile({ config, problems, settings: settingsOf, clock, log });
}
