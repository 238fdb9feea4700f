/** What a hub is started with: hub.yaml, and the flags that go before it. */
import { type HubConfig } from "../config/hub.ts";
import { loadHubConfig } from "../config/load.ts";
import { isHostName, parseOrigin } from "../config/places.ts";
import { printProblem } from "../config/problem.ts";
import { BadFile } from "../daemon/reload.ts";
import { hubStorePath } from "../hub/place.ts";
import { asked, isFile } from "./find.ts";
import { complain } from "./print.ts";
import { stateOf } from "./reach.ts";
import { type Flag, type Given, parsed, text } from "./verb.ts";

export const HUB_CONFIG_FLAG: Flag = {
  name: "config",
  short: "c",
  value: "FILE",
  help: "the file (default: hub.yaml, where there is one)",
};

/** hub.yaml: the one of `--config`, else the one that lies here, else null. Warnings are printed. Throws UsageError, BadFile. */
export async function hubConfigOf(given: Given): Promise<HubConfig | null> {
  const file = text(given, "config") ?? (isFile("hub.yaml") ? "hub.yaml" : null);
  if (file === null) return null;
  const { config, problems } = await asked(loadHubConfig(file));
  if (config === null) throw new BadFile(`${file} can not be taken as it is`, problems);
  for (const problem of problems) complain(printProblem(problem));
  return config;
}

/** Where the hub's names and tokens are kept. */
export function storePathOf(given: Given, config: HubConfig | null): string {
  return config?.store?.path ?? hubStorePath(stateOf(given));
}

/** `--domain`, in lower case. */
export function domainOf(given: Given): string | null {
  return parsed(given, "domain", (written) => {
    const domain = written.toLowerCase().replace(/\.$/, "");
    if (isHostName(domain)) return domain;
    throw new SyntaxError(`${JSON.stringify(written)} is no domain such as hub.example.com`);
  });
}

/** `--public-url`, an origin. */
export function publicUrlOf(given: Given): string | null {
  return parsed(given, "public-url", (written) => parseOrigin(written).url);
}
