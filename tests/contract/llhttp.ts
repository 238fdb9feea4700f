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

/** One parser and what it reads now. Made anew only after a refusal: those of Deno leave memory behind that nobody frees. */
class Reader {
  seen: Seen[] = [];
  #pairs: [string, string][] = [];
  #url = "";
  #bodiless = false;
  readonly #parser = new HTTPParser();
  readonly #type: number;

  constructor(type: "request" | "response") {
    const parser = this.#parser;
    this.#type = type === "request" ? HTTPParser.REQUEST : HTTPParser.RESPONSE;
    // Long heads, and trailers, come in several calls.
    parser[HTTPParser.kOnHeaders] = (flat: string[], more: string) => {
      this.#take(flat);
      this.#url += more;
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
      this.#take(flat);
      this.seen.push({
        method: method === undefined ? "" : NUMBERED.get(method) ?? "?",
        target: target ?? this.#url,
        status: status ?? 0,
        pairs: this.#pairs,
        body: "",
        trailers: [],
        keepAlive,
        upgrade,
        complete: false,
      });
      this.#pairs = [];
      this.#url = "";
      return this.#bodiless ? 1 : 0;
    };
    parser[HTTPParser.kOnBody] = (bytes: Uint8Array) => {
      this.seen.at(-1)!.body += Buffer.from(bytes).toString("latin1");
      return 0;
    };
    parser[HTTPParser.kOnMessageComplete] = () => {
      const message = this.seen.at(-1)!;
      message.complete = true;
      message.trailers = this.#pairs;
      this.#pairs = [];
      return 0;
    };
  }

  /** A connection begins. */
  begin(bodiless: boolean): void {
    this.seen = [];
    this.#pairs = [];
    this.#url = "";
    this.#bodiless = bodiless;
    this.#parser.initialize(this.#type, {}, MAX_HEAD, STRICT);
  }

  /** The code of its refusal, or null. */
  read(piece: string): string | null {
    const result = this.#parser.execute(Buffer.from(piece, "latin1"));
    return result instanceof Error ? (result as Error & { code: string }).code : null;
  }

  end(): void {
    this.#parser.finish();
  }

  #take(flat: readonly string[] | undefined): void {
    for (let i = 0; flat !== undefined && i < flat.length; i += 2) this.#pairs.push([flat[i], flat[i + 1]]);
  }
}

const readers = { request: new Reader("request"), response: new Reader("response") };

/**
 * Feeds `pieces` (Latin-1) one after another, up to a refusal. `bodiless`: it answers a HEAD. `ends`: the connection
 * ends behind it.
 */
export function ask(
  type: "request" | "response",
  pieces: readonly string[],
  { bodiless = false, ends = false } = {},
): Verdict {
  const reader = readers[type];
  reader.begin(bodiless);
  const { seen } = reader;
  const complete: number[] = [];
  for (const piece of pieces) {
    const refused = reader.read(piece);
    complete.push(seen.filter((message) => message.complete).length);
    if (refused !== null) {
      readers[type] = new Reader(type);
      return { seen, complete, refused };
    }
  }
  if (ends) reader.end();
  return { seen, complete, refused: null };
}
