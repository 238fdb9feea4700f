/** A request in a list, the same whether the list is read or grows while somebody looks at it. */
import { type Column, columnClass, Middle, Status, Time } from "../../../pages/parts.tsx";
import { sizeWords } from "../../../pages/words.ts";
import type { SeenJson } from "../../witnesses/live.ts";

export const REQUEST_COLUMNS: readonly Column[] = [
  { label: "When", minor: true },
  { label: "Link", minor: true },
  { label: "Method" },
  { label: "Path", kind: "fill" },
  { label: "Status" },
  { label: "Code", minor: true },
  { label: "ms", kind: "number" },
  { label: "In", kind: "number", minor: true },
  { label: "Out", kind: "number", minor: true },
];

export function RequestRow({ request, now }: { request: SeenJson; now: number }) {
  const { id, at, link, method, path, status, ms, bytesIn, bytesOut } = request;
  const cells = [
    <Time at={at} now={now} />,
    <a href={`/links/${encodeURIComponent(link)}`}>{link}</a>,
    <span class="mono">{method}</span>,
    <a href={`/requests/${encodeURIComponent(id)}`} data-row>
      <Middle text={path} />
    </a>,
    <Status status={status} />,
    <Why request={request} />,
    String(Math.round(ms)),
    sizeWords(bytesIn),
    sizeWords(bytesOut),
  ];
  return (
    <tr id={`r-${id}`}>{cells.map((cell, i) => <td class={columnClass(REQUEST_COLUMNS[i])}>{cell}</td>)}</tr>
  );
}

/** What connectd had to do with it: its own answer, or what a shadow link would have said. */
export function Why({ request: { code, verdict } }: { request: Pick<SeenJson, "code" | "verdict"> }) {
  if (code !== null) return <span class="mono">{code}</span>;
  return verdict === null ? null : <span class="mono quiet">{verdict} (shadow)</span>;
}
