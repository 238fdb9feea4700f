/** Settings of links.yaml as text: what a reload changes besides the links. */
import type { Config } from "../config/links.ts";
import type { HubAddress, Service } from "../core/entry.ts";
import { type SettingChange, settingChanges, type SettingTexts } from "../core/settings.ts";
import { printTarget } from "../core/target.ts";
import { printDuration } from "../core/units.ts";

const DEFAULT = "the default";

/** What differs, in the order of links.yaml. */
export function changedSettings(before: Config, after: Config): SettingChange[] {
  return settingChanges(settingTexts(before), settingTexts(after));
}

function settingTexts(config: Config): SettingTexts {
  const { hubs, listen, control, connections, drainTimeoutMs, keepAccessMs, remote, services } = config;
  return {
    hub: hubs.length === 0 ? "embedded" : hubs.map(printHub).join(", "),
    listen: listen ?? DEFAULT,
    control: control ?? DEFAULT,
    connections: String(connections),
    drain_timeout: printDuration(drainTimeoutMs),
    "keep.access_log": keepAccessMs === null ? "none" : printDuration(keepAccessMs),
    remote,
    ...Object.fromEntries(
      [...services].map(([name, service]) => [`services.${name}`, printService(service)]),
    ),
  };
}

/** Paths and all: another token is another way in. */
function printHub({ url, tokenFile, caFile, plain }: HubAddress): string {
  const more = [
    tokenFile === null ? "" : `token_file ${tokenFile}`,
    caFile === null ? "" : `ca_file ${caFile}`,
    plain ? "plain" : "",
  ].filter((part) => part !== "");
  return more.length === 0 ? url : `${url} (${more.join(", ")})`;
}

function printService({ target, access, allow, remote }: Service): string {
  const parts = [printTarget(target)];
  if (access === "private") parts.push(allow === null ? "private" : `private allow ${allow.join(",")}`);
  if (remote) parts.push("remote");
  return parts.join(" ");
}
