/**
 * llhttp, strict, as node:http has it, asked about one message at a time. It is the parser itself, without server and
 * socket: it answers at once, so that a test can ask a million times.
 */
import { Buffer } from "node:buffer";

/** What node:http does with its parser; `node:_http_common` has no types. */
interface Parser {
  initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void;
  /** How many octets were read, or why not. */
  execute(bytes: Uint8Array): number | Error;
  /** The connection ends. */
  finish(): unknown;
  [event: number]: (...args: never[]) => number;
}

interface ParserClass {
  new (): Parser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

const { HTTPParser, methods } = await import("node:_http_common" as string) as {
  HTTPParser: ParserClass;
  methods: readonly string[];
};

/** Larger than any head of ours: limits are not what is compared. */
const MAX_HEAD = 1 << 20;
const STRICT = 0;

/** The methods that it knows, by the numbers it has for them; it refuses any other. */
const NUMBERED = new Map(methods.map((method) => {
  const parser = new HTTPParser();
  let number = -1;
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    _flat: string[],
    given: number,
  ) => {
    number = given;
    return 0;
  };
  parser.initialize(HTTPParser.REQUEST, {}, MAX_HEAD, STRICT);
  parser.execute(Buffer.from(`${method} ${method === "CONNECT" ? "a:1" : "/"} HTTP/1.1\r\n\r\n`));
  return [number, method];
}));

export const METHODS: ReadonlySet<string> = new Set(methods);

/** A message as llhttp reads it. */
export interface Seen {
  /** Of a response "". */
  method: string;
  target: string;
  /** Of a request 0. */
  status: number;
  pairs: [string, string][];
  body: string;
  trailers: [string, string][];
  keepAlive: boolean;
  upgrade: boolean;
  complete: boolean;
}

/** What llhttp says to a text. */
export interface Verdict {
  readonly seen: readonly Seen[];
  /** How many messages were complete after each piece. */
  readonly complete: readonly number[];
  /** The code of its refusal; null: it took all. */
  readonly refused: string | null;
}

/**
 * Feeds `pieces` (Latin-1) one after another, up to a refusal. `bodiless`: it answers a HEAD. `ends`: the connection
 * ends behind it.
 */
export function ask(
  type: "request" | "response",
  pieces: readonly string[],
  { bodiless = false, ends = false } = {},
): Verdict {
  const parser = new HTTPParser();
  const seen: Seen[] = [];
  const complete: number[] = [];
  let pairs: [string, string][] = [];
  let url = "";
  const take = (flat: readonly string[] | undefined) => {
    for (let i = 0; flat !== undefined && i < flat.length; i += 2) pairs.push([flat[i], flat[i + 1]]);
  };
  // Long heads, and trailers, come in several calls.
  parser[HTTPParser.kOnHeaders] = (flat: string[], more: string) => {
    take(flat);
    url += more;
    return 0;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    flat: string[] | undefined,
    method: number | undefined,
    target: string | undefined,
    status: number | undefined,
    _reason: string | undefined,
    upgrade: boolean,
    keepAlive: boolean,
  ) => {
    take(flat);
    seen.push({
      method: method === undefined ? "" : NUMBERED.get(method) ?? "?",
      target: target ?? url,
      status: status ?? 0,
      pairs,
      body: "",
      trailers: [],
      keepAlive,
      upgrade,
      complete: false,
    });
    pairs = [];
    url = "";
    return bodiless ? 1 : 0;
  };
  parser[HTTPParser.kOnBody] = (bytes: Uint8Array) => {
    seen.at(-1)!.body += Buffer.from(bytes).toString("latin1");
    return 0;
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    const message = seen.at(-1)!;
    message.complete = true;
    message.trailers = pairs;
    pairs = [];
    return 0;
  };
  parser.initialize(type === "request" ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, MAX_HEAD, STRICT);
  for (const piece of pieces) {
    const result = parser.execute(Buffer.from(piece, "latin1"));
    complete.push(seen.filter((message) => message.complete).length);
    if (result instanceof Error) {
      return { seen, complete, refused: (result as Error & { code: string }).code };
    }
  }
  if (ends) parser.finish();
  return { seen, complete, refused: null };
}
