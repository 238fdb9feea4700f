/** A private service of this process alone: a daemon without a file, which has it and nothing else. */
import type { Config } from "../../config/links.ts";
import type { Service } from "../../core/entry.ts";
import { Failure } from "../../core/errors.ts";
import { printTarget } from "../../core/target.ts";
import { startDaemon } from "../../daemon/daemon.ts";
import type { ServiceJson } from "../../daemon/exposed.ts";
import type { Log } from "../../log.ts";
import { bareBase } from "../foreground.ts";
import { caFileOf, hubAddress, hubOf, hubTokenFile } from "../reach.ts";
import { type Given, text } from "../verb.ts";

/** What is exposed. */
export type Exposure = Pick<Service, "name" | "target" | "allow">;

/** One that is up. */
export interface OpenExposure {
  readonly service: ServiceJson;
  readonly hub: string;
  /** Lets what is open finish, and takes everything down. */
  close(): Promise<void>;
}

/** How long a hub may take to answer. */
const HUB_MS = 10_000;
const LOOK_MS = 50;

/** Opens it at `--hub`, else at the hubs of `config`. Throws Failure where there is none, or none answers. */
export async function openExposure(
  given: Given,
  { name, target, allow }: Exposure,
  config: Config | null,
  log: Log,
): Promise<OpenExposure> {
  const base = bareBase(config), named = hubOf(given);
  const ofFile = text(given, "config"), caFile = caFileOf(given);
  const hubs = named === null
    ? base.hubs.map((hub) => ({ ...hub, caFile: caFile ?? hub.caFile }))
    : [await hubAddress(given, named, ofFile)];
  if (hubs.length === 0) {
    throw new Failure("no hub is named, and a private service is reached by one", {
      hint: "say which with --hub URL, or in links.yaml",
    });
  }
  const dialled = hubs.map((hub) => {
    const own = text(given, "token-file") === null ? hub.tokenFile : null;
    return { ...hub, tokenFile: own ?? hubTokenFile(given, hub.url, "daemon") };
  });
  const service: Service = { name, target, allow, access: "private", remote: false };
  const state = await Deno.makeTempDir({ prefix: "connectd-expose-" });
  const clean = () => Deno.remove(state, { recursive: true });
  const daemon = await startDaemon({
    file: null,
    base: { ...base, hubs: dialled, services: new Map([[name, service]]) },
    state,
    control: false,
    embedded: null,
    log,
  }).catch(async (error) => {
    await clean();
    throw error;
  });
  const deadline = performance.now() + HUB_MS;
  for (;;) {
    const states = daemon.hubs();
    if (states.some(({ state }) => state === "connected")) break;
    if (performance.now() > deadline || states.every(({ state }) => state === "refused")) {
      await daemon.close();
      await clean();
      throw new Failure(`there is no service: ${states[0]?.lastError ?? "the hub has not answered"}`, {
        hint: "check its address and the token (--hub URL, --token-file FILE)",
      });
    }
    await new Promise((again) => setTimeout(again, LOOK_MS));
  }
  return {
    service: {
      name,
      target: printTarget(target),
      allow,
      access: "private",
      remote: false,
      source: "exposed",
      open: 0,
    },
    hub: dialled[0].url,
    async close() {
      await daemon.drain();
      await clean();
    },
  };
}
