/** What happens in a role, told to whoever listens, and for a while to those who come late. */

/** `data`: the JSON object concerned. */
export interface Happened<T extends string> {
  readonly id: number;
  readonly type: T;
  readonly data: unknown;
}

/** So many are kept for who resumes. */
const KEPT = 1000;

/** Events in the order in which they happened. */
export class Journal<T extends string> {
  readonly #listeners = new Set<(event: Happened<T | "request">) => void>();
  #kept: Happened<T | "request">[] = [];
  #last = 0;

  emit(type: T | "request", data: unknown): void {
    const event = { id: ++this.#last, type, data };
    // Requests would push out everything else within a second.
    if (type !== "request") this.#kept.push(event);
    if (this.#kept.length >= 2 * KEPT) this.#kept = this.#kept.slice(-KEPT);
    for (const listener of this.#listeners) listener(event);
  }

  /** Those that are kept and came after number `id`, the oldest first. A number that is yet to come is of another process. */
  since(id: number): readonly Happened<T | "request">[] {
    const from = id > this.#last ? 0 : id;
    return this.#kept.slice(-KEPT).filter((event) => event.id > from);
  }

  /** Whether anybody listens. */
  get heard(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls `listener` with every event from now on, until the function that this returns is called. */
  listen(listener: (event: Happened<T | "request">) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
