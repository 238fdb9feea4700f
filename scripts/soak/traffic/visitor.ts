/** What visitors of the soak have in common: a connection to one link, requests, answers that are held to what was asked. */
import { createHash } from "node:crypto";
import type { Random } from "../../../tests/pure/random.ts";
import { pause } from "../campaign.ts";
import type { Ledger } from "./ledger.ts";
import {
  Broken,
  check,
  chunk,
  Cut,
  endingOf,
  type Head,
  piece,
  type Take,
  Talk,
} from "../../../tests/e2e/talk.ts";

/** An answer that means: hub or daemon is not there just now. */
export class Unserved extends Error {
  override readonly name = "Unserved";
}

/** Where visitors go. */
export interface Place {
  readonly port: number;
  readonly ledger: Ledger;
  /** Links that come and go. */
  readonly fleeting: readonly string[];
}

/** What one visitor does, to its end. Throws Broken where a promise did, anything else where it was interrupted. */
export type Visit = (place: Place, random: Random) => Promise<void>;

export const KIB = 1024;

/** Octets of bodies: none, some, around what buffers and windows begin with. */
export const SIZES = [0, 1, 100, 4 * KIB, 64 * KIB + 1, 300 * KIB];

/** How a request is to be sent. */
export interface Wish {
  readonly method: string;
  /** `/<what>/<number>?…` */
  readonly path: string;
  readonly fields?: string;
  /** Octets of the body that has the request's number; null: none. */
  readonly body?: { readonly octets: number; readonly chunked: boolean; readonly pauseMs: number } | null;
}

const PIECE = 8 * 1024;

export class Visitor implements Disposable {
  private constructor(
    readonly talk: Talk,
    readonly host: string,
    readonly ledger: Ledger,
    readonly random: Random,
  ) {}

  static async of(port: number, link: string, ledger: Ledger, random: Random): Promise<Visitor> {
    return new Visitor(await Talk.to(port), `${link}.localhost:${port}`, ledger, random);
  }

  [Symbol.dispose](): void {
    this.talk.close();
  }

  headOf({ method, path, fields = "", body = null }: Wish): string {
    const framing = body === null
      ? ""
      : body.chunked
      ? "Transfer-Encoding: chunked\r\n"
      : `Content-Length: ${body.octets}\r\n`;
    return `${method} ${path} HTTP/1.1\r\nHost: ${this.host}\r\n${fields}${framing}\r\n`;
  }

  /** Sends head and body, in pieces of any size. Returns the SHA-256 of the body. */
  async send(wish: Wish, number: number): Promise<string> {
    await this.writeSplit(this.headOf(wish));
    return wish.body ? await this.sendBody(wish.body, number) : "";
  }

  async sendBody({ octets, chunked, pauseMs }: NonNullable<Wish["body"]>, number: number): Promise<string> {
    const hash = createHash("sha256");
    for (let at = 0; at < octets;) {
      const bytes = piece(number, at, Math.min(octets - at, 1 + this.random.below(PIECE)));
      hash.update(bytes);
      await this.talk.write(chunked ? chunk(bytes) : bytes);
      at += bytes.length;
      if (pauseMs > 0) await pause(pauseMs);
    }
    if (chunked) await this.talk.write(`0\r\nX-Number: ${number}\r\n\r\n`);
    this.ledger.octets += octets;
    return hash.digest("hex");
  }

  /** As two writes, so that a head is cut anywhere. */
  async writeSplit(text: string): Promise<void> {
    const at = this.random.below(4) === 0 ? this.random.below(text.length) : text.length;
    await this.talk.write(text.slice(0, at));
    if (at === text.length) return;
    await pause(1);
    await this.talk.write(text.slice(at));
  }

  /** The final head of an answer. Throws Cut where none comes. */
  async head(): Promise<Head> {
    for (;;) {
      const head = await this.talk.head();
      if (head === null) throw new Cut("no answer");
      if (!/^HTTP\/1\.1 1(?!01)/.test(head.first)) return head;
    }
  }

  /** The head of an answer with `status`; throws Unserved where nobody is there to give one, Broken for others. */
  async expect(status: number): Promise<Head> {
    const head = await this.head();
    if (head.first.startsWith(`HTTP/1.1 ${status} `)) return head;
    const told = `${head.first} ${await this.text(head)}`;
    if (/^HTTP\/1\.1 50[23] /.test(head.first)) throw new Unserved(told);
    throw new Broken(`${status} is due, not ${told}`);
  }

  async text(head: Head): Promise<string> {
    let text = "";
    const decoder = new TextDecoder();
    await this.talk.body(
      endingOf(head, "close"),
      (bytes) => void (text += decoder.decode(bytes, { stream: true })),
    );
    return text;
  }

  /** Reads the body that has number `number`, of `octets`. */
  async fill(head: Head, number: number, octets: number, slow: () => Promise<void> | void = () => {}) {
    let at = 0;
    const take: Take = async (bytes) => {
      check(number, at, bytes);
      at += bytes.length;
      await slow();
    };
    await this.talk.body(endingOf(head, "close"), take);
    if (at !== octets) throw new Broken(`an answer of ${octets} octets ended well after ${at}`);
    this.ledger.octets += octets;
  }

  /** Reads the answer of `sum` to a body of `octets` with that SHA-256. */
  async sum(number: number, octets: number, sha: string, trailers: string): Promise<void> {
    const text = await this.text(await this.expect(200));
    const due = `${octets} ${sha || EMPTY} ${trailers}`;
    if (text !== due) throw new Broken(`the target says ${JSON.stringify(text)}, not ${JSON.stringify(due)}`);
    this.ledger.answered(number);
  }
}

const EMPTY = createHash("sha256").digest("hex");

/** A visitor of the link that stays. */
export function steady({ port, ledger }: Place, random: Random): Promise<Visitor> {
  return Visitor.of(port, "steady", ledger, random);
}
