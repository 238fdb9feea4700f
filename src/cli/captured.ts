/** Captured requests as the control API prints them. */
import { Buffer } from "node:buffer";

export interface RequestJson {
  readonly id: string;
  readonly at: string;
  readonly link: string;
  readonly address: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly code: string | null;
  readonly verdict: string | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly ms: number;
}

export interface BodyJson {
  readonly length: number;
  readonly kept: number;
  readonly encoding: "utf8" | "base64";
  readonly text: string;
}

export interface MessageJson {
  readonly head: string;
  readonly body: BodyJson | null;
}

export interface FullRequestJson extends RequestJson {
  readonly target: string;
  readonly replayOf: string | null;
  readonly times: {
    readonly judged: number;
    readonly connected: number | null;
    readonly answered: number | null;
    readonly over: number;
  };
  readonly request: MessageJson;
  readonly response: MessageJson | null;
}

/** The octets that are kept of a body. */
export function octetsOf({ encoding, text }: BodyJson): Uint8Array {
  return Buffer.from(text, encoding);
}
