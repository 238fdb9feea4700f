/** The sessions of a hub: who may have one, and when it must end. */
import type { ServerLimits } from "../core/limits.ts";
import { Session } from "../wire/session.ts";
import type { Wire } from "../wire/wire.ts";
import { DaemonConnection, type Parts } from "./connection.ts";
import { Members } from "./members.ts";
import type { Identity, Tokens } from "./tokens.ts";

/** All connections of all daemons. */
export class Sessions {
  readonly #connections = new Set<DaemonConnection>();
  readonly #parts: Parts;
  readonly #tokens: Tokens;
  readonly members: Members;
  #most: number;

  constructor(parts: Parts, tokens: Tokens, most: number) {
    this.#parts = parts;
    this.#tokens = tokens;
    this.#most = most;
    this.members = new Members(parts);
    tokens.onRevoked = () => this.#endWhere((identity) => !tokens.isLive(identity));
  }

  /** The limits are others from now on; sessions that are there stay. */
  tune({ sessions, streamsPerSession }: ServerLimits): void {
    this.#most = sessions;
    this.#parts.streamsPerSession = streamsPerSession;
  }

  /** Whether there is room for another one. */
  get full(): boolean {
    return this.#connections.size + this.members.size >= this.#most;
  }

  /** Why `workspace` may have no other session; null: it may. */
  fullOf(workspace: string): string | null {
    return this.#parts.peers.quotas.of(workspace).full("sessions");
  }

  /** Runs a session over `wire` for a daemon that has shown who it is. */
  accept(wire: Wire, identity: Identity, address: string | null): void {
    const { clock, peers } = this.#parts, quota = peers.quotas.of(identity.workspace);
    const connection = new DaemonConnection(
      this.#parts,
      identity,
      address,
      (ended) => {
        this.#connections.delete(ended);
        quota.sessions--;
      },
    );
    quota.sessions++;
    this.#connections.add(connection);
    // Streams lead to daemons only.
    connection.session = new Session(wire, "acceptor", connection, clock, { streams: 0 });
  }

  /** Ends the sessions whose token has expired. */
  endExpired(): void {
    this.#tokens.settle();
    this.#endWhere((identity) => !this.#tokens.isLive(identity));
  }

  /** Those of a workspace, or all (null), the oldest first. */
  list(workspace: string | null): DaemonConnection[] {
    return [...this.#connections].filter(({ identity }) =>
      workspace === null || identity.workspace === workspace
    );
  }

  /** Asks every daemon to dial elsewhere; what is in flight goes on. */
  drain(): void {
    for (const { session } of this.#connections) session.drain();
    this.members.drain();
  }

  /** The hub listens elsewhere: every daemon is told the URLs of its links. */
  tellUrls(): void {
    for (const connection of this.#connections) connection.tellUrls();
  }

  close(): void {
    for (const connection of this.#connections) connection.bye("draining", "the hub ends");
    this.members.close();
  }

  #endWhere(matches: (identity: Identity) => boolean): void {
    for (const connection of this.#connections) {
      if (matches(connection.identity)) connection.bye("revoked_token", "the token is not valid any more");
    }
    this.members.endWhere(matches);
  }
}
