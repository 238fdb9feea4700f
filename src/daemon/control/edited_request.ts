/** A captured request as it is sent again: just as it was, or with edits, which are read as a visitor's would be. */
import { ApiProblem, type BodyError } from "../../api/problem.ts";
import { type Field, Malformed } from "../../core/errors.ts";
import { RequestReader } from "../../core/http1/head.ts";
import type { RequestHead } from "../../core/http1/types.ts";
import { toBytes } from "../../core/latin1.ts";
import type { Kept } from "../witnesses/capture.ts";
import { BODY_MAX } from "../witnesses/kept_body.ts";
import { eachParameter, HIDDEN, Redaction } from "../witnesses/redaction.ts";

/** What is to be another; absent: it is as it was. */
export interface Edit {
  readonly method?: string;
  readonly target?: string;
  /** All fields; one whose value is `***`, as it is shown, has the value that is not shown. */
  readonly headers?: readonly Field[];
  readonly body?: Uint8Array;
}

/** What goes out. */
export interface Outgoing {
  readonly head: RequestHead;
  readonly body: Uint8Array;
  readonly trailers: string;
}

const NONE = new Uint8Array(0);

/** `capture` as it was: octet for octet. Throws ApiProblem where not the whole of it is there. */
export function asItWas(capture: Kept): Outgoing {
  return { head: capture.request.head, body: bodyOf(capture), trailers: capture.trailers };
}

/** `capture` with `edit`; what frames the body is written anew. Throws ApiProblem that points at what is wrong. */
export function edited(capture: Kept, edit: Edit): Outgoing {
  const { request: { head, link }, trailers } = capture;
  const hidden = new Hidden(head, new Redaction(link.entry.inspectRedact));
  const method = edit.method ?? head.method;
  const target = edit.target === undefined ? head.target : hidden.target(edit.target);
  const fields = edit.headers === undefined ? head.fields : hidden.fields(edit.headers);
  const body = edit.body ?? bodyOf(capture);
  const chunked = edit.body === undefined && head.framing.kind === "chunked";
  const framing: Field | null = chunked
    ? ["Transfer-Encoding", "chunked"]
    : body.length > 0 || head.framing.kind !== "none"
    ? ["Content-Length", String(body.length)]
    : null;
  const lines = framed(fields, framing).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const text = `${method} ${target} HTTP/1.${head.minor}\r\n${lines}\r\n`;
  return { head: read(text, method, target), body, trailers: chunked ? trailers : "" };
}

/** All of the body. Throws ApiProblem. */
function bodyOf({ request: { head }, whole, asked, seen }: Kept): Uint8Array {
  const { framing } = head;
  if (framing.kind === "none" || (framing.kind === "length" && framing.length === 0)) return NONE;
  if (!whole) throw lacking("Its body had not come when it was answered");
  if (seen.outcome.bytesIn === 0) return NONE;
  if (asked === null) {
    throw lacking("Its body was not kept; set `inspect: bodies` on its link for those that come");
  }
  if (!asked.whole) {
    throw lacking(`Only the beginning of its body was kept, at most ${BODY_MAX / 1024} KiB of any`);
  }
  return asked.bytes;
}

function lacking(why: string): ApiProblem {
  return new ApiProblem(422, "body_missing", `${why}: it can be sent again with another body only.`);
}

/** RFC 9110 §5.6.2. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// deno-lint-ignore no-control-regex
const LATIN1 = /^[\u0000-\u00ff]*$/;
const FRAMING: readonly string[] = ["content-length", "transfer-encoding"];

/** `fields` with `framing` in place of the first that frames a body, at the end where there is none. */
function framed(fields: readonly Field[], framing: Field | null): Field[] {
  const at = fields.findIndex(([name]) => FRAMING.includes(name.toLowerCase()));
  const isOther = ([name]: Field) => !FRAMING.includes(name.toLowerCase());
  if (at < 0) return framing === null ? [...fields] : [...fields, framing];
  return [
    ...fields.slice(0, at),
    ...(framing === null ? [] : [framing]),
    ...fields.slice(at).filter(isOther),
  ];
}

/** The codec is the judge, as it is of visitors. Throws ApiProblem. */
function read(text: string, method: string, target: string): RequestHead {
  const reader = new RequestReader();
  try {
    if (!LATIN1.test(text)) throw new Malformed("bad_request", "a character that is no octet");
    const bytes = toBytes(text);
    const used = reader.read(bytes, 0, bytes.length);
    const { head } = reader;
    // An edit that ends a line would be another request than it says.
    if (head !== null && used === bytes.length && head.method === method && head.target === target) {
      return head;
    }
    throw new Malformed("bad_request", "it does not end where its fields do");
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw wrong([{ pointer: "/edit", detail: `is no request: ${error.message}` }]);
  }
}

/** The problem of a body that says so. */
export function wrong(errors: readonly BodyError[]): ApiProblem {
  return new ApiProblem(422, "invalid", "The request can not be sent so.", [], errors);
}

/** Values that were shown as `***` and come back so: each is that of the same field, or parameter, in its turn. */
class Hidden {
  constructor(private readonly head: RequestHead, private readonly redaction: Redaction) {}

  fields(fields: readonly Field[]): Field[] {
    const errors: BodyError[] = [];
    const turns = new Map<string, number>();
    const read = fields.map(([name, value], i): Field => {
      const bad = NAME.test(name)
        ? /[\r\n]/.test(value) ? "is more than one line" : null
        : "has no field's name";
      if (bad !== null) errors.push({ pointer: `/edit/headers/${i}`, detail: bad });
      if (!this.redaction.hides(name)) return [name, value];
      const turn = turns.get(name.toLowerCase()) ?? 0;
      turns.set(name.toLowerCase(), turn + 1);
      if (value !== HIDDEN) return [name, value];
      const values = this.head.fields.filter(([own]) => own.toLowerCase() === name.toLowerCase());
      if (values[turn] !== undefined) return [name, values[turn][1]];
      errors.push({ pointer: `/edit/headers/${i}`, detail: `is ${HIDDEN}, and there was no such field` });
      return [name, value];
    });
    if (errors.length > 0) throw wrong(errors);
    return read;
  }

  target(target: string): string {
    const values = new Map<string, string[]>();
    eachParameter(this.head.target, (name, is) => {
      values.set(name, [...values.get(name) ?? [], is]);
      return null;
    });
    return eachParameter(target, (name, is) => {
      const turn = values.get(name)?.shift();
      return is === HIDDEN && this.redaction.target(`?${encodeURIComponent(name)}=x`).endsWith(HIDDEN)
        ? turn ?? null
        : null;
    });
  }
}
