/** Requests as lines of an access log: JSON in ASCII, whatever their visitors sent. */
import type { Code } from "../core/errors.ts";
import type { RequestHead } from "../core/http1/types.ts";

/** What is known of a request that is over. */
export interface Access {
  readonly id: string;
  /** When its head came, ms since 1970. */
  readonly at: number;
  /** At a hub the link's id. */
  readonly link: string;
  readonly address: string;
  readonly method: string;
  /** As it was asked for; its query is not written: it may hold what only the target should know. */
  readonly target: string;
  /** 0: no answer was sent. */
  readonly status: number;
  /** The answer that connectd itself gave, or why it cut the request; null: the target's answer, whole. */
  readonly code: string | null;
  /** What the policy refuses, also where the link is a shadow; absent: at a hub. */
  readonly verdict?: Code | null;
  /** Octets of bodies. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** From its head until it was over. */
  readonly ms: number;
}

/** Told of a request that the hub refused itself; `link` is the name that its daemon gives it. `secure`: it came by https. */
export type ToldRefused = (request: Access, head: RequestHead, secure: boolean) => void;

/** Characters that are written of a path, and of any other text. */
const PATH_MAX = 2048, TEXT_MAX = 256;

/** A line is shorter: six octets a character, six texts, and 300 octets around them. */
export const LINE_MAX = 24 * 1024;

/** So much is gathered before it is written. */
const BATCH = 64 * 1024;

const QUOTE = 0x22, BACKSLASH = 0x5c, ZERO = 0x30;
const HEX = "0123456789abcdef";

/**
 * Gathers lines as octets. Done by hand, octet by octet: measured beside JSON.stringify and an encoder, that is a fourth
 * of the time, and no string is left to be collected.
 */
export class AccessLines {
  /** How many there are. */
  count = 0;
  readonly #octets = new Uint8Array(BATCH + LINE_MAX);
  #length = 0;
  /** A busy second has thousands of lines with the same few times. */
  #at = NaN;
  #time = "";

  /** There is no room for another. */
  get full(): boolean {
    return this.#length >= BATCH;
  }

  /** Adds a line. Not when it is full. */
  add(access: Access): void {
    const { id, at, link, address, method, target, status, code, verdict, bytesIn, bytesOut, ms } = access;
    if (at !== this.#at) {
      this.#at = at;
      this.#time = new Date(at).toISOString();
    }
    const query = target.indexOf("?");
    this.count++;
    this.#plain('{"id":');
    this.#text(id);
    this.#plain(',"at":"');
    this.#plain(this.#time);
    this.#plain('","link":');
    this.#text(link);
    this.#plain(',"address":');
    this.#text(address);
    this.#plain(',"method":');
    this.#text(method);
    this.#plain(',"path":');
    this.#text(target, query < 0 ? target.length : query, PATH_MAX);
    this.#plain(',"status":');
    this.#number(status);
    this.#plain(',"code":');
    this.#textOrNull(code);
    if (verdict !== undefined) {
      this.#plain(',"verdict":');
      this.#textOrNull(verdict);
    }
    this.#plain(',"bytesIn":');
    this.#number(bytesIn);
    this.#plain(',"bytesOut":');
    this.#number(bytesOut);
    this.#plain(',"ms":');
    this.#number(ms);
    this.#plain("}\n");
  }

  /** What was gathered; it begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const octets = this.#octets.slice(0, this.#length);
    this.#length = this.count = 0;
    return octets;
  }

  /** What is ASCII and ours. */
  #plain(text: string): void {
    const octets = this.#octets;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) octets[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  /** The first `length` characters of `text` as JSON; of more than `most` their beginning, and how many they are. */
  #text(text: string, length = text.length, most = TEXT_MAX): void {
    const octets = this.#octets, to = Math.min(length, most);
    let at = this.#length;
    octets[at++] = QUOTE;
    for (let i = 0; i < to; i++) {
      const unit = text.charCodeAt(i);
      // Everything else can move, hide or break something somewhere.
      if (unit >= 0x20 && unit < 0x7f && unit !== QUOTE && unit !== BACKSLASH) octets[at++] = unit;
      else {
        this.#length = at;
        this.#escape(unit);
        at = this.#length;
      }
    }
    this.#length = at;
    if (length > most) {
      this.#escape(0x2026);
      this.#plain(` (${length} characters)`);
    }
    this.#octets[this.#length++] = QUOTE;
  }

  #textOrNull(text: string | null): void {
    if (text === null) this.#plain("null");
    else this.#text(text);
  }

  #escape(unit: number): void {
    this.#plain("\\u");
    for (let shift = 12; shift >= 0; shift -= 4) this.#plain(HEX[unit >> shift & 15]);
  }

  #number(value: number): void {
    if (value > 0x7fffffff || value !== (value | 0) || value < 0) return this.#plain(String(value));
    let digit = 1;
    while (digit * 10 <= value) digit *= 10;
    for (; digit >= 1; digit = digit / 10 | 0) {
      this.#octets[this.#length++] = ZERO + (value / digit | 0) % 10;
    }
  }
}
