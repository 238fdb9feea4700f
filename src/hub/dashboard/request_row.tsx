/** A request in a list, as the hub saw it: the same whether the list is read or grows while somebody looks at it. */
import { type Column, columnClass, Middle, Status, Time } from "../../pages/parts.tsx";
import { sizeWords } from "../../pages/words.ts";

/** A line of the hub's access log, as the API prints it. */
export interface RequestJson {
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  /** The link's id. */
  readonly link: string;
  readonly address: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly code: string | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly ms: number;
}

export const REQUEST_COLUMNS: readonly Column[] = [
  { label: "When" },
  { label: "Method" },
  { label: "Path", kind: "fill" },
  { label: "Status" },
  { label: "Code", minor: true },
  { label: "From", minor: true },
  { label: "ms", kind: "number" },
  { label: "In", kind: "number", minor: true },
  { label: "Out", kind: "number", minor: true },
  { label: "Request", minor: true },
];

export function RequestRow({ request, now }: { request: RequestJson; now: number }) {
  const { id, at, method, path, status, code, address, ms, bytesIn, bytesOut } = request;
  const cells = [
    <Time at={at} now={now} />,
    <span class="mono">{method}</span>,
    <Middle text={path} />,
    <Status status={status} />,
    <span class="mono">{code}</span>,
    <span class="mono">{address}</span>,
    String(Math.round(ms)),
    sizeWords(bytesIn),
    sizeWords(bytesOut),
    <span class="mono">{id}</span>,
  ];
  return (
    <tr id={`r-${id}`}>{cells.map((cell, i) => <td class={columnClass(REQUEST_COLUMNS[i])}>{cell}</td>)}</tr>
  );
}
