/** One call over a unix socket: `fetch` would send an absolute-form target there, which no role of connectd takes. */
import { BodyReader } from "../core/http1/body.ts";
import { ResponseReader } from "../core/http1/head.ts";

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
  readonly text: string;
}

/** Calls whoever listens on the socket at `path`. Rejects with the runtime's error; with `signal`'s when that gives up. */
export async function callUnix(path: string, call: Call, signal: AbortSignal): Promise<Answer> {
  const socket = await Deno.connect({ transport: "unix", path });
  const give = () => socket.close();
  signal.addEventListener("abort", give);
  try {
    await writeAll(socket, head(call) + (call.body ?? ""));
    return await readAnswer(socket, call.method);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", give);
    if (!signal.aborted) socket.close();
  }
}

function head({ method, path, headers, body }: Call): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const length = body === null ? "" : `Content-Length: ${new TextEncoder().encode(body).length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}${length}Connection: close\r\n\r\n`;
}

async function writeAll(socket: Deno.UnixConn, text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await socket.write(bytes));
}

async function readAnswer(socket: Deno.UnixConn, method: string): Promise<Answer> {
  const reader = new ResponseReader();
  reader.expect({ method, upgrade: null });
  const buffer = new Uint8Array(64 * 1024);
  const decoder = new TextDecoder();
  let body: BodyReader | null = null, text = "";
  while (body === null || !body.done) {
    const n = await socket.read(buffer);
    if (n === null && body === null) {
      throw new Deno.errors.UnexpectedEof("the connection ended without an answer");
    }
    if (n === null) break;
    let at = 0;
    while (body === null && at < n) {
      at = reader.read(buffer, at, n);
      if (reader.head === null) continue;
      if (reader.head.status < 200) reader.next();
      else body = new BodyReader(reader.head.framing);
    }
    while (body !== null && at < n && !body.done) {
      at = body.read(buffer, at, n, n);
      text += decoder.decode(buffer.subarray(body.from, body.to), { stream: true });
    }
  }
  return { status: reader.head!.status, text };
}
