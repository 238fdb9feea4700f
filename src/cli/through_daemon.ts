/** One-off links that the running daemon keeps. */
import type { Config } from "../config/links.ts";
import { printTarget } from "../core/target.ts";
import { ApiClient, Unanswered } from "./client.ts";
import type { Wish } from "./link_wish.ts";
import type { LinkJson, StatusJson } from "./links.ts";
import { complain } from "./print.ts";
import { daemonAddress, withDaemon } from "./reach.ts";
import type { Meant } from "./target.ts";
import { type Given, text } from "./verb.ts";

/** A daemon that answers. */
export interface FoundDaemon {
  readonly api: ApiClient;
  /** The file that it runs. */
  readonly file: string | null;
  /** Ports of its own, which are no targets. */
  readonly ports: readonly number[];
  /** URLs of its hubs. */
  readonly hubs: readonly string[];
}

/** The running daemon; null: there is none, or none that uses `hub`. Throws Failure where `--control` named one in vain. */
export async function findDaemon(
  given: Given,
  hub: string | null,
  what = "the link",
): Promise<FoundDaemon | null> {
  const look = (api: ApiClient) => api.call<StatusJson>("GET", "/v1/status");
  if (text(given, "control") !== null) await withDaemon(given, look);
  const api = new ApiClient(daemonAddress(given));
  try {
    const { hubs, config } = await look(api);
    if (hub !== null && !hubs.some(({ url }) => url === hub)) {
      complain(`the running daemon does not use ${hub}: ${what} lives in the foreground`);
      return null;
    }
    const urls = hubs.map(({ url }) => url);
    return { api, file: config.file, ports: urls.map((url) => Number(new URL(url).port)), hubs: urls };
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    return null;
  }
}

/** Makes the link, with its URL where a hub gives one soon. Throws Refused: its name is taken, its service is not known, … */
export function createThrough(
  { api, file }: FoundDaemon,
  { word, target, inFile }: Meant,
  body: Wish & { readonly name: string },
  config: Config | null,
): Promise<LinkJson> {
  // Of one file, the daemon's view of a service goes on counting; of two, what this one says is meant.
  const byName = target === null || (inFile && file !== null && isSame(file, config!.file));
  const written = byName ? word : printTarget(target);
  return api.call<LinkJson>("POST", "/v1/links", { ...body, target: written });
}

function isSame(a: string, b: string): boolean {
  try {
    return Deno.realPathSync(a) === Deno.realPathSync(b);
  } catch {
    return false;
  }
}
