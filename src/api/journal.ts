/** What happens in a role, told to whoever listens, and for a while to those who come late. */

/** `data`: the JSON object concerned. */
export interface Happened<T extends string> {
  readonly id: number;
  readonly type: T;
  readonly data: unknown;
}

/** So many are kept for who resumes, and so much of them as JSON: a link's policy alone may have 400 KiB. */
const KEPT = 1000, KEPT_OCTETS = 1024 * 1024;

/** Events in the order in which they happened. */
export class Journal<T extends string> {
  readonly #listeners = new Set<(event: Happened<T | "request">) => void>();
  readonly #kept: { readonly event: Happened<T | "request">; readonly octets: number }[] = [];
  /** Of those that are kept. */
  #octets = 0;
  #last = 0;

  emit(type: T | "request", data: unknown): void {
    const event = { id: ++this.#last, type, data };
    // Requests would push out everything else within a second.
    if (type !== "request") this.#keep(event);
    for (const listener of this.#listeners) listener(event);
  }

  /** Those that are kept and came after number `id`, the oldest first. A number that is yet to come is of another process. */
  since(id: number): readonly Happened<T | "request">[] {
    const from = id > this.#last ? 0 : id;
    return this.#kept.map(({ event }) => event).filter((event) => event.id > from);
  }

  #keep(event: Happened<T | "request">): void {
    const octets = JSON.stringify(event.data).length;
    this.#kept.push({ event, octets });
    this.#octets += octets;
    while (this.#kept.length > KEPT || this.#octets > KEPT_OCTETS) {
      this.#octets -= this.#kept.shift()!.octets;
    }
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
