/** What is kept of each link, and which link holds most. */
import type { Kept } from "./capture.ts";

/** The captures of one link, the oldest first. */
export class Shelf {
  octets = 0;
  /** Which of the sets in Shelves it is in. */
  size = 0;
  #captures: Kept[] = [];
  /** Those before it are gone. */
  #from = 0;

  constructor(readonly name: string, private readonly resized: (shelf: Shelf) => void) {}

  get length(): number {
    return this.#captures.length - this.#from;
  }

  get newest(): Kept | undefined {
    return this.length === 0 ? undefined : this.#captures[this.#captures.length - 1];
  }

  *captures(): Generator<Kept> {
    for (let i = this.#from; i < this.#captures.length; i++) yield this.#captures[i];
  }

  push(capture: Kept): void {
    this.#captures.push(capture);
    this.#add(capture.weight + capture.held);
  }

  /** Takes the oldest away, which must be there; returns what it held. */
  shift(): number {
    const { weight, held } = this.#captures[this.#from];
    // The array goes on referring to it until then; half of it may be so.
    this.#captures[this.#from++] = GONE;
    if (this.#from * 2 > this.#captures.length) {
      this.#captures = this.#captures.slice(this.#from);
      this.#from = 0;
    }
    this.#add(-weight - held);
    return weight + held;
  }

  #add(octets: number): void {
    this.octets += octets;
    this.resized(this);
  }
}

const GONE = null as unknown as Kept;

/** All shelves, in sets by the binary logarithm of what they hold: the largest is found without a look at the others. */
export class Shelves {
  readonly #named = new Map<string, Shelf>();
  readonly #bySize: readonly Set<Shelf>[] = Array.from({ length: 33 }, () => new Set());

  has(name: string): boolean {
    return this.#named.has(name);
  }

  get(name: string): Shelf | undefined {
    return this.#named.get(name);
  }

  all(): Iterable<Shelf> {
    return this.#named.values();
  }

  /** An empty one, unless there is one under this name. */
  add(name: string): void {
    if (!this.#named.has(name)) this.#named.set(name, new Shelf(name, this.#resized));
  }

  remove(shelf: Shelf): void {
    this.#named.delete(shelf.name);
    this.#bySize[shelf.size].delete(shelf);
  }

  /** One that holds at least half of what any other does; null: all are empty. */
  get largest(): Shelf | null {
    for (let size = 32; size > 0; size--) {
      for (const shelf of this.#bySize[size]) return shelf;
    }
    return null;
  }

  readonly #resized = (shelf: Shelf): void => {
    const size = 32 - Math.clz32(shelf.octets);
    if (size === shelf.size) return;
    this.#bySize[shelf.size].delete(shelf);
    this.#bySize[size].add(shelf);
    shelf.size = size;
  };
}
