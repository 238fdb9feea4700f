/** One request and its answer on a connection that is there for nothing else. */
import { BodyReader } from "../core/http1/body.ts";
import { ResponseReader } from "../core/http1/head.ts";
import type { ResponseHead } from "../core/http1/types.ts";
import type { Socket } from "./socket.ts";

/** What is asked. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** An answer, whole. */
export interface Answer {
  readonly status: number;
  readonly head: ResponseHead;
  readonly text: string;
}

/** How an answer ended. */
export interface Ended {
  readonly head: ResponseHead;
  /** The connection ended before it did. */
  readonly cut: boolean;
}

/**
 * Asks `host`, which is at the other end of `socket`, and closes it. Rejects with the runtime's error, with Malformed for
 * what is no HTTP, with UnexpectedEof where the connection ends before the answer, and with `signal`'s reason when that
 * gives up. Of an answer longer than `most` characters no more is read.
 */
export async function converse(
  socket: Socket,
  host: string,
  call: Call,
  signal: AbortSignal,
  most = Infinity,
): Promise<Answer> {
  let text = "";
  const { head, cut } = await follow(socket, host, call, signal, (piece) => {
    text += piece;
    return text.length < most;
  });
  if (cut) throw new Deno.errors.UnexpectedEof("the connection ended in the midst of the answer");
  return { status: head.status, head, text };
}

/** The same, but the body is handed on as it comes, until `take` returns false. Resolves at its end, or the connection's. */
export async function follow(
  socket: Socket,
  host: string,
  call: Call,
  signal: AbortSignal,
  take: (piece: string, head: ResponseHead) => boolean,
): Promise<Ended> {
  const decoder = new TextDecoder();
  return await receive(socket, host, call, signal, (bytes, head) => {
    const piece = decoder.decode(bytes, { stream: true });
    return piece === "" || take(piece, head);
  });
}

/** The same in octets, which are valid during the call only; as many came as were taken. */
export async function receive(
  socket: Socket,
  host: string,
  call: Call,
  signal: AbortSignal,
  take: (bytes: Uint8Array, head: ResponseHead) => boolean,
): Promise<Ended> {
  const give = () => socket.close();
  signal.addEventListener("abort", give);
  try {
    if (signal.aborted) give();
    signal.throwIfAborted();
    await writeAll(socket, head(host, call) + (call.body ?? ""));
    return await readAnswer(socket, call.method, take);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", give);
    if (!signal.aborted) socket.close();
  }
}

function head(host: string, { method, path, headers, body }: Call): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const length = body === null ? "" : `Content-Length: ${new TextEncoder().encode(body).length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}${length}Connection: close\r\n\r\n`;
}

async function writeAll(socket: Socket, text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await socket.write(bytes));
}

async function readAnswer(
  socket: Socket,
  method: string,
  take: (bytes: Uint8Array, head: ResponseHead) => boolean,
): Promise<Ended> {
  const reader = new ResponseReader();
  reader.expect({ method, upgrade: null });
  const buffer = new Uint8Array(64 * 1024);
  let body: BodyReader | null = null, wanted = true, cut = false;
  while (body === null || (!body.done && wanted)) {
    const n = await socket.read(buffer);
    if (n === null && body === null) {
      throw new Deno.errors.UnexpectedEof("the connection ended without an answer");
    }
    if (n === null) {
      cut = reader.head!.framing.kind !== "close";
      break;
    }
    let at = 0;
    while (body === null && at < n) {
      at = reader.read(buffer, at, n);
      if (reader.head === null) continue;
      if (reader.head.status < 200) reader.next();
      else body = new BodyReader(reader.head.framing);
    }
    while (body !== null && at < n && !body.done) {
      at = body.read(buffer, at, n, n);
      const bytes = buffer.subarray(body.from, body.to);
      wanted = wanted && (bytes.length === 0 || take(bytes, reader.head!));
    }
  }
  return { head: reader.head!, cut };
}
