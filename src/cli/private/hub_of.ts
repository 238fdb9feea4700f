/** The hub at which members reach, share and join: of the flags, else of the file, else of the daemon that runs here. */
import type { HubAddress } from "../../core/entry.ts";
import { Failure } from "../../core/errors.ts";
import { ApiClient, Unanswered } from "../client.ts";
import { CONFIG_FLAG, readLinks, usualConfigFile } from "../find.ts";
import type { StatusJson } from "../links.ts";
import {
  CA_FLAG,
  daemonAddress,
  HUB_FLAG,
  hubAddress,
  hubOf,
  hubTokenFile,
  STATE_FLAG,
  TOKEN_FLAG,
} from "../reach.ts";
import { type Flag, type Given, text } from "../verb.ts";

/** Flags of verbs that are about a hub, as members see it. */
export const MEMBER_FLAGS: readonly Flag[] = [
  { ...HUB_FLAG, help: "the hub (default: the file's, else that of the daemon which runs here)" },
  { ...TOKEN_FLAG, help: "a member's token for the hub (default: what `login` wrote)" },
  CA_FLAG,
  STATE_FLAG,
  { ...CONFIG_FLAG, help: "the file that names the hub (default: links.yaml, config/links.yaml)" },
];

/** A hub, and the file with the token for it. */
export interface MemberHub {
  readonly hub: HubAddress;
  readonly tokenFile: string;
  /** Its API. */
  readonly api: ApiClient;
}

/** Finds it. Throws Failure where there is no hub, or no token for it. */
export async function memberHub(given: Given): Promise<MemberHub> {
  const named = hubOf(given);
  const file = text(given, "config");
  const url = named ?? await ofFile(file) ?? await ofDaemon(given);
  const hub = url === null ? null : await hubAddress(given, url, file);
  if (hub === null) {
    throw new Failure("no hub is named", {
      hint:
        "say which with --hub URL, or in links.yaml: members meet at a hub that several machines can reach",
    });
  }
  const tokenFile = hubTokenFile(given, hub.url);
  let token: string;
  try {
    token = (await Deno.readTextFile(tokenFile)).trim();
  } catch (cause) {
    throw new Failure(`the token file ${tokenFile} can not be read`, {
      hint: "name another with --token-file",
      cause,
    });
  }
  return { hub, tokenFile, api: new ApiClient({ origin: hub.url, caFile: hub.caFile, token }, hub.url) };
}

/** The first hub of the file. */
async function ofFile(file: string | null): Promise<string | null> {
  const path = usualConfigFile(file);
  return path === null ? null : (await readLinks(path)).config?.hubs[0]?.url ?? null;
}

async function ofDaemon(given: Given): Promise<string | null> {
  try {
    const { hubs } = await new ApiClient(daemonAddress(given)).call<StatusJson>("GET", "/v1/status");
    return hubs[0]?.url ?? null;
  } catch (error) {
    if (error instanceof Unanswered) return null;
    throw error;
  }
}
