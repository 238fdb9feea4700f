/** A map of bounded size: when it is full, what was used longest ago makes room. */

interface Item<V> {
  readonly key: string;
  readonly value: V;
  /** Neighbours in the order of use. The list's own ends are one item, so that none has to be looked out for. */
  older: Item<V>;
  newer: Item<V>;
}

/**
 * Every operation takes constant time. A plain Map in the order of insertion does not: to find its first key it walks
 * over all that were deleted before, which measured 8 µs for each new address under a flood of them.
 */
export class Recent<V> {
  readonly #items = new Map<string, Item<V>>();
  readonly #most: number;
  /** `newer` is the item used longest ago, `older` the one used last. */
  readonly #ends: Item<V>;

  constructor(most: number) {
    this.#most = most;
    const ends = { key: "", value: undefined } as unknown as Item<V>;
    ends.older = ends.newer = ends;
    this.#ends = ends;
  }

  get size(): number {
    return this.#items.size;
  }

  /** The value of `key`, which counts as used now. */
  use(key: string): V | undefined {
    const item = this.#items.get(key);
    if (item === undefined) return undefined;
    if (item !== this.#ends.older) {
      unlink(item);
      this.#append(item);
    }
    return item.value;
  }

  /** The value of `key`, which stays in its place. */
  peek(key: string): V | undefined {
    return this.#items.get(key)?.value;
  }

  /** Adds a key that is not there, as the one used last. */
  add(key: string, value: V): void {
    if (this.#items.size >= this.#most) {
      const oldest = this.#ends.newer;
      unlink(oldest);
      this.#items.delete(oldest.key);
    }
    const item: Item<V> = { key, value, older: this.#ends, newer: this.#ends };
    this.#append(item);
    this.#items.set(key, item);
  }

  /** Keys and values, what was used longest ago first. */
  *entries(): Generator<[string, V]> {
    for (let item = this.#ends.newer; item !== this.#ends; item = item.newer) yield [item.key, item.value];
  }

  #append(item: Item<V>): void {
    const last = this.#ends.older;
    item.older = last;
    item.newer = this.#ends;
    last.newer = item;
    this.#ends.older = item;
  }
}

function unlink<V>(item: Item<V>): void {
  item.older.newer = item.newer;
  item.newer.older = item.older;
}
