/** Links that were closed while requests were in flight. */
import type { ServedLink } from "./served.ts";

export class Leaving {
  readonly #links = new Set<ServedLink>();

  /** `link` serves what is in flight, and is given back when the last of it is over. */
  add(link: ServedLink): void {
    if (link.streams.size > 0) this.#links.add(link);
    link.retire(link.entry.drainMs);
  }

  /** Gives back those that are done. */
  ticked(): void {
    for (const link of this.#links) {
      if (link.streams.size > 0) continue;
      this.#links.delete(link);
      link.close();
    }
  }

  close(): void {
    for (const link of this.#links) link.close();
  }
}
