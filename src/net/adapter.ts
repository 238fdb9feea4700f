/** The bridge to whatever speaks Request and Response. */
import { type Code, refusal, type Rendered } from "../core/errors.ts";
import { ResponseReader } from "../core/http1/head.ts";
import type { RequestHead, ResponseHead } from "../core/http1/types.ts";
import { toBytes } from "../core/latin1.ts";
import type { Exchange } from "./exchange.ts";
import { RequestBody } from "./request_body.ts";

type App = (request: Request) => Response | Promise<Response>;

/** So much of an answer may wait for the kernel; one that is complete within it gets a Content-Length. */
const AHEAD = 64 * 1024;

/** What a body of text or bytes gives, it gives within so many turns of the microtask queue. */
const SOON = 8;

/** Answers `exchange` with what `app` makes of it. `request.signal` aborts when the visitor leaves. */
export function fetchAdapter(exchange: Exchange, app: App): void {
  new Call(exchange).run(app);
}

class Call {
  readonly #exchange: Exchange;
  readonly #abort = new AbortController();
  readonly #requestBody: RequestBody | null;
  #answerBody: ReadableStreamDefaultReader<Uint8Array> | null = null;
  /** The visitor has its answer, or never gets the rest of it. */
  #over = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    const { method, framing } = exchange.head;
    // Request has no place for a body of those; the connection sees to what is sent nevertheless.
    const bodiless = framing.kind === "none" || method === "GET" || method === "HEAD";
    this.#requestBody = bodiless ? null : new RequestBody(exchange);
    exchange.onLeave = () => {
      this.#end();
      this.#abort.abort();
    };
  }

  run(app: App): void {
    const request = requestOf(this.#exchange, this.#requestBody, this.#abort.signal);
    if (typeof request === "string") this.#exchange.refuse(refusal(request));
    else this.#serve(app, request);
  }

  async #serve(app: App, request: Request): Promise<void> {
    try {
      await this.#answer(await app(request));
    } catch {
      if (this.#over) return;
      this.#end();
      if (this.#exchange.waiting) this.#exchange.answer(failed(this.#exchange.requestId));
      else this.#exchange.abort();
    }
  }

  async #answer(response: Response): Promise<void> {
    const exchange = this.#exchange, { body } = response;
    this.#answerBody = body?.getReader() ?? null;
    if (this.#over) return this.#end();
    if (this.#answerBody === null || exchange.head.method === "HEAD") {
      exchange.respond(headOf(exchange, response, body === null ? 0 : null));
    } else await this.#stream(response, this.#answerBody);
    if (this.#over) return;
    exchange.finish();
    this.#end();
  }

  async #stream(response: Response, body: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    let read = body.read();
    let result = await soon(read);
    while (result !== null && !result.done && length < AHEAD) {
      chunks.push(result.value);
      length += result.value.length;
      read = body.read();
      result = await soon(read);
    }
    if (this.#over) return;
    this.#exchange.respond(headOf(this.#exchange, response, result?.done ? length : null));
    for (const chunk of chunks) await this.#write(chunk);
    for (;;) {
      const { done, value } = await read;
      if (done || this.#over) return;
      await this.#write(value);
      read = body.read();
    }
  }

  /** Writes as fast as the visitor takes it. Throws where an app's stream gives something else than octets. */
  async #write(chunk: Uint8Array): Promise<void> {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("a body that does not consist of octets");
    const exchange = this.#exchange;
    for (let from = 0; from < chunk.length && !this.#over; from += AHEAD) {
      exchange.write(chunk.subarray(from, from + AHEAD));
      if (exchange.queued > AHEAD) await new Promise<void>((resolve) => exchange.onWritable = resolve);
    }
  }

  /** Lets go of both bodies. */
  #end(): void {
    this.#over = true;
    this.#requestBody?.leave();
    this.#answerBody?.cancel().catch(() => {});
  }
}

/** The request, or why there can be none. */
function requestOf(exchange: Exchange, body: RequestBody | null, signal: AbortSignal): Request | Code {
  const { method, target, host } = exchange.head;
  const url = URL.parse(`${exchange.secure ? "https" : "http"}://${host}${target}`);
  if (url === null) return "bad_request";
  // A URL has no dot segments and no backslashes: where it reads another path than we did, nobody shall act on it.
  if (url.href !== url.origin + target) return "path_ambiguous";
  try {
    return new Request(url, { method, headers: headersOf(exchange.head), body: body?.stream, signal });
  } catch {
    // A method that Request does not take.
    return "bad_request";
  }
}

function headersOf({ fields }: RequestHead): Headers {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  return headers;
}

/**
 * The head of `response`, read as any target's would be: an app can't say more with it than one head. `length`: of its
 * body, null where that is unknown. Throws Malformed.
 */
function headOf(exchange: Exchange, response: Response, length: number | null): ResponseHead {
  const { status, statusText, headers } = response;
  let text = `HTTP/1.1 ${status} ${statusText}\r\n`;
  for (const [name, value] of headers) {
    if (name !== "transfer-encoding") text += `${name}: ${value}\r\n`;
  }
  if (!headers.has("date")) text += `date: ${exchange.date}\r\n`;
  const bodiless = exchange.head.method === "HEAD" || status === 204 || status === 304;
  if (length !== null && !bodiless && !headers.has("content-length")) text += `content-length: ${length}\r\n`;
  const reader = new ResponseReader();
  const bytes = toBytes(text + "\r\n");
  reader.expect({ method: exchange.head.method, upgrade: null });
  const next = reader.read(bytes, 0, bytes.length);
  if (reader.head === null || next !== bytes.length) throw new TypeError("a response that is not one head");
  return reader.head;
}

/** What `promise` has to say within a few microtasks, else null. */
function soon<T>(promise: Promise<T>): Promise<T | null> {
  return Promise.race([promise, turns()]);
}

async function turns(): Promise<null> {
  for (let i = 0; i < SOON; i++) await null;
  return null;
}

/** The answer where the app has none. What went wrong is the app's to log, and nobody else's to know. */
function failed(requestId: string): Rendered {
  const body = toBytes(
    JSON.stringify({
      type: "about:blank",
      title: "Internal Server Error",
      status: 500,
      code: "internal_error",
      detail: "The request could not be answered.",
      requestId,
    }) + "\n",
  );
  const head = [
    "HTTP/1.1 500 Internal Server Error",
    "Content-Type: application/problem+json",
    "Cache-Control: no-store",
    `X-Request-Id: ${requestId}`,
    `Content-Length: ${body.length}`,
    "\r\n",
  ];
  return { head: head.join("\r\n"), body };
}
