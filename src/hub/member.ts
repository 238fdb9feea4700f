/** One connection of a member: streams that it opens to private services, each joined to one of the service's daemon. */
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { nextRequestId } from "../net/request_id.ts";
import type { Control } from "../wire/hello.ts";
import { type CloseReason, type Session, SESSION_CLOSED, type SessionHandler } from "../wire/session.ts";
import type { Stream, StreamSink } from "../wire/stream.ts";
import type { HubAudit } from "./audit.ts";
import { Bridge } from "./bridge.ts";
import type { Peer } from "./peer.ts";
import type { Peers } from "./peers.ts";
import type { NoWay, ReachCounts } from "./reach_counts.ts";
import { admits } from "./share.ts";
import type { Shares } from "./shares.ts";
import type { Identity } from "./tokens.ts";

/** What members need of their hub. */
export interface MembersOptions {
  readonly peers: Peers;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: HubAudit;
  /** What one session may have open, of members and daemons alike. */
  readonly streamsPerSession: number;
}

/** What a connection needs of them. */
export interface MemberParts extends MembersOptions {
  readonly shares: Shares | null;
  readonly counts: ReachCounts;
  /** A connection to a service begins; what is returned is called with its octets when it is over. */
  uses(by: MemberConnection, daemon: string, service: string): (bytesIn: number, bytesOut: number) => void;
}

/** A private service and who has it. */
interface Place {
  readonly peer: Peer;
  readonly name: string;
}

/** What a daemon refuses a member with: the hub can't know before. */
const DAEMONS: ReadonlySet<string> = new Set([
  ...["service_unknown", "not_allowed", "service_busy", "target_refused", "target_timeout"],
]);

/** A stream that a member opened, on its way to a daemon or joined to one of its streams. */
class Call {
  readonly bridge: Bridge;
  /** Told of the octets at the end, and what the daemon cut it with; null: no daemon was asked. */
  used: ((bytesIn: number, bytesOut: number, cut: string | null) => void) | null = null;
  /** Waits no more; null: it does not. */
  forget: (() => void) | null = null;

  constructor(readonly stream: Stream) {
    this.bridge = new Bridge(stream, (code, byDaemon) => {
      const { bridge: { octets } } = this;
      this.forget?.();
      this.used?.(octets.in, octets.out, byDaemon ? code : null);
    });
  }
}

export class MemberConnection implements SessionHandler {
  session!: Session;
  readonly since: number;
  readonly #parts: MemberParts;
  /** Who was found to have what was asked for: looked for again only where that is no longer so. */
  readonly #known = new Map<string, Place>();
  #left = false;

  constructor(
    parts: MemberParts,
    readonly identity: Identity,
    readonly address: string,
    /** The share by which alone it reaches something; null: whatever its workspace has. */
    readonly share: string | null,
    private readonly ended: (connection: MemberConnection) => void,
  ) {
    this.#parts = parts;
    this.since = parts.clock.now();
  }

  open(stream: Stream): StreamSink {
    const call = new Call(stream);
    if (stream.open.kind === "tcp") this.#connect(call);
    else this.#refuse(call, "not_allowed");
    return call.bridge.sink;
  }

  /** Nothing that a member says is of use. */
  control(_message: Control): void {}

  draining(): void {}

  /** Every stream was reset before. */
  closed({ code, message }: CloseReason): void {
    this.#left = true;
    const { name: token, workspace } = this.identity;
    const facts = { workspace, token, address: this.address, code, reason: message };
    this.#parts.log.info("member left", facts);
    this.ended(this);
  }

  #connect(call: Call): void {
    const found = this.#find(call.stream.open.link);
    if (typeof found !== "string") return this.#join(call, found);
    const { peers } = this.#parts, { workspace } = this.identity;
    if (found === "not_allowed" || !peers.mayReturn(workspace)) return this.#refuse(call, found);
    // A daemon or this hub was here a moment ago. What the member sends meanwhile stays within its stream's window.
    call.forget = peers.await(workspace, (last) => this.#again(call, last));
  }

  /** A daemon came, or (`last`) none will be waited for any more. */
  #again(call: Call, last: boolean): void {
    // What had ended before the session did waits on: who has left, or whose token was revoked, reaches nothing any more.
    if (this.#left) return call.bridge.cut(SESSION_CLOSED);
    const found = this.#find(call.stream.open.link);
    if (typeof found === "string" && !last) return;
    call.forget?.();
    if (typeof found === "string") this.#refuse(call, found);
    else this.#join(call, found);
  }

  #join(call: Call, { peer, name }: Place): void {
    const session = peer.pick(this.#parts.streamsPerSession), { quota } = peer;
    if (session === null || quota.take(this.#parts.clock.mono()) !== null) {
      return this.#refuse(call, "hub_busy");
    }
    const { address, identity: { name: token } } = this;
    const requestId = nextRequestId();
    // The token's name: the daemon knows by it whom the service lets in.
    const fields = { kind: "tcp" as const, https: false, link: name, address, requestId, host: token };
    const daemon = session.open(fields, call.bridge.sink);
    const used = this.#parts.uses(this, peer.daemon, name);
    quota.streams++;
    call.used = (bytesIn, bytesOut, cut) => {
      quota.streams--;
      used(bytesIn, bytesOut);
      if (cut !== null && bytesOut === 0 && DAEMONS.has(cut)) {
        this.#parts.audit.refusedService(this.identity, name, cut);
      }
    };
    // Last: what waited may end and be cut with this already.
    call.bridge.join(daemon);
  }

  #refuse({ stream: { open: { link } }, bridge }: Call, code: NoWay): void {
    const { audit, counts: { refused } } = this.#parts;
    refused[code]++;
    audit.refusedService(this.identity, link, code);
    bridge.cut(code);
  }

  /** `link`: a service's name, or DAEMON/NAME; where several have it, who was known first. */
  #find(link: string): Place | NoWay {
    const known = this.#known.get(link);
    if (known !== undefined && known.peer.online && this.#has(known)) return known;
    const slash = link.indexOf("/"), name = link.slice(slash + 1);
    const daemon = slash < 0 ? null : link.slice(0, slash);
    const among = this.share === null ? null : this.#shared(name);
    if (among?.length === 0) return "not_allowed";
    let away = false;
    for (const peer of this.#parts.peers.all()) {
      if (peer.workspace !== this.identity.workspace || (daemon ?? peer.daemon) !== peer.daemon) continue;
      const place = { peer, name };
      if (!this.#has(place)) continue;
      if (!peer.online) away = true;
      else {
        this.#known.set(link, place);
        return place;
      }
    }
    return away ? "daemon_offline" : "service_unknown";
  }

  #has({ peer: { services, daemon }, name }: Place): boolean {
    return services.some((one) => one.name === name && one.access === "private") &&
      (this.share === null || this.#shared(name).includes(daemon));
  }

  /** Whose service `name` the share gives. */
  #shared(name: string): string[] {
    const { shares, clock } = this.#parts, { token, workspace } = this.identity;
    const share = shares?.find(this.share!, workspace) ?? null;
    if (share === null || token === null) return [];
    return share.services.filter((one) => one.name === name && admits(share, token, one, clock.now()))
      .map(({ daemon }) => daemon);
  }
}
