/** `connectd hub`: a hub, until it is told to end. */
import { systemClock } from "../clock.ts";
import { HubFile } from "../hub/file.ts";
import { type Hub, startHub } from "../hub/hub.ts";
import { openHubStore } from "../hub/place.ts";
import { certificateOf } from "./hub_certificate.ts";
import { surviveDefects } from "./defects.ts";
import { backupHub, restoreHub } from "./hub_backup.ts";
import { checkHub, reloadHub } from "./hub_config.ts";
import { HUB_CONFIG_FLAG, hubFileOf, settingsOf } from "./hub_settings.ts";
import { LOG_FLAGS, logOf, oneOf } from "./log_flags.ts";
import { out } from "./print.ts";
import { JSON_FLAG, LISTEN_FLAG, makeState, STATE_FLAG, stateOf } from "./reach.ts";
import { Service } from "./service.ts";
import { endSignals } from "./signals.ts";
import { type Given, on, orUsage, UsageError, type Verb } from "./verb.ts";

/** As long as a daemon has unless its file says otherwise. */
const DRAIN_MS = 30_000;

export const hub: Verb = {
  name: "hub",
  words: "[check|reload|backup|restore] [FILE]",
  count: [0, 2],
  summary: "Runs a hub: the public side, which daemons dial and visitors call. Flags go before hub.yaml.",
  more: "SIGTERM and Ctrl-C finish what is in flight and end it; a second one at once.\n" +
    "hub.yaml is read anew when it changes, on SIGHUP, and by `hub reload`; a bad file changes nothing (exit 2).\n" +
    "`hub check [FILE]` says what is wrong with it. `hub backup FILE` copies names, tokens and trail while the hub runs,\n" +
    "`hub restore FILE` puts them where a hub with the same --state or hub.yaml will find them.",
  flags: [
    HUB_CONFIG_FLAG,
    STATE_FLAG,
    LISTEN_FLAG,
    { name: "domain", value: "NAME", help: "links are <id>.NAME" },
    { name: "public-url", value: "URL", help: "where the hub itself is reached from outside" },
    { ...JSON_FLAG, help: "print the ready line as JSON" },
    ...LOG_FLAGS,
  ],
  run(given) {
    const [written, ...words] = given.words;
    if (written === undefined) return serve(given);
    const action = orUsage("", () => oneOf(written, Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]));
    const { least, most, flags, run } = ACTIONS[action];
    if (words.length < least) throw new UsageError(`\`hub ${action}\` needs FILE`);
    if (words.length > most) {
      throw new UsageError(`\`hub ${action}\` takes no word like ${JSON.stringify(words[most])}`);
    }
    const strange = Object.keys(given.flags).find((name) => !flags.includes(name));
    if (strange !== undefined) throw new UsageError(`--${strange} is not for \`hub ${action}\``);
    return run(given, words);
  },
};

/** What can be done with a hub besides running it. */
const ACTIONS = {
  check: { least: 0, most: 1, flags: ["config", "json"], run: checkHub },
  reload: { least: 0, most: 0, flags: ["state", "json"], run: reloadHub },
  backup: { least: 1, most: 1, flags: ["state", "config", "json"], run: backupHub },
  restore: { least: 1, most: 1, flags: ["state", "config", "json"], run: restoreHub },
};

/** Runs a hub to its end. */
async function serve(given: Given): Promise<number> {
  const state = stateOf(given), log = logOf(given), settings = settingsOf(given);
  surviveDefects(log);
  const found = await hubFileOf(given);
  // Without a file there is nothing to read anew.
  const signals = endSignals(["SIGINT", "SIGTERM", ...(found === null ? ["SIGHUP" as const] : [])]);
  using service = new Service(state, log);
  const reloading = () => service.reloading();
  const file = found && new HubFile({ ...found, settings, reloading, clock: systemClock, log });
  await makeState(state);
  const first = settings(found?.config ?? null);
  const certificate = found && await certificateOf(found.config, log);
  const store = await openHubStore(first.storePath!, systemClock);
  const hub = await startHub({ ...first, certificate, store, state, file, log });
  // What comes of it the hub logs.
  if (file !== null) Deno.addSignalListener("SIGHUP", () => void file.reload());
  printReady(hub, on(given, "json"));
  service.ready(hub.socket, () => `links are at ${hub.domain}`);
  await signals.first;
  service.stopping();
  await hub.drain(DRAIN_MS);
  await hub.close();
  return 0;
}

/** One line that says where it is (interfaces: Start). A daemon's parts are absent. */
function printReady({ url, domain, socket }: Hub, json: boolean): void {
  if (json) out(JSON.stringify({ ready: true, hub: url, domain, control: null, socket, links: [] }));
  else out(`ready hub=${url} domain=${domain}`);
}
