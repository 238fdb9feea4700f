/** What the hub's access log says: a line for each request that it handed to a daemon or refused for a link. */
import type { Clock } from "../clock.ts";
import type { Exchange } from "../net/exchange.ts";
import type { Access, ToldRefused } from "../store/access_line.ts";
import type { AccessLog } from "../store/access_log.ts";
import type { HubEvents } from "./events.ts";
import type { HubLink } from "./link.ts";

/** How a request ended. */
export interface Ending {
  /** 0: no answer was sent. */
  readonly status: number;
  /** The hub's own answer, or why the request was cut. */
  readonly code: string | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** A visitor that had no answer. */
export const LEFT = { status: 0, code: "visitor_left" };

export class AccessDesk {
  /**
   * `log`: null within a daemon, which has its own. `told`: called with each request that the hub refuses itself. `events`: for
   * whoever watches requests.
   */
  constructor(
    private readonly log: AccessLog | null,
    private readonly told: ToldRefused | null,
    private readonly clock: Clock,
    private readonly events: HubEvents,
  ) {}

  /** When a request's head came: for the others. */
  begin(): number {
    return this.clock.mono();
  }

  /** The request of `exchange`, which a daemon had since `since`, is over. */
  over(exchange: Exchange, link: HubLink, since: number, ending: Ending): void {
    if (this.log === null && !this.events.watched) return;
    const line = this.#line(exchange, link, since, ending);
    this.log?.add(line);
    this.events.request(link, line);
  }

  /** It came to no daemon. */
  refused(
    exchange: Exchange,
    link: HubLink,
    since: number,
    { status, code }: Pick<Ending, "status" | "code">,
  ): void {
    if (this.log === null && this.told === null && !this.events.watched) return;
    const line = this.#line(exchange, link, since, { status, code, bytesIn: 0, bytesOut: 0 });
    this.log?.add(line);
    this.events.request(link, line);
    this.told?.({ ...line, link: link.record.name }, exchange.head, exchange.secure);
  }

  #line(exchange: Exchange, link: HubLink, since: number, ending: Ending): Access {
    const { requestId: id, address, head: { method, target } } = exchange;
    const { status, code, bytesIn, bytesOut } = ending;
    const ms = this.clock.mono() - since;
    const at = this.clock.now() - ms;
    return { id, at, link: link.id, address, method, target, status, code, bytesIn, bytesOut, ms };
  }
}
