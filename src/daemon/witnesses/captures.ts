/** The last requests of every link, within one bound on memory for all of them. */
import type { Events } from "../events.ts";
import type { Followed } from "../follow.ts";
import type { LinkJson } from "../status.ts";
import { Capture, type Keeper, type Kept } from "./capture.ts";
import type { Tapes } from "./recorder.ts";
import { Shelf, Shelves } from "./shelf.ts";

export type { Kept } from "./capture.ts";

/** What all captures may hold, those of requests in flight too. */
const OCTETS_MAX = 64 * 1024 * 1024;

export class Captures implements Tapes, Keeper {
  readonly #shelves: Shelves;
  readonly #max: number;
  #octets = 0;
  #last = 0;

  /** `events`: of the daemon; they tell which links there are. `max`: octets. */
  constructor(events: Events, max = OCTETS_MAX) {
    this.#max = max;
    this.#shelves = new Shelves();
    events.listen(({ type, data }) => {
      if (type === "link.opened") this.#shelves.add((data as LinkJson).name);
      else if (type === "link.closed") this.#drop((data as LinkJson).name);
      else if (type === "link.retuned") this.#retuned((data as LinkJson).name);
    });
  }

  /** What they hold, in octets. */
  get octets(): number {
    return this.#octets;
  }

  /** Those that are over and `wanted`, the newest first; of links that are gone or inspected no more there are none. */
  newest(wanted: (capture: Kept) => boolean = () => true): Kept[] {
    const found: Kept[] = [];
    for (const shelf of this.#shelves.all()) {
      for (const capture of shelf.captures()) if (wanted(capture)) found.push(capture);
    }
    return found.sort((a, b) => b.number - a.number);
  }

  /** The one with this id; ids that come from a hub may come twice, and then it is the newest. */
  get(id: string): Kept | undefined {
    return this.newest(({ request }) => request.requestId === id)[0];
  }

  follow(request: Followed): Capture | null {
    const { link } = request;
    if (link.entry.inspect === "off") return null;
    // Refused late, by a link that was removed meanwhile.
    if (!this.#shelves.has(link.name)) return null;
    return new Capture(request, this);
  }

  // For the captures.

  room(octets: number): boolean {
    this.#octets += octets;
    this.#evict();
    if (this.#octets <= this.#max) return true;
    // Requests in flight have it all.
    this.#octets -= octets;
    return false;
  }

  free(octets: number): void {
    this.#octets -= octets;
  }

  keep(capture: Capture): void {
    const { entry, name } = capture.request.link;
    const shelf = this.#shelves.get(name);
    if (shelf === undefined || entry.inspect === "off") return this.free(capture.held);
    capture.number = ++this.#last;
    this.#octets += capture.weight;
    shelf.push(capture as Kept);
    this.#trim(shelf, entry.inspectLast);
    this.#evict();
  }

  #drop(name: string): void {
    const shelf = this.#shelves.get(name);
    if (shelf === undefined) return;
    this.#octets -= shelf.octets;
    this.#shelves.remove(shelf);
  }

  #retuned(name: string): void {
    const shelf = this.#shelves.get(name);
    const entry = shelf?.newest?.request.link.entry;
    if (entry === undefined) return;
    this.#trim(shelf!, entry.inspect === "off" ? 0 : entry.inspectLast);
  }

  #trim(shelf: Shelf, last: number): void {
    while (shelf.length > last) this.#octets -= shelf.shift();
  }

  /** Whoever holds most gives its oldest, until all is within the bound. */
  #evict(): void {
    while (this.#octets > this.#max) {
      const largest = this.#shelves.largest;
      if (largest === null) return;
      this.#octets -= largest.shift();
    }
  }
}
