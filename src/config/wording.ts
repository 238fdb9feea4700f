/** What messages have in common: how a value is called, and what may have been meant. */
import { oneLine } from "../log.ts";
import type { Node } from "./node.ts";
import type { Context } from "./context.ts";
import { nearest } from "./suggest.ts";

/** Where YAML 1.1 read a boolean. Whoever wrote it without quotes may have meant either. */
export const YAML_1_1_BOOLEAN = /^(?:on|off|yes|no)$/i;
/** What YAML 1.1 read as a date. */
export const DATE = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt \t].*)?$/;

/** Reports a value of the wrong kind; one that is opaque has been reported. */
export function wrongType(node: Node, wants: string, context: Context): undefined {
  if (node.kind === "opaque") return;
  const hint = unquotedHint(node);
  context.report(node.at, {
    code: "wrong_type",
    message: `${described(node)} where ${wants} is due`,
    ...(hint === null ? {} : { hint }),
  });
}

function described(node: Node): string {
  switch (node.kind) {
    case "text":
      return node.plain ? `the text ${oneLine(node.text.slice(0, 60))}` : `the text ${quoted(node.text)}`;
    case "number":
      return `the number ${node.text.slice(0, 60)}`;
    case "boolean":
      return String(node.value);
    case "null":
      return "nothing";
    default:
      return `a ${node.kind}`;
  }
}

function unquotedHint(node: Node): string | null {
  if (node.kind === "text" && node.plain && YAML_1_1_BOOLEAN.test(node.text)) {
    return `a boolean is written true or false, the text "${node.text}" in quotes`;
  }
  if (node.kind === "text" && node.plain && DATE.test(node.text)) {
    return "text that looks like a date needs quotes";
  }
  return null;
}

/** `, did you mean "x"?` where one of `candidates` is close. */
export function meant(text: string, candidates: Iterable<string>): string {
  const close = nearest(text, candidates);
  return close === null ? "" : `; did you mean "${close}"?`;
}

/** Text of a file within a message: in quotes, on one line, not endless. */
export function quoted(text: string): string {
  return oneLine(JSON.stringify(text.length > 60 ? text.slice(0, 60) + "…" : text));
}
