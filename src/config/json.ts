/** JSON bodies as nodes whose places are JSON pointers (RFC 6901). */
import { type At, MAX_DEPTH, type Node } from "./node.ts";

/** A JSON value ready to be read. */
export interface Json {
  readonly root: Node;
  /** The pointer of a place; with `missing`, of a member that is not there. */
  pointer(at: At, missing?: string): string;
}

/** Nodes of a parsed JSON value. What lies deeper than any key of ours reads as opaque, and `tooDeep` says where. */
export function fromJson(value: unknown): Json & { readonly tooDeep: At | null } {
  const pointers: string[] = [];
  let tooDeep: At | null = null;
  const root = toNode(value, "", 1);
  return {
    root,
    tooDeep,
    pointer: (at, missing) => missing === undefined ? pointers[at] : `${pointers[at]}/${camelCase(missing)}`,
  };

  function toNode(value: unknown, pointer: string, depth: number): Node {
    const at = pointers.push(pointer) - 1;
    switch (typeof value) {
      case "string":
        return { kind: "text", at, text: value, plain: false };
      case "number":
        return { kind: "number", at, text: String(value) };
      case "boolean":
        return { kind: "boolean", at, value };
    }
    if (value === null || typeof value !== "object") return { kind: "null", at };
    if (depth > MAX_DEPTH) {
      tooDeep ??= at;
      return { kind: "opaque", at };
    }
    if (Array.isArray(value)) {
      return { kind: "list", at, items: value.map((item, i) => toNode(item, `${pointer}/${i}`, depth + 1)) };
    }
    const pairs = Object.entries(value).map(([key, member]) => {
      const node = toNode(member, `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, depth + 1);
      return { key, at: node.at, value: node };
    });
    return { kind: "mapping", at, pairs };
  }
}

/** `max_body` as JSON spells it: `maxBody`. */
export function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
