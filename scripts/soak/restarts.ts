/**
 * Daemon and hub asked to end and started again, over and over, while visitors keep coming: not one of them may notice
 * more than a pause. A daemon's are held by its hub; a hub's by the front before it, which tries again where nobody
 * listens: that is safe for every request, since nothing of it was sent.
 */
import { accepting, freePort, packaged, type Rig } from "../../tests/e2e/rig.ts";
import { type Campaign, pause, type Report } from "./campaign.ts";
import { Crowd } from "./faults/crowd.ts";
import { Notes } from "./faults/notes.ts";
import { Times } from "./faults/times.ts";
import { World } from "./faults/world.ts";

const LANES = 12;

export const restarts: Campaign = {
  about: "daemon and hub restarted gracefully, without a failed request",
  usual: { rounds: 100 },
  limitMs: ({ rounds }) => 120_000 + rounds * 30_000,
  async run({ rounds, seed }, rig, report) {
    await restartedUnderLoad("daemon", rounds, seed, rig, report);
    if (packaged("haproxy", "haproxy") !== null) await restartedUnderLoad("hub", rounds, seed, rig, report);
  },
};

/** One of them restarted `rounds` times; the hub behind haproxy, through which the daemon dials, too. */
export async function restartedUnderLoad(
  role: "daemon" | "hub",
  rounds: number,
  seed: number,
  rig: Rig,
  report: Report,
): Promise<void> {
  const folder = `${rig.folder}/${role}-restarts`;
  Deno.mkdirSync(folder);
  const notes = new Notes(report, `${folder}/notes`);
  const hubConfig = `version: 1\n${role === "hub" ? "trusted_proxies: [127.0.0.1/32]\n" : ""}`;
  const world = new World(rig, notes, folder, (what) => report.breaks(what), { hubConfig });
  const front = role === "hub" ? freePort() : null;
  await world.start(
    front === null ? null : async (hub) => {
      rig.spawn(packaged("haproxy", "haproxy")!, ["-db", "-f", rig.file("haproxy.cfg", haproxy(front, hub))]);
      await accepting(front);
      return front;
    },
  );
  const crowd = new Crowd(() => front ?? world.port, notes, report, seed, LANES, false);
  const gaps = new Times();
  for (let n = 0; n < rounds; n++) {
    await pause(300);
    await world.end(role, "SIGTERM");
    const begun = performance.now();
    await world.begin(role);
    await world.serves();
    gaps.add(performance.now() - begun);
  }
  await crowd.leave();
  await world.close();
  report.figure(
    `${rounds} restarts of the ${role}: ${notes.requests} requests, ${crowd.failed} failed; ` +
      `longest wait ${(crowd.slowest / 1000).toFixed(2)} s; serving again: ${gaps}`,
  );
}

/**
 * Asks ten times a second whether the hub is ready. While it is not, requests go to a place where nobody listens, five times
 * a second for up to 15 s, until the hub is there again: nothing of them has been sent by then. No connection to the hub
 * carries two requests, so that none can be closed under the second one.
 */
function haproxy(front: number, hub: number): string {
  return `global
  maxconn 1000
defaults
  mode http
  timeout connect 200ms
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  retries 75
  option redispatch 1
  option http-server-close
frontend front
  bind 127.0.0.1:${front}
  default_backend hub
backend hub
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost
  server hub 127.0.0.1:${hub} check inter 100ms rise 1 fall 1
  server nobody 127.0.0.1:1 backup
`;
}
