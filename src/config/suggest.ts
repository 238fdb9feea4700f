/** "Did you mean …?" */

/** The candidate that `text` is a slip of: at most one edit in four letters, and at least one allowed; else null. */
export function nearest(text: string, candidates: Iterable<string>): string | null {
  // Nobody types a name of this length by hand, and the work grows with the square.
  if (text.length > 64) return null;
  let best: string | null = null;
  let bestEdits = Infinity;
  for (const candidate of candidates) {
    const allowed = Math.max(1, Math.floor(Math.max(text.length, candidate.length) / 4));
    if (Math.abs(text.length - candidate.length) > allowed) continue;
    const edits = distance(text.toLowerCase(), candidate.toLowerCase());
    if (edits <= allowed && edits < Math.min(bestEdits, candidate.length)) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}

/** Damerau-Levenshtein in its restricted form: inserts, deletes, replacements, swaps of neighbours. */
export function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const differs = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + differs);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
      }
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}
