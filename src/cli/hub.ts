/** `connectd hub`: a hub, until it is told to end. */
import { systemClock } from "../clock.ts";
import { parseListen } from "../config/places.ts";
import { DEFAULT_LIMITS, KEEP_ACCESS_MS } from "../core/limits.ts";
import { type Hub, startHub } from "../hub/hub.ts";
import { openHubStore } from "../hub/place.ts";
import { domainOf, HUB_CONFIG_FLAG, hubConfigOf, publicUrlOf, storePathOf } from "./hub_settings.ts";
import { surviveDefects } from "./defects.ts";
import { LOG_FLAGS, logOf } from "./log_flags.ts";
import { out } from "./print.ts";
import { JSON_FLAG, LISTEN_FLAG, listenOf, makeState, STATE_FLAG, stateOf } from "./reach.ts";
import { Service } from "./service.ts";
import { endSignals } from "./signals.ts";
import { on, type Verb } from "./verb.ts";

/** As long as a daemon has unless its file says otherwise. */
const DRAIN_MS = 30_000;

export const hub: Verb = {
  name: "hub",
  count: [0, 0],
  summary: "Runs a hub: the public side, which daemons dial and visitors call. Flags go before hub.yaml.",
  more: "SIGTERM and Ctrl-C finish what is in flight and end it; a second one at once.",
  flags: [
    HUB_CONFIG_FLAG,
    STATE_FLAG,
    LISTEN_FLAG,
    { name: "domain", value: "NAME", help: "links are <id>.NAME" },
    { name: "public-url", value: "URL", help: "where the hub itself is reached from outside" },
    { ...JSON_FLAG, help: "print the ready line as JSON" },
    ...LOG_FLAGS,
  ],
  async run(given) {
    const state = stateOf(given), log = logOf(given);
    surviveDefects(log);
    const domain = domainOf(given), publicUrl = publicUrlOf(given), wanted = listenOf(given);
    const config = await hubConfigOf(given);
    const listen = wanted ?? config?.listen ?? null;
    const signals = endSignals(["SIGINT", "SIGTERM", "SIGHUP"]);
    using service = new Service(state, log);
    await makeState(state);
    const hub = await startHub({
      listen: listen === null ? null : parseListen(listen),
      domain: domain ?? config?.domain ?? null,
      publicUrl: publicUrl ?? config?.publicUrl ?? null,
      store: await openHubStore(storePathOf(given, config), systemClock),
      state,
      trustedProxies: config?.trustedProxies ?? [],
      limits: config?.limits ?? DEFAULT_LIMITS,
      keepAuditMs: config?.keepAuditMs ?? null,
      keepAccessMs: config === null ? KEEP_ACCESS_MS : config.keepAccessMs,
      log,
    });
    printReady(hub, on(given, "json"));
    service.ready(hub.socket, () => `links are at ${hub.domain}`);
    await signals.first;
    service.stopping();
    await hub.drain(DRAIN_MS);
    await hub.close();
    return 0;
  },
};

/** One line that says where it is (interfaces: Start). A daemon's parts are absent. */
function printReady({ url, domain, socket }: Hub, json: boolean): void {
  if (json) out(JSON.stringify({ ready: true, hub: url, domain, control: null, socket, links: [] }));
  else out(`ready hub=${url} domain=${domain}`);
}
