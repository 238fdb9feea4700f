/** Captured requests as the control API prints them. Secrets are hidden here, and nowhere else are they printed. */
import { Buffer } from "node:buffer";
import type { Kept } from "./capture.ts";
import type { KeptBody } from "./kept_body.ts";
import { seenJson } from "./live.ts";
import type { Times } from "./recorder.ts";
import { Redaction } from "./redaction.ts";

/** One in a list. */
export interface RequestJson extends ReturnType<typeof seenJson> {
  readonly captured: "heads" | "bodies";
  /** The id of the request that this one sent again; null: a visitor sent it. */
  readonly replayOf: string | null;
  readonly times: Times;
}

export interface BodyJson {
  /** Octets that went by, and how many of them `text` holds. */
  readonly length: number;
  readonly kept: number;
  readonly encoding: "utf8" | "base64";
  readonly text: string;
}

interface MessageJson {
  /** Just as it came, one character for each octet, but for what is hidden. */
  readonly head: string;
  /** Null: bodies are not kept. */
  readonly body: BodyJson | null;
}

/** A whole one. */
export interface FullRequestJson extends RequestJson {
  /** With its query. */
  readonly target: string;
  readonly request: MessageJson;
  /** Null: the target gave no answer. */
  readonly response: MessageJson | null;
}

/** `capture` in a list. */
export function requestJson({ seen, request, asked }: Kept): RequestJson {
  return {
    ...seenJson(seen),
    captured: asked === null ? "heads" : "bodies",
    replayOf: request.replayOf ?? null,
    times: seen.times,
  };
}

/** `capture` whole. */
export function fullRequestJson(capture: Kept): FullRequestJson {
  const { request: { head, link }, answer, asked, answered } = capture;
  const redaction = new Redaction(link.entry.inspectRedact);
  return {
    ...requestJson(capture),
    target: redaction.target(head.target),
    request: { head: redaction.head(head), body: bodyJson(asked) },
    response: answer === null ? null : { head: redaction.head(answer), body: bodyJson(answered) },
  };
}

function bodyJson(body: KeptBody | null): BodyJson | null {
  if (body === null) return null;
  const { bytes, seen: length, whole } = body;
  const text = textOf(bytes, whole);
  if (text !== null) return { length, kept: Buffer.byteLength(text), encoding: "utf8", text };
  return { length, kept: bytes.length, encoding: "base64", text: Buffer.from(bytes).toString("base64") };
}

/** Null: it is no text. The last character of one that is cut short may be missing. */
function textOf(bytes: Uint8Array, whole: boolean): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: !whole });
  } catch {
    return null;
  }
}
