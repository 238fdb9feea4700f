/** Where changes are asked for at a hub: its services, its shares, and what daemons are to do. */
import type { Clock } from "../clock.ts";
import type { Store } from "../store/store.ts";
import { printToken } from "./api_tokens.ts";
import { Asks } from "./asks.ts";
import type { HubAudit } from "./audit.ts";
import type { HubEvents } from "./events.ts";
import { Idempotency } from "./idempotency.ts";
import { Manage } from "./manage.ts";
import type { Peers } from "./peers.ts";
import { Services } from "./services.ts";
import { Shares } from "./shares.ts";
import type { Tokens } from "./tokens.ts";

export interface DeskOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly audit: HubAudit;
  readonly events: HubEvents;
  readonly peers: Peers;
  readonly tokens: Tokens;
}

export class Desk {
  private constructor(
    readonly services: Services,
    readonly shares: Shares,
    readonly asks: Asks,
    readonly manage: Manage,
    readonly idempotency: Idempotency,
  ) {}

  /** Reads what the store holds. Throws Failure. */
  static async open({ store, clock, audit, events, peers, tokens }: DeskOptions): Promise<Desk> {
    tokens.onChanged = (type, record) => events.emit(record.workspace, type, printToken(record));
    const services = new Services(peers, events);
    const shares = await Shares.open({ store, clock, services, events });
    const asks = new Asks(clock);
    const manage = new Manage(peers, services, asks, audit);
    return new Desk(services, shares, asks, manage, new Idempotency(store, clock));
  }

  /** To be called more often than once a second. */
  ticked(): void {
    this.shares.endExpired();
  }

  close(): void {
    this.asks.close();
  }
}
