/** `connectd run`: the daemon, until it is told to end. */
import { type Daemon, startDaemon } from "../daemon/daemon.ts";
import { surviveDefects } from "./defects.ts";
import { startEmbedded } from "./embedded.ts";
import { CONFIG_FLAG, configFile } from "./find.ts";
import { linkTable } from "./links.ts";
import { LOG_FLAGS, logOf } from "./log_flags.ts";
import { out } from "./print.ts";
import { controlOf, JSON_FLAG, LISTEN_FLAG, listenOf, STATE_FLAG, stateOf } from "./reach.ts";
import { describeLinks, Service } from "./service.ts";
import { endSignals } from "./signals.ts";
import { type Flag, on, text, type Verb } from "./verb.ts";

/** Where the API of a daemon that is started listens. */
export const CONTROL_FLAG: Flag = {
  name: "control",
  value: "ADDR",
  help: "where the control API listens (default 127.0.0.1:4545), port 0 picks one",
};

export const run: Verb = {
  name: "run",
  count: [0, 0],
  summary:
    "Runs the daemon: the links of links.yaml, with a hub inside this process where the file names none.",
  more:
    "SIGHUP reads the file again. SIGTERM and Ctrl-C finish what is in flight and end it; a second one at once.",
  flags: [
    CONFIG_FLAG,
    STATE_FLAG,
    LISTEN_FLAG,
    CONTROL_FLAG,
    { name: "allow-empty", help: "take a file without links and services while links run" },
    { ...JSON_FLAG, help: "print the ready line as JSON" },
    ...LOG_FLAGS,
  ],
  async run(given) {
    const state = stateOf(given), log = logOf(given), listen = listenOf(given), control = controlOf(given);
    surviveDefects(log);
    const file = configFile(text(given, "config"));
    // Heard from the beginning: whoever ends a process that has only begun means it.
    const signals = endSignals(["SIGINT", "SIGTERM"]);
    using service = new Service(state, log);
    // What comes of it the daemon logs, and `status` shows. One that comes too early is made up for.
    let running: Daemon | null = null, asked = false;
    Deno.addSignalListener("SIGHUP", () => {
      asked = true;
      void running?.reload({ by: "signal" });
    });
    const daemon = running = await startDaemon({
      file,
      state,
      control,
      embedded: (ofFile) => startEmbedded({ state, listen, log }, ofFile),
      allowEmpty: on(given, "allow-empty"),
      reloading: () => service.reloading(),
      log,
    });
    if (asked) void daemon.reload({ by: "signal" });
    printReady(daemon, on(given, "json"));
    service.ready(daemon.socket, () => describeLinks(daemon.states()));
    await signals.first;
    service.stopping();
    await daemon.drain();
    return 0;
  },
};

/** One line that says where everything is, and for people a table of the links (interfaces: Start). */
function printReady(daemon: Daemon, json: boolean): void {
  const { hub, control, socket } = daemon;
  const links = daemon.links();
  if (json) {
    const shown = links.map(({ name, url, state }) => ({ name, url, state }));
    out(JSON.stringify({ ready: true, hub, control, socket, links: shown }));
  } else {
    out(`ready hub=${hub} control=${control} links=${links.length}`);
    out(linkTable(links, Date.now()));
  }
}
