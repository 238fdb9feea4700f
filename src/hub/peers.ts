/** Every daemon that the hub knows, connected or away. */
import type { Clock } from "../clock.ts";
import { GAP_MS, Peer } from "./peer.ts";
import { Quotas } from "./quotas.ts";

/** Called when a daemon of the workspace has come, and (`last`) when none will be waited for any more. */
type Look = (last: boolean) => void;

/** The daemons of a hub, each under its workspace: an id means nothing in another one. */
export class Peers {
  readonly #peers = new Map<string, Peer>();
  /** Workspace → when one of its daemons was lost last, and who waits for it. */
  readonly #lostAt = new Map<string, number>();
  readonly #waiting = new Map<string, Set<Look>>();
  /** After a restart of the hub every daemon is about to come back. */
  readonly #since: number;

  constructor(private readonly clock: Clock, readonly quotas = new Quotas()) {
    this.#since = clock.mono();
  }

  /** The daemon, known from now on. */
  of(workspace: string, daemon: string): Peer {
    const key = `${workspace}/${daemon}`;
    let peer = this.#peers.get(key);
    if (peer === undefined) {
      this.#peers.set(key, peer = new Peer(workspace, daemon, this.clock, this.quotas.of(workspace)));
    }
    return peer;
  }

  /** Whether a daemon that is not there may come back at any moment. */
  mayReturn(workspace: string): boolean {
    return this.clock.mono() - Math.max(this.#lostAt.get(workspace) ?? 0, this.#since) < GAP_MS;
  }

  /** Waits for daemons of `workspace`, until what is returned is called. */
  await(workspace: string, look: Look): () => void {
    let waiting = this.#waiting.get(workspace);
    if (waiting === undefined) this.#waiting.set(workspace, waiting = new Set());
    waiting.add(look);
    const timer = this.clock.timer(() => look(true));
    timer.set(GAP_MS);
    return () => {
      timer.drop();
      waiting.delete(look);
    };
  }

  /** A daemon has come, or has other services. */
  came({ workspace }: Peer): void {
    for (const look of this.#waiting.get(workspace) ?? []) look(false);
  }

  /** Forgets a daemon that is away and has left nothing behind. */
  prune(peer: Peer): void {
    if (!peer.online) this.#lostAt.set(peer.workspace, this.clock.mono());
    if (!peer.online && peer.links.size === 0) this.#peers.delete(`${peer.workspace}/${peer.daemon}`);
  }

  /** All of them. */
  all(): Iterable<Peer> {
    return this.#peers.values();
  }
}
