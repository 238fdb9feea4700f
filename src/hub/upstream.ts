/** One visitor's request and the stream that carries it to the daemon: bytes and credit both ways, until both are done. */
import { type Code, isCode, Malformed, refusal } from "../core/errors.ts";
import { EDIT_LIMITS } from "../core/field_edits.ts";
import { ResponseReader } from "../core/http1/head.ts";
import { LIMITS, type ResponseHead } from "../core/http1/types.ts";
import type { Exchange } from "../net/exchange.ts";
import type { Session } from "../wire/session.ts";
import type { Stream, StreamSink } from "../wire/stream.ts";
import type { AccessDesk } from "./access.ts";
import type { HubLink } from "./link.ts";

/** Lent for the length of a call: heads come whole, with what a link's owner adds to those of targets. */
const reader = new ResponseReader({
  ...LIMITS,
  head: LIMITS.head + EDIT_LIMITS.octets,
  fields: LIMITS.fields + EDIT_LIMITS.fields,
});

/**
 * Whoever stands on one side may leave at any time; `#over` makes the rest of the calls from the other side harmless.
 * The daemon is not trusted: heads go through the strict codec, and the exchange holds the body to what its head said.
 */
export class Upstream implements StreamSink {
  readonly #exchange: Exchange;
  readonly #link: HubLink;
  readonly #stream: Stream;
  readonly #access: AccessDesk;
  readonly #since: number;
  /** The request is with the daemon, whole. */
  #asked: boolean;
  /** Of the final head that went to the visitor; 0: none did. */
  #status = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  /** After a 101 each side ends by itself; before it, the answer's end is the end of all. */
  #upgraded = false;
  /** The daemon has ended its side of an upgrade. */
  #told = false;
  #over = false;

  /** Hands the request over, which came at `since`; from here on both sides call back. */
  constructor(exchange: Exchange, link: HubLink, session: Session, access: AccessDesk, since: number) {
    const { head } = exchange;
    this.#exchange = exchange;
    this.#link = link;
    this.#access = access;
    this.#since = since;
    this.#stream = session.open({
      kind: "http",
      https: exchange.secure,
      link: link.id,
      address: exchange.address,
      requestId: exchange.requestId,
      host: head.host,
    }, this);
    link.counters.allowed++;
    link.counters.open++;
    link.peer.quota.streams++;
    // What has no body ends with its head, unless something else may follow a 101.
    this.#asked = head.framing.kind === "none" && head.upgrade === null;
    this.#stream.sendHead(head.raw, this.#asked);
    exchange.onLeave = this.#left;
    exchange.onFlushed = this.#flushed;
    // With Expect nothing comes before the target's 100, unless the visitor tires of waiting.
    if (head.framing.kind !== "none") this.#receive();
  }

  // From the daemon.

  head(bytes: Uint8Array, last: boolean): void {
    if (this.#over) return;
    try {
      this.#read(bytes, last);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#fail("target_bad_response");
    }
  }

  data(bytes: Uint8Array): void {
    if (this.#over) return;
    if (!this.#answered) return this.#fail("target_bad_response");
    this.#bytesOut += bytes.length;
    this.#link.counters.bytesOut += bytes.length;
    this.#exchange.write(bytes);
  }

  end(trailers: string): void {
    if (this.#over) return;
    if (!this.#answered) return this.#fail("target_bad_response");
    if (!this.#upgraded) return this.#finish(trailers);
    this.#told = true;
    this.#exchange.finish();
    if (this.#asked) this.#done(null);
  }

  reset(code: string): void {
    if (this.#over) return;
    this.#giveUp(isCode(code) ? code : "target_closed", code);
  }

  writable(): void {
    if (!this.#over) this.#exchange.resume();
  }

  #read(bytes: Uint8Array, last: boolean): void {
    if (this.#answered) throw new Malformed("target_bad_response", "a second head after the final one");
    reader.expect(this.#exchange.head);
    const used = reader.read(bytes, 0, bytes.length);
    const { head } = reader;
    if (head === null || used !== bytes.length) {
      throw new Malformed("target_bad_response", "a HEAD frame that is not one head");
    }
    if (head.status >= 200) return this.#answer(head, last);
    if (last) throw new Malformed("target_bad_response", "an answer that ends with an interim head");
    if (head.status === 101) return this.#switch(head);
    this.#exchange.interim(head);
  }

  #answer(head: ResponseHead, last: boolean): void {
    this.#status = head.status;
    this.#exchange.respond(head);
    if (last) this.#finish("");
  }

  /** The answer is complete. What is missing of the request then, nobody waits for. */
  #finish(trailers: string): void {
    this.#done(null);
    if (!this.#asked) this.#stream.reset("answered");
    this.#exchange.finish(trailers);
  }

  /** 101: from now on bytes pass as they are, those that the visitor sent too early first. */
  #switch(head: ResponseHead): void {
    this.#status = head.status;
    this.#upgraded = true;
    this.#exchange.upgrade(head);
    this.#receive();
  }

  // From the visitor.

  #receive(): void {
    this.#exchange.receive({
      data: (bytes) => {
        if (this.#over) return bytes.length;
        const taken = this.#stream.send(bytes, 0, bytes.length);
        this.#bytesIn += taken;
        this.#link.counters.bytesIn += taken;
        return taken;
      },
      end: (trailers) => {
        if (this.#over || this.#asked) return;
        this.#asked = true;
        this.#stream.end(trailers);
        if (this.#told) this.#done(null);
      },
    });
  }

  readonly #left = (): void => {
    if (this.#over) return;
    this.#done("visitor_left");
    this.#stream.reset("visitor_left");
  };

  readonly #flushed = (octets: number): void => this.#stream.consumed(octets);

  /** The daemon broke the rules: nothing that it sends on this stream is of use. */
  #fail(code: Code): void {
    this.#giveUp(code);
    this.#stream.reset(code);
  }

  /** Tells the visitor as well as that is still possible. `why`: for the log. */
  #giveUp(code: Code, why: string = code): void {
    if (this.#answered) {
      this.#done(why);
      return this.#exchange.abort();
    }
    const refused = refusal(code);
    this.#done(code, refused.status);
    this.#exchange.refuse(refused);
  }

  get #answered(): boolean {
    return this.#status !== 0;
  }

  #done(code: string | null, status = this.#status): void {
    this.#over = true;
    this.#link.counters.open--;
    this.#link.peer.quota.streams--;
    const ending = { status, code, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut };
    this.#access.over(this.#exchange, this.#link, this.#since, ending);
  }
}
