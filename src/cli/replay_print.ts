/** Two answers to one request, held against each other. */
import { headLines } from "../core/http1/lines.ts";
import { oneLine } from "../log.ts";
import { type BodyJson, type FullRequestJson, octetsOf } from "./captured.ts";
import { diffLines, shortened } from "./line_diff.ts";
import { table } from "./print.ts";
import { bodyLines, milliseconds } from "./request_print.ts";

/** The answers side by side, then what differs in fields and bodies: `-` before, `+` now. */
export function comparison(before: FullRequestJson, now: FullRequestJson): string {
  const rows = [before, now].map((request, i) => [
    i === 0 ? "before" : "now",
    request.id,
    statusOf(request),
    milliseconds(request.ms),
    String(request.bytesOut),
  ]);
  const parts = [table(["", "id", "answer", "ms", "octets"], rows, "")];
  const [a, b] = [before.response, now.response];
  if (a !== null && b !== null) {
    parts.push(
      ...differing("fields", fieldsOf(a.head), fieldsOf(b.head)),
      ...differingBodies(a.body, b.body),
    );
  } else if (b !== null) parts.push([...headLines(b.head).map(oneLine), "", ...lines(b.body)].join("\n"));
  return parts.join("\n");
}

function statusOf({ status, code, response }: FullRequestJson): string {
  const line = response === null ? undefined : headLines(response.head)[0].slice("HTTP/1.1 ".length);
  const said = line ?? (status === 0 ? "none" : String(status));
  return code === null ? said : `${said} [${code}]`;
}

/** In the order of their names: servers change the other one. */
function fieldsOf(head: string): string[] {
  return headLines(head).slice(1).map(oneLine).sort();
}

function differing(what: string, a: readonly string[], b: readonly string[]): string[] {
  const diff = diffLines(a, b);
  return diff.every(({ sign }) => sign === " ")
    ? [`${what}: the same`]
    : [`${what}:`, ...diff.filter(({ sign }) => sign !== " ").map(({ sign, line }) => `${sign} ${line}`)];
}

function differingBodies(a: BodyJson | null, b: BodyJson | null): string[] {
  if (a === null || b === null) {
    return [
      "body: not kept (`inspect: bodies` on the link keeps those that come)",
    ];
  }
  const [before, now] = [octetsOf(a), octetsOf(b)];
  const same = a.length === b.length && before.length === now.length &&
    before.every((octet, i) => octet === now[i]);
  if (same) return [`body: the same${a.kept < a.length ? ` as far as it was kept, ${a.kept} octets` : ""}`];
  const diff = shortened(diffLines(lines(a), lines(b)));
  // Octets that do not show: line ends, or of what is no text.
  return diff.every((line) => line.startsWith(" ")) ? ["body: other octets"] : ["body:", ...diff];
}

function lines(body: BodyJson | null): string[] {
  return body === null ? [] : bodyLines(body);
}
