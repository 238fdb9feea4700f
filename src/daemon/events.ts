/** What happens in a daemon. */
import { type Happened, Journal } from "../api/journal.ts";

export type EventType =
  | "link.opened"
  | "link.retuned"
  | "link.closed"
  | "link.expired"
  | "link.revoked"
  | "link.renewed"
  | "session.up"
  | "session.down"
  | "reload"
  | "request";

export type DaemonEvent = Happened<EventType>;

export class Events extends Journal<EventType> {}
