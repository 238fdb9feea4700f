/** Many durations in ms, and what is said of them. */
export class Times {
  readonly #all: number[] = [];

  add(ms: number): void {
    this.#all.push(ms);
  }

  get count(): number {
    return this.#all.length;
  }

  /** The value that the share `q` of all does not exceed; 0 where there is none. */
  quantile(q: number): number {
    const sorted = this.#all.toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
  }

  toString(): string {
    const [p50, p99, max] = [0.5, 0.99, 1].map((q) => `${(this.quantile(q) / 1000).toFixed(2)} s`);
    return `p50 ${p50}, p99 ${p99}, max ${max} of ${this.#all.length}`;
  }
}
