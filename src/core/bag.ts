/** A set of things that know their place in it: nothing is looked up, and nothing is left behind. */

/** Who can be in one bag at a time. */
export interface Bagged {
  /** Written by the bag only; -1: in none. */
  place: number;
}

/**
 * A Set would do, but one that is filled and emptied with every request costs the collector much: whenever its table is
 * made anew, the old one lives on until the next full collection, and with it all that it held.
 */
export class Bag<T extends Bagged> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    item.place = this.#items.push(item) - 1;
  }

  /** Takes out `item`, which is in it. */
  delete(item: T): void {
    const last = this.#items.pop()!;
    if (last !== item) {
      this.#items[item.place] = last;
      last.place = item.place;
    }
    item.place = -1;
  }

  /** What is in it now; the bag may change meanwhile. */
  items(): T[] {
    return [...this.#items];
  }
}
