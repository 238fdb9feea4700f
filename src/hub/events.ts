/** What happens at a hub, told to each workspace for itself, and to whoever sits at the hub. */
import { Journal } from "../api/journal.ts";
import { eventOf } from "./audit.ts";
import type { Access } from "../store/access_line.ts";
import type { HubLink, NameRecord } from "./link.ts";
import type { TokenEvent } from "./tokens.ts";

export type EventType =
  | "link.opened"
  | "link.retuned"
  | "link.closed"
  | "link.expired"
  | "link.revoked"
  | "link.renewed"
  | "session.up"
  | "session.down"
  | "service.added"
  | "service.changed"
  | "service.removed"
  | "share.created"
  | "share.joined"
  | "share.approved"
  | "share.ended"
  | TokenEvent;

/** So many workspaces have a past; of those that were silent longest it is forgotten. */
const WORKSPACES = 200;

/** A request as its line in the access log has it. */
function accessJson({ at, target, verdict: _, ...line }: Access) {
  return { ...line, at: new Date(at).toISOString(), path: target.split("?", 1)[0] };
}

export class HubEvents {
  /** Of all workspaces, numbered for itself: how much happens elsewhere is nobody's business. */
  readonly all = new Journal<EventType>();
  readonly #own = new Map<string, Journal<EventType>>();
  /** Somebody wants to hear of requests, so often. */
  #watchers = 0;

  /** `print`: a link in JSON. */
  constructor(private readonly print: (link: HubLink) => unknown) {}

  /** What a token of `workspace` hears; null: all. */
  of(workspace: string | null): Journal<EventType> {
    if (workspace === null) return this.all;
    const journal = this.#own.get(workspace) ?? new Journal<EventType>();
    // The last one is the one that was used last.
    this.#own.delete(workspace);
    this.#own.set(workspace, journal);
    if (this.#own.size > WORKSPACES) this.#forgetOne();
    return journal;
  }

  /** `data`: the JSON object concerned. */
  emit(workspace: string, type: EventType | "request", data: unknown): void {
    this.all.emit(type, data);
    this.of(workspace).emit(type, data);
  }

  link(type: EventType, link: HubLink): void {
    this.emit(link.record.workspace, type, this.print(link));
  }

  /** The record of `link` is another than `before`. */
  changed(before: NameRecord, link: HubLink): void {
    const { record } = link;
    const type = eventOf(before, record) ?? (begins(before, record) ? "link.retuned" : null);
    if (type !== null) this.link(type, link);
  }

  /** A request to `link` is over. Costs nothing while nobody watches. */
  request({ record }: HubLink, line: Access): void {
    if (this.watched) this.emit(record.workspace, "request", accessJson(line));
  }

  /** Whether anybody listens to requests. */
  get watched(): boolean {
    return this.#watchers > 0;
  }

  /** Requests are told from now on, until what this returns is called. */
  watchRequests(): () => void {
    this.#watchers++;
    return () => void this.#watchers--;
  }

  #forgetOne(): void {
    for (const [workspace, journal] of this.#own) {
      if (journal.heard) continue;
      this.#own.delete(workspace);
      return;
    }
  }
}

/** It was opened without its end, which counts from when it began. */
function begins(before: NameRecord, { ended, activatedAt, expiresAt }: NameRecord): boolean {
  return ended === null && before.activatedAt === null && activatedAt !== null &&
    expiresAt !== before.expiresAt;
}
