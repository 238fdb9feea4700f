/** A visitor's request on its way: host to link, link to session. The only file between net and the wire. */
import type { Clock } from "../clock.ts";
import { type Refusal, refusal } from "../core/errors.ts";
import type { ServerLimits } from "../core/limits.ts";
import { type OpenFacts, shield } from "../core/policy.ts";
import type { Log } from "../log.ts";
import type { Exchange } from "../net/exchange.ts";
import { MAX_HEAD } from "../wire/stream.ts";
import { type AccessDesk, LEFT } from "./access.ts";
import type { HubLink } from "./link.ts";
import type { Names } from "./names.ts";
import type { Peer } from "./peer.ts";
import { Upstream } from "./upstream.ts";

const UNKNOWN = refusal("link_unknown");
const OFFLINE = refusal("daemon_offline");
const BUSY = refusal("hub_busy");
const DRAINING = refusal("hub_draining");

const MALFORMED = refusal("bad_request");
const TOO_LARGE = refusal("head_too_large");

/** As many times more streams must be left as a client has. */
const SHARE = 4;

/** What OPEN can carry; a longer one is some label with a port of hundreds of zeros. */
const HOST_MAX = 255;

/** Requests to links. */
export class Route {
  /** Set once, when the hub is about to end. */
  draining = false;
  /** Requests that daemons were given. */
  handed = 0;

  constructor(
    private readonly names: Names,
    private readonly clock: Clock,
    /** Swapped when they change. */
    public limits: ServerLimits,
    private readonly log: Log,
    private readonly access: AccessDesk,
  ) {}

  /** Serves a request whose host is `label` under the domain. */
  serve(exchange: Exchange, label: string, since = this.access.begin()): void {
    const link = this.names.find(label);
    if (link === undefined) return exchange.refuse(UNKNOWN);
    const { head } = exchange;
    if (head.host.length > HOST_MAX) return this.#deny(exchange, link, since, MALFORMED);
    if (head.raw.length > MAX_HEAD) return this.#deny(exchange, link, since, TOO_LARGE);
    const refused = this.#judge(exchange, link);
    if (refused !== null) return this.#deny(exchange, link, since, refused);
    const { peer } = link;
    const session = peer.pick(this.limits.streamsPerSession);
    if (session !== null && this.#leavesSome(exchange, peer)) {
      const beyond = peer.quota.take(this.clock.mono());
      if (beyond !== null) return this.#deny(exchange, link, since, beyond);
      this.handed++;
      return void new Upstream(exchange, link, session, this.access, since);
    }
    if (peer.online) return this.#deny(exchange, link, since, BUSY);
    // No daemon comes back here any more.
    if (this.draining) return this.#refuse(exchange, link, since, DRAINING);
    this.#await(exchange, link, since);
  }

  /**
   * A client may have a quarter as many requests in flight as there are streams left at its daemon: a handful of clients who
   * are slow would have all of them. However many they are, as much is left as four of them have.
   */
  #leavesSome(exchange: Exchange, peer: Peer): boolean {
    const { streamsPerSession, perAddress } = this.limits;
    const free = peer.free(streamsPerSession);
    return free >= SHARE * perAddress || SHARE * exchange.crowd <= free;
  }

  #deny(exchange: Exchange, link: HubLink, since: number, refused: Refusal): void {
    const { code } = refused;
    link.deny(code);
    this.log.debug("refused", { link: link.id, code, request: exchange.requestId });
    this.#refuse(exchange, link, since, refused);
  }

  #refuse(exchange: Exchange, link: HubLink, since: number, refused: Refusal): void {
    this.access.refused(exchange, link, since, refused);
    exchange.refuse(refused);
  }

  #judge(exchange: Exchange, link: HubLink): Refusal | null {
    const closed = link.closedTo(this.clock.now());
    if (closed !== null || link.policy === null) return closed;
    const verdict = shield(link.policy, factsOf(exchange));
    return verdict.kind === "deny" ? verdict.refusal : null;
  }

  /** The daemon was here a moment ago: its visitors wait for a while, and keep their bodies to themselves. */
  #await(exchange: Exchange, link: HubLink, since: number): void {
    const waiting = {
      resume: (back: boolean) => {
        exchange.onLeave = null;
        // Meanwhile the link may have ended, or its name may have changed hands.
        if (back) this.serve(exchange, link.id, since);
        else this.#deny(exchange, link, since, OFFLINE);
      },
    };
    if (!link.peer.await(waiting)) return this.#deny(exchange, link, since, OFFLINE);
    exchange.onLeave = () => {
      link.peer.forget(waiting);
      this.access.refused(exchange, link, since, LEFT);
    };
  }
}

function factsOf({ head, address }: Exchange): OpenFacts {
  return {
    method: head.method,
    target: head.target,
    address,
    declaredLength: head.framing.kind === "length" ? head.framing.length : null,
    websocket: head.upgrade === "websocket",
  };
}
