/** The shared vectors of HTTP/1.1, and readers that take a whole message as their cases describe it. */
import { latin1, toBytes } from "../../src/core/latin1.ts";
import { BodyReader } from "../../src/core/http1/body.ts";
import { RequestReader, ResponseReader } from "../../src/core/http1/head.ts";
import type { Framing, RequestHead, ResponseHead } from "../../src/core/http1/types.ts";
import requestCases from "../vectors/http1-requests.json" with { type: "json" };
import responseCases from "../vectors/http1-responses.json" with { type: "json" };

/** Text, or parts of it to be joined. */
export type Long = string | readonly (string | { readonly repeat: string; readonly times: number })[];

export interface RequestCase {
  readonly name: string;
  readonly why: string;
  readonly bytes: Long;
  /** Of a refused one: llhttp takes it. */
  readonly llhttp?: boolean;
  readonly expect:
    | {
      readonly accept: true;
      readonly method: string;
      readonly target: Long;
      readonly headers: readonly (readonly [Long, Long])[];
      readonly body: string;
      readonly keepAlive: boolean;
      readonly trailers?: readonly (readonly [string, string])[];
      readonly after?: number;
    }
    | { readonly accept: false; readonly status: number; readonly truncated?: boolean };
}

export interface ResponseCase {
  readonly name: string;
  readonly why: string;
  readonly request: { readonly method: string; readonly upgrade?: string };
  readonly bytes: Long;
  readonly closes?: boolean;
  readonly llhttp?: boolean;
  readonly expect:
    | {
      readonly accept: true;
      readonly status: number;
      readonly headers: readonly (readonly [Long, Long])[];
      readonly body: string;
      readonly reusable: boolean;
      readonly interim: readonly number[];
      readonly trailers?: readonly (readonly [string, string])[];
      readonly rest?: string;
    }
    | { readonly accept: false; readonly truncated?: boolean };
}

export const REQUESTS = requestCases as unknown as readonly RequestCase[];
export const RESPONSES = responseCases as unknown as readonly ResponseCase[];

export function long(text: Long): string {
  if (typeof text === "string") return text;
  return text.map((part) => typeof part === "string" ? part : part.repeat.repeat(part.times)).join("");
}

export function longPairs(headers: readonly (readonly [Long, Long])[]): [string, string][] {
  return headers.map(([name, value]) => [long(name), long(value)]);
}

/** The pairs of raw field lines, as a reader of nothing else would see them. */
export function trailerPairs(raw: string): [string, string][] {
  return raw.split("\r\n").slice(0, -1).map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
  });
}

/** Text cut into pieces, as a socket might deliver it. */
export type Split = (text: string) => Iterable<string>;

export const inOnePiece: Split = (text) => [text];
export const byteByByte: Split = (text) => text;

/** What came of a request. `truncated`: the text ended before it did. `rest`: what follows it. */
export interface ReadRequest {
  readonly head: RequestHead;
  readonly body: string;
  readonly trailers: string;
  readonly rest: string;
}

/** Reads one request; null: it has not ended. Throws what the readers throw. */
export function readRequest(text: string, split: Split): ReadRequest | null {
  const reader = new RequestReader();
  const rest = feed(
    text,
    split,
    (bytes, from, to) => reader.read(bytes, from, to),
    () => reader.head !== null,
  );
  if (rest === null) return null;
  const body = readBody(rest, reader.head!.framing, split);
  return body.ended ? { head: reader.head!, ...body } : null;
}

/** What came of a response. */
export interface Answer {
  readonly head: ResponseHead;
  readonly interim: readonly number[];
  readonly body: string;
  readonly trailers: string;
  readonly rest: string;
}

/** Reads interim responses and the final one; null: it has not ended. `closes`: the connection ends after the text. */
export function readResponse(
  text: string,
  request: { method: string; upgrade: string | null },
  closes: boolean,
  split: Split,
): Answer | null {
  const reader = new ResponseReader();
  const interim: number[] = [];
  reader.expect(request);
  for (;;) {
    const rest = feed(
      text,
      split,
      (bytes, from, to) => reader.read(bytes, from, to),
      () => reader.head !== null,
    );
    if (rest === null) return null;
    const head = reader.head!;
    if (head.status < 200 && head.status !== 101) {
      interim.push(head.status);
      reader.next();
      text = rest;
      continue;
    }
    const body = readBody(rest, head.framing, split);
    return body.ended || (closes && head.framing.kind === "close") ? { head, interim, ...body } : null;
  }
}

function readBody(text: string, framing: Framing, split: Split) {
  const reader = new BodyReader(framing);
  let body = "";
  const rest = feed(text, split, (bytes, from, to) => {
    const next = reader.read(bytes, from, to, 7);
    body += latin1(bytes, reader.from, reader.to);
    return next;
  }, () => reader.done);
  return { body, trailers: reader.trailers, rest: rest ?? "", ended: reader.done };
}

/** Feeds pieces until `done`; returns what was not read, or null where `done` never came. */
function feed(
  text: string,
  split: Split,
  read: (bytes: Uint8Array, from: number, to: number) => number,
  done: () => boolean,
): string | null {
  let used = 0;
  for (const piece of split(text)) {
    if (done()) break;
    // Octets of others before and behind, as in a read buffer.
    const bytes = toBytes("\0" + piece + "\0");
    let at = 1;
    while (at < bytes.length - 1 && !done()) at = read(bytes, at, bytes.length - 1);
    used += at - 1;
  }
  return done() ? text.slice(used) : null;
}
