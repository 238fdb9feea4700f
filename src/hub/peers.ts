/** Every daemon that the hub knows, connected or away. */
import type { Clock } from "../clock.ts";
import { Peer } from "./peer.ts";

/** The daemons of a hub, each under its workspace: an id means nothing in another one. */
export class Peers {
  readonly #peers = new Map<string, Peer>();

  constructor(private readonly clock: Clock) {}

  /** The daemon, known from now on. */
  of(workspace: string, daemon: string): Peer {
    const key = `${workspace}/${daemon}`;
    let peer = this.#peers.get(key);
    if (peer === undefined) this.#peers.set(key, peer = new Peer(workspace, daemon, this.clock));
    return peer;
  }

  /** Forgets a daemon that is away and has left nothing behind. */
  prune(peer: Peer): void {
    if (!peer.online && peer.links.size === 0) this.#peers.delete(`${peer.workspace}/${peer.daemon}`);
  }

  /** All of them. */
  all(): Iterable<Peer> {
    return this.#peers.values();
  }
}
