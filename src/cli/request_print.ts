/** Captured requests as text: a row each, or one whole as curl -v prints it. Whatever they hold, a terminal survives it. */
import { headLines } from "../core/http1/lines.ts";
import { oneLine } from "../log.ts";
import { type BodyJson, type FullRequestJson, type MessageJson, type RequestJson } from "./captured.ts";

const COLUMNS: readonly [name: string, width: number, of: (request: RequestJson) => string][] = [
  ["time", 12, ({ at }) => at.slice(11, 23)],
  ["id", 13, ({ id }) => id],
  ["link", 12, ({ link }) => link],
  ["status", 6, ({ status }) => status === 0 ? "–" : String(status)],
  ["ms", 7, ({ ms }) => milliseconds(ms)],
  ["in", 9, ({ bytesIn }) => String(bytesIn)],
  ["out", 9, ({ bytesOut }) => String(bytesOut)],
  ["method", 7, ({ method }) => method],
  ["path", 0, ({ path, code, verdict }) => path + told(code, verdict)],
];

/** What stands above rows. Widths are fixed, for rows that come one by one. */
export const REQUEST_HEAD = COLUMNS.map(([name, width]) => name.toUpperCase().padEnd(width)).join("  ");

/** One row. */
export function requestRow(request: RequestJson): string {
  return COLUMNS.map(([, width, of]) => oneLine(of(request)).padEnd(width)).join("  ");
}

/** The code of an answer that was connectd's own, or what a shadow link would have said. */
export function told(code: string | null, verdict: string | null): string {
  if (code !== null) return `  [${code}]`;
  return verdict === null ? "" : `  [would be ${verdict}]`;
}

/** `0.4`, `12`. */
export function milliseconds(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : String(Math.round(ms));
}

/** All of one: what it is, `>` before what was asked, `<` before what was answered. */
export function requestText(request: FullRequestJson): string {
  const { id, at, link, address, code, verdict, status, replayOf, times, response } = request;
  const steps = [
    `judged ${milliseconds(times.judged)}`,
    times.connected === null ? [] : `connected ${milliseconds(times.connected)}`,
    times.answered === null ? [] : `answered ${milliseconds(times.answered)}`,
    `over ${milliseconds(times.over)} ms`,
  ].flat().join(", ");
  const facts = [
    `${id}  ${at}  link ${link}  from ${address}`,
    ...(replayOf === null ? [] : [`sent again: ${replayOf}`]),
    steps,
    ...(code === null
      ? []
      : [`${code}${response === null && status > 0 ? `: connectd answered ${status}` : ""}`]),
    ...(code === null && verdict !== null ? [`shadow: would be refused, ${verdict}`] : []),
  ];
  return [
    ...facts.map((fact) => `* ${oneLine(fact)}`),
    ...messageText(request.request, ">"),
    ...(response === null ? [] : messageText(response, "<")),
  ].join("\n");
}

function messageText({ head, body }: MessageJson, sign: string): string[] {
  return [
    ...headLines(head).map((line) => `${sign} ${oneLine(line)}`),
    sign,
    ...(body === null ? [] : bodyLines(body)),
  ];
}

/** A body in lines that are safe; what is missing of it is said. */
export function bodyLines({ length, kept, encoding, text }: BodyJson): string[] {
  if (length === 0) return [];
  if (encoding === "base64") return [`[${length} octets that are no text]`];
  const lines = text.replace(/\n$/, "").split("\n").map(safe);
  return kept < length ? [...lines, `[the first ${kept} of ${length} octets]`] : lines;
}

/** Tabs, which only indent, stay. */
function safe(line: string): string {
  return line.replace(/\r$/, "").split("\t").map(oneLine).join("\t");
}
