/** Offsets of a text as lines and columns. */

export interface Place {
  /** Both 1-based; columns count UTF-16 units, as editors do. */
  readonly line: number;
  readonly column: number;
}

/** Where the lines of a text start. */
export class Lines {
  readonly #starts = [0];

  constructor(readonly text: string) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  /** The line and column of an offset. */
  place(offset: number): Place {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#starts[low] + 1 };
  }

  /** The text of a line without its end; "" where there is no such line. */
  line(line: number): string {
    const start = this.#starts[line - 1];
    if (start === undefined) return "";
    const text = this.text.slice(start, (this.#starts[line] ?? this.text.length + 1) - 1);
    return text.endsWith("\r") ? text.slice(0, -1) : text;
  }
}
