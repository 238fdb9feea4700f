/** The values a configuration is read from, each with its place: what YAML files and JSON bodies have in common. */

/** Where a value starts: an offset into the text of a file, or the number of a JSON pointer. */
export type At = number;

/** A scalar that is written without quotes is `plain`; then YAML 1.1 habits (`on`, dates) show. */
export type Node =
  | { readonly kind: "text"; readonly at: At; readonly text: string; readonly plain: boolean }
  /** `text` is how the number is written. */
  | { readonly kind: "number"; readonly at: At; readonly text: string }
  | { readonly kind: "boolean"; readonly at: At; readonly value: boolean }
  | { readonly kind: "null"; readonly at: At }
  | { readonly kind: "list"; readonly at: At; readonly items: readonly Node[] }
  | { readonly kind: "mapping"; readonly at: At; readonly pairs: readonly Pair[] }
  /** Already reported (an alias, a tag): nothing more is said about it. */
  | { readonly kind: "opaque"; readonly at: At };

export interface Pair {
  readonly key: string;
  readonly at: At;
  readonly value: Node;
}

export type Kind = Node["kind"];

/** Deeper nesting is refused: no key of ours lies below level 5, and recursion must end. */
export const MAX_DEPTH = 20;
