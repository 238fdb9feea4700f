/** What differs between two texts, line by line. */

/** A line of both (` `), of the first (`-`) or of the second (`+`). */
export interface DiffLine {
  readonly sign: " " | "-" | "+";
  readonly line: string;
}

/** Above so many pairs of lines nobody reads what would be found, and finding it would take seconds. */
const PAIRS_MAX = 4_000_000;

/** The shortest way from `a` to `b`; of texts beyond PAIRS_MAX all that is not the same at both ends is exchanged. */
export function diffLines(a: readonly string[], b: readonly string[]): DiffLine[] {
  const least = Math.min(a.length, b.length);
  let head = 0, tail = 0;
  while (head < least && a[head] === b[head]) head++;
  while (tail < least - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const both = (line: string): DiffLine => ({ sign: " ", line });
  return [
    ...a.slice(0, head).map(both),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(both),
  ];
}

function middle(a: readonly string[], b: readonly string[]): DiffLine[] {
  const taken = (line: string): DiffLine => ({ sign: "-", line });
  const added = (line: string): DiffLine => ({ sign: "+", line });
  if (a.length * b.length > PAIRS_MAX) return [...a.map(taken), ...b.map(added)];
  // Lengths of the longest common subsequence of what begins at i and j.
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      common[at] = a[i] === b[j] ? common[at + width + 1] + 1 : Math.max(common[at + width], common[at + 1]);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    const at = i * width + j;
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: " ", line: a[i++] });
      j++;
    } else if (j === b.length || (i < a.length && common[at + width] >= common[at + 1])) {
      lines.push(taken(a[i++]));
    } else lines.push(added(b[j++]));
  }
  return lines;
}

/** Lines of both that stand beside a difference, at most. */
const CONTEXT = 3;

/** Without long runs of lines of both: in their place one that says how many they are. */
export function shortened(lines: readonly DiffLine[]): string[] {
  const near = (at: number) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ sign }) => sign !== " ");
  const shown: string[] = [];
  let left = 0;
  lines.forEach(({ sign, line }, at) => {
    if (!near(at)) return void left++;
    if (left > 0) shown.push(`  … ${left} lines the same`);
    left = 0;
    shown.push(`${sign} ${line}`);
  });
  if (left > 0) shown.push(`  … ${left} lines the same`);
  return shown;
}
