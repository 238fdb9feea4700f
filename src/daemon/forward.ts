/** One admitted request between the tunnel and its target: bytes and credit both ways, until both are done. */
import type { Code } from "../core/errors.ts";
import type { FieldEdits } from "../core/field_edits.ts";
import { responseToHub } from "../core/headers.ts";
import type { RequestHead, ResponseHead } from "../core/http1/types.ts";
import type { TargetRequest, TargetSink } from "../net/pool.ts";
import type { Stream } from "../wire/stream.ts";
import type { Follower } from "./follow.ts";
import type { ServedLink } from "./served.ts";
import { areTrailers } from "../core/http1/trailers.ts";

/** The visitor's side of a request, as its target's side sees it. */
export interface Visitor {
  readonly stream: Stream;
  readonly link: ServedLink;
  readonly follower: Follower | null;
  /** Answers in the target's place; only while `status` is 0. */
  answer(code: Code): void;
  /** Nothing follows from the target. */
  over(): void;
  /** The target failed; said besides what the visitor is told. */
  failed(code: Code, cause: string | null): void;
  /** The policy of a shadow link would have refused it. */
  shadowed(code: Code): void;
  /** What was sent is no whole answer, and the visitor must see that. */
  sever(code: string): void;
}

/** How a request goes out. */
export interface Outgoing {
  /** The whole head as the target gets it. */
  readonly text: string;
  readonly head: RequestHead;
  /** Of a body whose length was not declared: octets that are let through; null: all. */
  readonly maxBody: number | null;
  /** What the target may upgrade to; null: nothing. */
  readonly upgrade: string | null;
  /** The Host that was sent, where Location is mapped back from it. */
  readonly mapFrom: string | null;
  readonly publicOrigin: string;
  /** What the link's owner changes of requests and of answers. */
  readonly requestEdits: FieldEdits | null;
  readonly edits: FieldEdits | null;
}

export class Forward implements TargetSink {
  /** Of the final response head; 0: none was sent. */
  status = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly #visitor: Visitor;
  readonly #out: Outgoing;
  readonly #target: TargetRequest;
  /** Body octets that may still come: of the declared length, or of what the link admits. */
  #left: number;
  #upgraded = false;
  /** The head said that no body follows, and the hub knows it from there. */
  #bodiless = false;
  #requestDone = false;
  #responseDone = false;

  constructor(visitor: Visitor, out: Outgoing) {
    this.#visitor = visitor;
    this.#out = out;
    const { pool, entry } = visitor.link;
    const { framing, method } = out.head;
    this.#left = framing.kind === "length"
      ? framing.length
      : framing.kind === "chunked"
      ? out.maxBody ?? Infinity
      : 0;
    this.#requestDone = framing.kind === "none" && out.upgrade === null;
    const { timeoutMs } = entry;
    const request = { method, upgrade: out.upgrade, framing, timeoutMs, holdMs: visitor.link.holdMs };
    this.#target = pool.request(out.text, request, this);
  }

  // From the visitor.

  /** Body octets, or after a 101 whatever they are. False: more than the head declared. */
  take(bytes: Uint8Array): boolean {
    const { link, follower } = this.#visitor;
    if (!this.#upgraded) {
      if (this.#requestDone) return false;
      this.#left -= bytes.length;
      if (this.#left < 0 && !this.#admitMore()) return this.#out.head.framing.kind === "chunked";
    }
    this.bytesIn += bytes.length;
    link.counters.bytesIn += bytes.length;
    follower?.requestBody(bytes);
    this.#target.send(bytes);
    return true;
  }

  /** The visitor has sent all. False: its head declared something else. */
  finish(trailers: string): boolean {
    const { framing } = this.#out.head;
    if (this.#requestDone) return trailers === "" && framing.kind === "none";
    if (framing.kind === "length" && this.#left !== 0) return false;
    if (trailers !== "" && (framing.kind !== "chunked" || !areTrailers(trailers))) return false;
    this.#requestDone = true;
    this.#visitor.follower?.requestEnd(trailers);
    this.#target.finish(this.#out.requestEdits?.trailers(trailers) ?? trailers);
    if (this.#responseDone) this.#visitor.over();
    return true;
  }

  /** The stream takes bytes again. */
  writable(): void {
    this.#target.resume();
  }

  /** The visitor is gone, or must go. */
  abort(): void {
    this.#target.abort();
  }

  /** It is held no longer for a target that can't be connected to. True where it was. */
  hurry(): boolean {
    return this.#target.hurry();
  }

  // From the target.

  connected(): void {
    this.#visitor.follower?.connected();
  }

  interim(head: ResponseHead): void {
    this.#visitor.stream.sendHead(responseToHub(head, this.#out), false);
  }

  head(head: ResponseHead): void {
    const { framing } = head;
    this.#visitor.link.trouble = null;
    this.status = head.status;
    this.#upgraded = head.status === 101;
    this.#bodiless = !this.#upgraded &&
      (framing.kind === "none" || (framing.kind === "length" && framing.length === 0));
    this.#visitor.follower?.response(head);
    this.#visitor.stream.sendHead(responseToHub(head, this.#out), this.#bodiless);
  }

  data(bytes: Uint8Array): number {
    const { stream, link, follower } = this.#visitor;
    const sent = stream.send(bytes, 0, bytes.length);
    this.bytesOut += sent;
    link.counters.bytesOut += sent;
    follower?.responseBody(bytes.subarray(0, sent));
    return sent;
  }

  end(trailers: string): void {
    this.#responseDone = true;
    if (!this.#bodiless) this.#visitor.stream.end(this.#out.edits?.trailers(trailers) ?? trailers);
    // What follows a 101 ends each way for itself. Any other answer is the last word: a body that is still coming is
    // of no use to a target that has answered without it.
    if (this.#upgraded && !this.#requestDone) return;
    if (!this.#requestDone) this.#target.abort();
    this.#visitor.over();
  }

  failed(code: Code, cause: string | null): void {
    this.#visitor.failed(code, cause);
    if (this.status === 0) this.#visitor.answer(code);
    else this.#visitor.sever(code);
  }

  /** The kernel has octets that the visitor sent: it may send as many more. */
  flushed(n: number): void {
    this.#visitor.stream.consumed(n);
  }

  /** A body beyond `max_body` goes on in shadow, once recorded; else it ends the request. */
  #admitMore(): boolean {
    const { link } = this.#visitor;
    if (this.#out.head.framing.kind !== "chunked") return false;
    if (link.policy.spec.shadow) {
      this.#left = Infinity;
      this.#visitor.shadowed("body_too_large");
      return true;
    }
    link.deny("body_too_large");
    this.#target.abort();
    if (this.status === 0) this.#visitor.answer("body_too_large");
    else this.#visitor.sever("body_too_large");
    return false;
  }
}
