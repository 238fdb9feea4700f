/** The members at a hub: their connections, when these must end, and what the trail says of who used what. */
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { Usage } from "../store/usage.ts";
import { Session } from "../wire/session.ts";
import type { Wire } from "../wire/wire.ts";
import type { HubAudit } from "./audit.ts";
import { MemberConnection, type MemberParts, type MembersOptions } from "./member.ts";
import type { Peers } from "./peers.ts";
import { noReaches, type ReachCounts } from "./reach_counts.ts";
import { isLive, memberOf } from "./share.ts";
import type { Shares } from "./shares.ts";
import type { Identity } from "./tokens.ts";

/** One use, as the trail shows it. */
interface Visit {
  readonly identity: Identity;
  readonly service: string;
  readonly facts: { readonly daemon: string; readonly address: string; readonly share: string | null };
}

export class Members implements MemberParts {
  readonly peers: Peers;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: HubAudit;
  shares: Shares | null = null;
  readonly counts: ReachCounts = noReaches();
  readonly #o: MembersOptions;
  readonly #connections = new Set<MemberConnection>();
  readonly #usage: Usage<Visit>;

  constructor(options: MembersOptions) {
    this.#o = options;
    ({ peers: this.peers, clock: this.clock, log: this.log, audit: this.audit } = options);
    const { audit, clock } = options;
    this.#usage = new Usage({
      clock,
      began: ({ identity, service, facts }) => audit.service("service.reached", identity, service, facts),
      ended: ({ identity, service, facts }, used) =>
        audit.service("service.left", identity, service, { ...facts, ...used }),
    });
  }

  get streamsPerSession(): number {
    return this.#o.streamsPerSession;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** Shares let members in from now on, and cut them as they end. */
  follow(shares: Shares): void {
    this.shares = shares;
    shares.onEnded(({ id }) => this.#end(({ share }) => share === id, "share_ended", "the share has ended"));
  }

  /** Whether `identity` may connect by share `id`: it has joined a live one of its workspace, and was let in. */
  admits(identity: Identity, id: string): boolean {
    const share = this.shares?.find(id, identity.workspace) ?? null;
    if (share === null || identity.token === null || !isLive(share, this.clock.now())) return false;
    return (memberOf(share, identity.token)?.approvedAt ?? null) !== null;
  }

  /** Runs a session over `wire` for a member that has shown who it is. */
  accept(wire: Wire, identity: Identity, address: string, share: string | null): void {
    const quota = this.peers.quotas.of(identity.workspace);
    const connection = new MemberConnection(
      this,
      identity,
      address,
      share,
      (ended) => {
        this.#connections.delete(ended);
        quota.sessions--;
      },
    );
    quota.sessions++;
    this.#connections.add(connection);
    const streams = this.streamsPerSession;
    connection.session = new Session(wire, "acceptor", connection, this.clock, { streams });
    this.log.info("member came", { workspace: identity.workspace, token: identity.name, address });
  }

  uses(
    { identity, address, share }: MemberConnection,
    daemon: string,
    service: string,
  ): (bytesIn: number, bytesOut: number) => void {
    const { token, workspace } = identity;
    const key = [token, workspace, service, daemon, address, share].join(" ");
    const used = this.#usage.begin(key, { identity, service, facts: { daemon, address, share } });
    const { counts } = this;
    counts.reached++;
    counts.open++;
    return (bytesIn, bytesOut) => {
      counts.open--;
      counts.bytesIn += bytesIn;
      counts.bytesOut += bytesOut;
      used(bytesIn, bytesOut);
    };
  }

  /** Ends the sessions whose token is not good any more. */
  endWhere(matches: (identity: Identity) => boolean): void {
    this.#end(({ identity }) => matches(identity), "revoked_token", "the token is not valid any more");
  }

  /** Asks every member to dial elsewhere; what is in flight goes on. */
  drain(): void {
    for (const { session } of this.#connections) session.drain();
  }

  /** Before the trail is closed. */
  close(): void {
    this.#end(() => true, "draining", "the hub ends");
    this.#usage.close();
  }

  #end(matches: (connection: MemberConnection) => boolean, code: string, message: string): void {
    for (const connection of this.#connections) {
      if (matches(connection)) connection.session.close(code, message);
    }
  }
}
