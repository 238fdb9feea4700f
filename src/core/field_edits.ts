/**
 * What a link's owner changes of heads on their way (`headers` of a link): fields that are set, fields that are taken
 * out. The policy has judged by then, on what the visitor sent; nothing that frames a message or tells where it came
 * from can be changed.
 */
import { Kind, kindOf } from "./http1/names.ts";
import { Secret } from "./secret.ts";
import { quote } from "./units.ts";

/** Changes of one kind of head. A value may be a credential towards the target. */
export interface EditsSpec {
  readonly set: readonly (readonly [name: string, value: Secret])[];
  readonly remove: readonly string[];
}

/** Null: nothing is changed. */
export interface HeadersSpec {
  readonly request: EditsSpec | null;
  readonly response: EditsSpec | null;
}

/**
 * How many fields one kind of head may set and take out together, and the octets of what it sets. A hub reads heads of
 * so much more than a target's.
 */
export const EDIT_LIMITS = { fields: 32, octets: 16 * 1024 } as const;

/** A name as it is compared: in lower case, `_` as `-`, since CGI and its kin read both alike. */
export function editedName(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

const FRAMES = "belongs to the connection or frames the message, which connectd sees to";
const ORIGIN = "tells where a request came from, which only connectd may";

/** Why a field of a kind can't be changed in any head. */
const FIXED: Readonly<Record<number, string>> = {
  [Kind.HOST]: "is what `host` is for",
  [Kind.CONTENT_LENGTH]: FRAMES,
  [Kind.TRANSFER_ENCODING]: FRAMES,
  [Kind.UPGRADE]: FRAMES,
  [Kind.EXPECT]: FRAMES,
  [Kind.PROXY_CONNECTION]: FRAMES,
  [Kind.CONNECTION]: FRAMES,
  [Kind.TE]: FRAMES,
  [Kind.HOP]: FRAMES,
  [Kind.PROXY]: "is for proxies, and never forwarded",
};

/** The same of requests only. */
const FIXED_IN_REQUESTS: Readonly<Record<number, string>> = {
  [Kind.FORWARDING]: ORIGIN,
  [Kind.CDN_LOOP]: ORIGIN,
  [Kind.OVERRIDE]: "would name another method or path to the target than the policy saw",
};

/** Throws SyntaxError unless the field `name` may be set and taken out of heads of that kind. */
export function checkEditable(name: string, head: "request" | "response"): void {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/.test(name)) {
    throw new SyntaxError(`${quote(name)} is no name of a field`);
  }
  const bare = editedName(name);
  const kind = kindOf(bare, 0, bare.length);
  const why = bare === "trailer"
    ? FRAMES
    : FIXED[kind] ?? (head === "request" ? FIXED_IN_REQUESTS[kind] : undefined);
  if (why !== undefined) throw new SyntaxError(`${quote(name)} can not be changed: it ${why}`);
}

/** Throws SyntaxError unless `value` may stand in a field: visible ASCII, blanks and tabs. It is never quoted. */
export function checkFieldValue(value: string): void {
  if (!/^[\t\x20-\x7e]*$/.test(value)) {
    throw new SyntaxError("the value of a field is one line of visible ASCII, blanks and tabs");
  }
}

/** Changes of one kind of head, ready to be made. */
export class FieldEdits {
  /** The field lines that are set. */
  readonly lines: string;
  readonly #names: ReadonlySet<string>;

  /** Of a spec that was checked. */
  constructor({ set, remove }: EditsSpec) {
    this.lines = set.map(([name, value]) => `${name}: ${value.expose()}\r\n`).join("");
    this.#names = new Set([...set.map(([name]) => name), ...remove].map(editedName));
  }

  /** True where the field with the name text[from, to) goes: it is taken out, or set to something else. */
  drops(text: string, from: number, to: number): boolean {
    return this.#names.has(editedName(text.slice(from, to)));
  }

  /** Trailers, raw lines each with CRLF, without what the head must not have either. */
  trailers(lines: string): string {
    if (lines === "") return lines;
    return lines.split("\r\n").slice(0, -1)
      .filter((line) => !this.drops(line, 0, line.indexOf(":")))
      .map((line) => `${line}\r\n`).join("");
  }
}

/** The changes of both kinds of head; null where there are none. */
export function compileEdits(
  spec: HeadersSpec | null,
): { readonly request: FieldEdits | null; readonly response: FieldEdits | null } {
  const made = (edits: EditsSpec | null | undefined) => edits ? new FieldEdits(edits) : null;
  return { request: made(spec?.request), response: made(spec?.response) };
}

/** The canonical text: `request set X-Key: ***, remove Cookie; response …`. No value is shown. */
export function printHeaders({ request, response }: HeadersSpec): string {
  const side = (word: string, edits: EditsSpec | null) =>
    edits === null ? [] : [`${word} ${
      [
        ...edits.set.map(([name, value]) => `set ${name}: ${value}`),
        ...edits.remove.map((name) => `remove ${name}`),
      ].join(", ")
    }`];
  return [...side("request", request), ...side("response", response)].join("; ");
}

/** As the APIs print it: the form of the file, with `***` for every value. */
export function headersJson(spec: HeadersSpec | null) {
  const side = (edits: EditsSpec | null) =>
    edits && {
      set: Object.fromEntries(edits.set.map(([name, value]) => [name, String(value)])),
      remove: edits.remove,
    };
  return spec && { request: side(spec.request), response: side(spec.response) };
}

/** A spec with its values in the clear, as JSON: for the daemon's own store, and to tell two apart. */
export function exposeHeaders(spec: HeadersSpec | null): unknown {
  const side = (edits: EditsSpec | null) =>
    edits && { set: edits.set.map(([name, value]) => [name, value.expose()]), remove: edits.remove };
  return spec && { request: side(spec.request), response: side(spec.response) };
}

/** What `exposeHeaders` gave, as a spec again. */
export function hideHeaders(exposed: unknown): HeadersSpec | null {
  type Exposed = { set: [string, string][]; remove: string[] } | null;
  const side = (edits: Exposed): EditsSpec | null =>
    edits && { set: edits.set.map(([name, value]) => [name, new Secret(value)]), remove: edits.remove };
  const spec = (exposed ?? null) as { request: Exposed; response: Exposed } | null;
  return spec && { request: side(spec.request), response: side(spec.response) };
}
