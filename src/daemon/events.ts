/** What happens in a daemon, told to whoever listens, and for a while to those who come late. */

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

/** `data`: the JSON object concerned. */
export interface DaemonEvent {
  readonly id: number;
  readonly type: EventType;
  readonly data: unknown;
}

/** So many are kept for who resumes. */
const KEPT = 1000;

export class Events {
  readonly #listeners = new Set<(event: DaemonEvent) => void>();
  #kept: DaemonEvent[] = [];
  #last = 0;

  emit(type: EventType, data: unknown): void {
    const event: DaemonEvent = { id: ++this.#last, type, data };
    // Requests would push out everything else within a second.
    if (type !== "request") this.#kept.push(event);
    if (this.#kept.length >= 2 * KEPT) this.#kept = this.#kept.slice(-KEPT);
    for (const listener of this.#listeners) listener(event);
  }

  /** Those that are kept and came after number `id`, the oldest first. A number that is yet to come is of another process. */
  since(id: number): readonly DaemonEvent[] {
    const from = id > this.#last ? 0 : id;
    return this.#kept.slice(-KEPT).filter((event) => event.id > from);
  }

  /** Calls `listener` with every event from now on, until the function that this returns is called. */
  listen(listener: (event: DaemonEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
