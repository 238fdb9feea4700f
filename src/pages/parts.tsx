/** The small things that pages are put together from. */
import type { Child } from "hono/jsx";
import { relativeWords } from "./words.ts";

/** What each state looks like: a colour and a shape, besides its word. */
const MARKS: Readonly<Record<string, readonly [shape: string, tone: string]>> = {
  active: ["●", "good"],
  connected: ["●", "good"],
  pending: ["◌", "wait"],
  connecting: ["◌", "wait"],
  offline: ["○", "off"],
  replaced: ["○", "off"],
  refused: ["▲", "bad"],
  ignored: ["○", "off"],
  expired: ["◷", "off"],
  revoked: ["✕", "off"],
  error: ["▲", "bad"],
};

export function StateMark({ state }: { state: string }) {
  const [shape, tone] = MARKS[state] ?? ["◇", "off"];
  return (
    <span class={`state ${tone}`}>
      <span aria-hidden="true">{shape}</span> {state}
    </span>
  );
}

/** A status, with a mark beside its colour. 0: no answer was sent. */
export function Status({ status }: { status: number }) {
  const [mark, tone] = status === 0 || status >= 500
    ? ["▲", "bad"]
    : status >= 400
    ? ["✕", "wait"]
    : ["●", "good"];
  return (
    <span class={`state mono ${tone}`}>
      <span aria-hidden="true">{mark}</span> {status === 0 ? "none" : status}
    </span>
  );
}

/** A time (RFC 3339) as seen from `now`; null prints `none`. It counts on by itself where there is a script. */
export function Time({ at, now, none = "never" }: { at: string | null; now: number; none?: string }) {
  if (at === null) return <span>{none}</span>;
  return <time datetime={at} title={at} data-tick>{relativeWords(Date.parse(at), now)}</time>;
}

/** So much of the end is always seen: it tells one URL, or one path, from the next. */
const END = 12;

/** A long text that is cut in the middle where there is no room, and shown whole in its title. */
export function Middle({ text }: { text: string }) {
  const cut = Math.max(0, text.length - END);
  return (
    <span class="trim mono" title={text}>
      <span>{text.slice(0, cut)}</span>
      <span>{text.slice(cut)}</span>
    </span>
  );
}

/** The URL of a link: its first label, which tells it from the next, is always seen, and what all have in common is cut. */
function Address({ url }: { url: string }) {
  const [, lead, rest] = /^https?:\/\/([^.:/]*)(.*)$/.exec(url)!;
  return (
    <span class="trim lead mono" title={url}>
      <span>{lead}</span>
      <span>{rest}</span>
    </span>
  );
}

/** Copies `text`, or the text of the element `#id`. */
export function Copy({ text, what, word = "copy" }: { text: string; what: string; word?: string }) {
  return (
    <button type="button" class="bare scripted" data-copy={text} aria-label={`Copy ${what}`}>{word}</button>
  );
}

/** A link's URL, to open and to copy. `whole`: there is room for it. */
export function Url({ url, whole }: { url: string | null; whole?: boolean }) {
  if (url === null) return <span class="quiet">none yet</span>;
  // A daemon hears it from its hub, which is not trusted with what happens here.
  if (!/^https?:\/\//.test(url)) return <Middle text={url} />;
  return (
    <span class="url">
      <a href={url} rel="noreferrer" target="_blank">
        {whole ? <Middle text={url} /> : <Address url={url} />}
      </a>
      <Copy text={url} what="the URL" />
    </span>
  );
}

/** Names and what they are; a null value leaves its row out. */
export function Fields({ rows }: { rows: readonly (readonly [name: string, value: Child | null])[] }) {
  return (
    <dl>
      {rows.filter(([, value]) => value !== null).map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  );
}

/** A column of a table. */
export interface Column {
  readonly label: string;
  /** Its cells are boxes, and its head is one for all of them. */
  readonly boxes?: true;
  readonly kind?: "number" | "fill";
  /** It goes where there is little room. */
  readonly minor?: true;
}

/** The classes of a column's cells. */
export function columnClass({ kind, minor }: Column): string | undefined {
  return [kind, minor && "minor"].filter(Boolean).join(" ") || undefined;
}

/** A table; `rows` are its `<tr>`. `keep`: the script puts new rows on top and holds at most so many. */
export function Table(
  { label, columns, keep, hidden, children }: {
    label: string;
    columns: readonly Column[];
    keep?: number;
    hidden?: boolean;
    children?: Child;
  },
) {
  return (
    <div class="scroll" hidden={hidden}>
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th scope="col" class={columnClass(column)}>
                {column.boxes ? <All label={column.label} /> : column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody data-rows={keep}>{children}</tbody>
      </table>
    </div>
  );
}

function All({ label }: { label: string }) {
  return <input type="checkbox" class="scripted" aria-label={`${label} all`} data-all />;
}

/** Something that the reader should know before the rest. */
export function Notice({ tone, children }: { tone?: "good" | "bad" | "wait"; children?: Child }) {
  return <div class={`notice ${tone ?? ""}`} role={tone === "bad" ? "alert" : undefined}>{children}</div>;
}

/** A command to type, ready to copy. */
export function Command({ text }: { text: string }) {
  return (
    <p class="row">
      <code>{text}</code>
      <Copy text={text} what="the command" />
    </p>
  );
}

/** The way to the next page of a list. */
export function More({ href, word = "Older" }: { href: string | null; word?: string }) {
  return href === null ? null : (
    <p>
      <a class="button" href={href}>{word}</a>
    </p>
  );
}

/** What is wrong with a file, where, and what to do, as `text` prints it: source line and caret. */
export function Problem({ severity, text }: { severity: "error" | "warning"; text: string }) {
  return (
    <Notice tone={severity === "error" ? "bad" : "wait"}>
      <pre>{text}</pre>
    </Notice>
  );
}
