/** A body that somebody else sent, in a form to read: text, JSON as a tree, octets, a picture. Never as a document. */
import { Buffer } from "node:buffer";
import { countWords } from "./words.ts";

/** Beyond these a page would be nothing but the body, and slow. */
const HEX_MAX = 4 * 1024;
const NODES_MAX = 1_000;
const DEPTH_MAX = 40;

/** How a body can be looked at. */
export const VIEWS = ["text", "json", "hex", "image"] as const;
export type View = typeof VIEWS[number];

export interface BodyProps {
  readonly bytes: Uint8Array;
  /** Null: it is not all text. */
  readonly text: string | null;
}

/** The views that fit, the most telling first. */
export function viewsOf(body: BodyProps): View[] {
  return [
    ...(pictureType(body.bytes) === null ? [] : ["image" as const]),
    ...(body.text === null || parseTree(body.text) === undefined ? [] : ["json" as const]),
    ...(body.text === null ? [] : ["text" as const]),
    "hex",
  ];
}

export function BodyView({ body, view, id }: { body: BodyProps; view: View; id: string }) {
  const { bytes, text } = body;
  const type = pictureType(bytes);
  if (view === "image" && type !== null) {
    const data = Buffer.from(bytes).toString("base64");
    return (
      <img
        class="body"
        src={`data:${type};base64,${data}`}
        alt={`${countWords(bytes.length, "octet")} of ${type}`}
      />
    );
  }
  const tree = view === "json" && text !== null ? parseTree(text) : undefined;
  if (tree !== undefined) return <Tree value={tree} left={{ nodes: NODES_MAX }} depth={0} />;
  if (view !== "hex" && text !== null) return <pre id={id} class="wrap">{text}</pre>;
  return (
    <>
      <pre id={id}>{hexDump(bytes.subarray(0, HEX_MAX))}</pre>
      {bytes.length > HEX_MAX && <small>the first {countWords(HEX_MAX, "octet")}</small>}
    </>
  );
}

/** The picture formats that can hold no script, by how they begin: what a sender calls them is not asked. */
const PICTURES: readonly (readonly [type: string, begins: RegExp])[] = [
  // deno-lint-ignore no-control-regex
  ["image/png", /^\x89PNG\r\n\x1a\n/],
  ["image/jpeg", /^\xff\xd8\xff/],
  ["image/gif", /^GIF8[79]a/],
  ["image/webp", /^RIFF[^]{4}WEBP/],
];

function pictureType(bytes: Uint8Array): string | null {
  const lead = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(16, bytes.length)).toString("latin1");
  return PICTURES.find(([, begins]) => begins.test(lead))?.[0] ?? null;
}

/** An object or a list; undefined: it is no such JSON. */
function parseTree(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `left`: so many values may still be shown on the page. */
function Tree(
  { name, value, left, depth }: { name?: string; value: unknown; left: { nodes: number }; depth: number },
) {
  left.nodes--;
  const label = name === undefined ? null : <span class="quiet">{name}:</span>;
  if (typeof value !== "object" || value === null) {
    return <div class="leaf">{label}{JSON.stringify(value)}</div>;
  }
  const entries = Object.entries(value);
  const shown = depth >= DEPTH_MAX ? [] : entries.slice(0, Math.max(0, left.nodes));
  const size = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  return (
    <details class="tree" open={depth < 3}>
      <summary>{label}{size}</summary>
      {shown.map(([key, part]) =>
        left.nodes > 0 ? <Tree name={key} value={part} left={left} depth={depth + 1} /> : null
      )}
      {(shown.length < entries.length || left.nodes <= 0) && (
        <div class="leaf quiet">and more: see the text</div>
      )}
    </details>
  );
}

/** `00000010  68 65 6c 6c 6f 0a …  |hello.|`, 16 octets a line. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = [...bytes.subarray(at, at + 16)];
    const hex = part.map((octet) => octet.toString(16).padStart(2, "0")).join(" ").padEnd(47);
    const text = part.map((octet) => octet > 31 && octet < 127 ? String.fromCharCode(octet) : ".").join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${hex}  |${text}|`);
  }
  return lines.join("\n");
}
