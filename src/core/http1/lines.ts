/** A head's text taken apart for showing it: nothing is judged by this. */

/** Its lines without their ends: the first one, then the fields as they stand. */
export function headLines(head: string): string[] {
  return head.split("\r\n").slice(0, -2);
}

/** Name and value of a field's line. */
export function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
