/** Paths that admit nothing more, because another one of the list covers them. */
import { covers, printPattern } from "../core/paths.ts";
import type { Context } from "./context.ts";
import type { Found } from "./schema.ts";
import { quoted } from "./wording.ts";

/** Segments of patterns as a tree: whatever covers a pattern lies on its way down, by its name or by a star. */
class Branch {
  /** The earliest pattern of each kind that ends here; later ones are its equals. */
  readonly ends = new Map<string, number>();
  readonly #next = new Map<string, Branch>();

  /** The branch of a segment, grown where there is none. */
  grow(segment: string): Branch {
    let branch = this.#next.get(segment);
    if (branch === undefined) this.#next.set(segment, branch = new Branch());
    return branch;
  }

  /** All branches on the way of a pattern. */
  *walk(segments: readonly string[], from = 0): Generator<Branch> {
    yield this;
    if (from === segments.length) return;
    for (const segment of new Set([segments[from], "*"])) {
      yield* this.#next.get(segment)?.walk(segments, from + 1) ?? [];
    }
  }
}

/** `= /a/*\/b/` as its kind (a prefix, an exact path, one with a slash at its end) and its segments. */
function split(pattern: string): { kind: string; segments: string[] } {
  const [, kind, path, slash] = /^(= )?(.*?)(\/?)$/s.exec(printPattern(pattern))!;
  return { kind: `${kind ?? ""}${slash}`, segments: path.split("/").slice(1) };
}

/**
 * Warns of each pattern that another one covers; of equal ones, the later is the one too many. A tree, because a list
 * may be long and comparing all with all would hold a reload up.
 */
export function warnShadowed(patterns: readonly Found<string>[], context: Context): void {
  const root = new Branch();
  const ways = patterns.map(({ value }) => split(value));
  ways.forEach(({ kind, segments }, i) => {
    const end = segments.reduce((branch, segment) => branch.grow(segment), root);
    if (!end.ends.has(kind)) end.ends.set(kind, i);
  });
  patterns.forEach(({ value, at }, i) => {
    const by = coveredBy(i);
    if (by === undefined) return;
    const message = `${quoted(by)} covers ${quoted(value)}, which admits nothing more`;
    context.report(at, { severity: "warning", code: "shadowed", message });
  });

  function coveredBy(i: number): string | undefined {
    const { value } = patterns[i];
    for (const { ends } of root.walk(ways[i].segments)) {
      for (const j of ends.values()) {
        const other = patterns[j].value;
        if (j !== i && covers(other, value) && (j < i || !covers(value, other))) return other;
      }
    }
  }
}
