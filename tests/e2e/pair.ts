/** A hub and a daemon as two processes, joined over loopback. */
import type { Process, Rig } from "./rig.ts";

export interface Pair {
  readonly hub: Process;
  readonly daemon: Process;
  /** Of the hub: its links are at `<subdomain>.localhost`. */
  readonly port: number;
  /** `http://127.0.0.1:4545`, and what its API asks for. */
  readonly control: string;
  readonly token: string;
  /** Writes the file anew. */
  write(links: string): void;
}

/** Starts both; `links` stands below `links:` in the daemon's file. */
export async function startPair(rig: Rig, links: string): Promise<Pair> {
  const state = `${rig.folder}/hub`;
  const hub = rig.connectd(["hub", "--listen", "127.0.0.1:0", "--state", state, "--json"]);
  const { hub: url } = await hub.ready<{ hub: string }>();
  rig.file("token", (await rig.run(["token", "create", "--scope", "daemon", "--state", state])).stdout);
  const write = (links: string) => {
    const text = `version: 1\nhub: ${url}\ntoken_file: ./token\nlinks:\n${links}`;
    Deno.renameSync(rig.file("links.new", text), `${rig.folder}/links.yaml`);
  };
  write(links);
  const daemon = rig.connectd([
    ...["run", "--config", `${rig.folder}/links.yaml`, "--state", `${rig.folder}/daemon`],
    ...["--control", "127.0.0.1:0", "--json"],
  ]);
  const { control } = await daemon.ready<{ control: string }>();
  const token = Deno.readTextFileSync(`${rig.folder}/daemon/control.token`).trim();
  return { hub, daemon, port: Number(new URL(url).port), control: `http://${control}`, token, write };
}
