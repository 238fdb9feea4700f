/** What a hub is started with: hub.yaml, and the flags that go before it. */
import type { HubConfig } from "../config/hub.ts";
import { type Loaded, loadHubConfig } from "../config/load.ts";
import { isHostName, parseListen, parseOrigin } from "../config/places.ts";
import { printProblem, type Problem } from "../config/problem.ts";
import { Failure } from "../core/errors.ts";
import { DEFAULT_LIMITS } from "../core/limits.ts";
import { BadFile } from "../daemon/reload.ts";
import { hubStorePath } from "../hub/place.ts";
import type { HubSettings } from "../hub/settings.ts";
import { asked, isFile } from "./find.ts";
import { complain } from "./print.ts";
import { listenOf, stateOf } from "./reach.ts";
import { type Flag, type Given, parsed, text, UsageError } from "./verb.ts";

export const HUB_CONFIG_FLAG: Flag = {
  name: "config",
  short: "c",
  value: "FILE",
  help: "the file (default: hub.yaml, where there is one)",
};

/** A hub.yaml that was accepted, and the warnings about it. */
export interface HubFileGiven {
  readonly config: HubConfig;
  readonly problems: readonly Problem[];
}

/** hub.yaml: the one of `--config`, else the one that lies here, else null. Throws UsageError, BadFile. */
export async function hubFileOf(given: Given): Promise<HubFileGiven | null> {
  const file = text(given, "config") ?? (isFile("hub.yaml") ? "hub.yaml" : null);
  if (file === null) return null;
  const { config, problems } = await asked(loadHubConfig(file));
  if (config === null) throw new BadFile(`${file} can not be taken as it is`, problems);
  for (const problem of problems) complain(printProblem(problem));
  return { config, problems };
}

/** The same, its configuration alone. */
export async function hubConfigOf(given: Given): Promise<HubConfig | null> {
  return (await hubFileOf(given))?.config ?? null;
}

/** The hub.yaml to look at: `named`, else that of `--config`, else the one that lies here. Throws UsageError where there is none. */
export function readHubFile(given: Given, named: string | undefined): Promise<[string, Loaded<HubConfig>]> {
  const file = named ?? text(given, "config") ?? "hub.yaml";
  if (named === undefined && text(given, "config") === null && !isFile(file)) {
    throw new UsageError("there is no hub.yaml here", { hint: "name it: connectd hub check FILE" });
  }
  return asked(loadHubConfig(file).then((loaded) => [file, loaded]));
}

/** Where the hub's names and tokens are kept. */
export function storePathOf(given: Given, config: HubConfig | null): string {
  return config?.store?.path ?? hubStorePath(stateOf(given));
}

/** There is neither a hub nor what one leaves: the place was mistyped, or a hub has never run there. */
export function noStore(state: string, path: string): Failure {
  return new Failure(`no hub runs at ${state}, and no store lies at ${path}`, {
    hint: "say where one is with --state DIR or --config FILE",
  });
}

/** What the flags of `given` make of a hub.yaml. Throws UsageError at once for flags that can't be read. */
export function settingsOf(given: Given): (config: HubConfig | null) => HubSettings {
  const domain = domainOf(given), publicUrl = publicUrlOf(given), wanted = listenOf(given);
  return (config) => {
    const listen = wanted ?? config?.listen ?? null;
    return {
      listen: listen === null ? null : parseListen(listen),
      domain: domain ?? config?.domain ?? null,
      publicUrl: publicUrl ?? config?.publicUrl ?? null,
      tls: config?.tls ?? null,
      storePath: storePathOf(given, config),
      trustedProxies: config?.trustedProxies ?? [],
      proxyProtocol: config?.proxyProtocol ?? false,
      limits: config?.limits ?? DEFAULT_LIMITS,
      ...(config === null ? {} : { workspaces: config.workspaces }),
      keepAuditMs: config?.keepAuditMs ?? null,
      ...(config === null ? {} : { keepAccessMs: config.keepAccessMs }),
    };
  };
}

/** `--domain`, in lower case. */
function domainOf(given: Given): string | null {
  return parsed(given, "domain", (written) => {
    const domain = written.toLowerCase().replace(/\.$/, "");
    if (isHostName(domain)) return domain;
    throw new SyntaxError(`${JSON.stringify(written)} is no domain such as hub.example.com`);
  });
}

/** `--public-url`, an origin. */
function publicUrlOf(given: Given): string | null {
  return parsed(given, "public-url", (written) => parseOrigin(written).url);
}
