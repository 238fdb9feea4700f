/** One request from the tunnel: its head is read and judged, then it is refused here or forwarded. */
import { type Code, Malformed, type Refusal, refusal } from "../core/errors.ts";
import { requestToTarget } from "../core/headers.ts";
import { field, type RequestHead } from "../core/http1/types.ts";
import { INITIAL_WINDOW } from "../core/flow.ts";
import { decide } from "../core/policy.ts";
import { httpDate } from "../net/date.ts";
import { renderRefusal } from "../pages/visitor.ts";
import { Pieces } from "../wire/pieces.ts";
import type { Stream, StreamSink } from "../wire/stream.ts";
import { type Asked, barred, factsOf } from "./asked.ts";
import type { Auth, Judged, Judgement } from "./auth.ts";
import type { Follower } from "./follow.ts";
import { Forward, type Visitor } from "./forward.ts";
import { type Cuttable, isServed, type ServedLink } from "./served.ts";
import type { Serving } from "./serve.ts";
import type { User } from "./uses.ts";

const BAD_REQUEST = refusal("bad_request");
const UNKNOWN = refusal("link_unknown");
const UNAVAILABLE = refusal("link_unavailable");
const BUSY = refusal("link_busy");

/** What renderRefusal takes; it stands in a field and on a page. */
const REQUEST_ID = /^[A-Za-z0-9-]{1,64}$/;

export class Incoming implements StreamSink, Visitor, Judged, User, Cuttable {
  link!: ServedLink;
  follower: Follower | null = null;
  place = -1;
  readonly #serving: Serving;
  readonly #since: number;
  #head: RequestHead | null = null;
  /** The visitor's, in canonical form. */
  #address = "";
  #facts!: Asked;
  /** Who judges the credential just now. */
  #judge: Auth | null = null;
  #forward: Forward | null = null;
  /** The hub has ended its side. */
  #ended = false;
  /** Body that came while a credential was judged or a use stored; it has no credit back, so it is no more than the first window. */
  #held: Pieces | null = null;
  #heldTrailers = "";
  /** What is left to send of an answer of our own. */
  #rest: Uint8Array | null = null;
  #admitted = false;
  #over = false;
  /** Of an answer of our own. */
  #refused: Refusal | null = null;
  #cut: string | null = null;

  constructor(readonly stream: Stream, serving: Serving) {
    this.#serving = serving;
    this.#since = serving.means.clock.mono();
  }

  // From the hub.

  head(bytes: Uint8Array, last: boolean): void {
    if (this.#over) return;
    if (this.#head !== null || this.#refused !== null) return this.#breach();
    this.#ended = last;
    const { reader } = this.#serving;
    reader.reset();
    try {
      const used = reader.read(bytes, 0, bytes.length);
      if (reader.head === null || used !== bytes.length) return this.#refuse(BAD_REQUEST);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      return this.#refuse(refusal(error.code));
    }
    this.#find(reader.head);
  }

  data(bytes: Uint8Array): void {
    // An answer of our own is the last word: its visitor gets no credit for more.
    if (this.#over || this.#refused !== null) return;
    if (this.#forward === null) {
      this.#held ??= new Pieces(INITIAL_WINDOW, "a body that waits");
      this.#held.add(bytes, 0, bytes.length);
    } else if (!this.#forward.take(bytes)) this.#breach();
  }

  end(trailers: string): void {
    if (this.#over) return;
    this.#ended = true;
    if (this.#refused !== null) return;
    if (this.#forward === null) this.#heldTrailers = trailers;
    else if (!this.#forward.finish(trailers)) this.#breach();
  }

  reset(code: string): void {
    if (this.#over) return;
    this.#forward?.abort();
    this.#cut = code;
    this.#done();
  }

  writable(): void {
    if (this.#over) return;
    if (this.#rest === null) return this.#forward?.writable();
    const sent = this.stream.send(this.#rest, 0, this.#rest.length);
    this.#rest = this.#rest.subarray(sent);
    if (this.#rest.length > 0) return;
    this.stream.end();
    this.over();
  }

  // From the link, the verifier and the target.

  /** The link has ended and its drain is over. */
  cut(): void {
    if (this.#over) return;
    this.#forward?.abort();
    if (this.#unanswered) this.#refuse(this.link.ended ?? UNAVAILABLE);
    else this.sever("link_ended");
  }

  hurry(): void {
    if (!this.#over && this.#forward?.hurry()) this.cut();
  }

  counted(stored: boolean): void {
    if (this.#over || this.#refused !== null) return;
    const { ended } = this.link;
    if (!stored) this.#refuse(UNAVAILABLE);
    // By its last use, and by the clock, a link ends for those that come later.
    else if (ended !== null && ended.code !== "link_expired") this.#refuse(ended);
    else this.#send();
  }

  judged(judgement: Judgement): void {
    if (this.#over) return;
    // The files or the whole auth may have been exchanged meanwhile: who is in charge now judges again.
    if (this.#judge !== this.link.auth) return this.#admit();
    // Too many wait to be judged. A shadow link refuses nobody for that, either.
    if (judgement === "busy") return this.link.policy.spec.shadow ? this.#pass(BUSY) : this.#deny(BUSY);
    this.#facts.credential = judgement;
    this.#admit();
  }

  answer(code: Code): void {
    if (!this.#over && this.#unanswered) this.#refuse(refusal(code));
  }

  failed(code: Code, cause: string | null): void {
    if (this.#over) return;
    this.#serving.means.troubles.failed(this.link, this.stream.open.requestId, code, cause);
  }

  shadowed(code: Code): void {
    this.link.shadow(code);
    this.#serving.means.troubles.shadowed(this.link, this.stream.open.requestId, code);
  }

  sever(code: string): void {
    if (this.#over) return;
    this.stream.reset(code);
    this.#cut = code;
    this.#done();
  }

  over(): void {
    if (this.#over) return;
    // The hub need not send the rest of a request that has its answer.
    if (!this.#ended) this.stream.reset("answered");
    this.#done();
  }

  /** Steps 1 and 2 of policy.md: what is asked for, and of which link. */
  #find(head: RequestHead): void {
    const { hub, means } = this.#serving;
    const { open } = this.stream;
    this.#head = head;
    const { framing } = head;
    const address = this.#serving.canonical(open.address);
    const bodyIsMissing = this.#ended &&
      (framing.kind === "chunked" || (framing.kind === "length" && framing.length > 0));
    if (address === null || bodyIsMissing) return this.#refuse(BAD_REQUEST);
    const found = means.links.byId(hub, open.link);
    if (found === null) return this.#refuse(UNKNOWN);
    if (!isServed(found)) return this.#refuse(found);
    this.link = found;
    const facts = factsOf(head, address, found.auth);
    this.#address = address;
    if (facts === null) return this.#deny(BAD_REQUEST);
    this.#facts = facts;
    this.#admit();
  }

  /** Asked again after a credential was judged: meanwhile the link may have ended, or its policy changed. */
  #admit(): void {
    const { link } = this;
    const { clock, straight } = this.#serving.means;
    if (straight) {
      // Whoever vouches for it: the link's own credential is none of the target's business.
      if (this.#facts.hasCredential) this.#facts.credential = "right";
      return this.#pass(null);
    }
    const bar = barred(link, this.#head!, clock.now());
    if (bar !== null) return this.#deny(bar);
    const verdict = decide(link.policy, this.#facts, link.state, clock.mono());
    if (verdict.kind === "allow") this.#pass(verdict.shadowed);
    else if (verdict.kind === "deny") this.#deny(verdict.refusal);
    else this.#ask();
  }

  #ask(): void {
    const { auth } = this.link;
    if (auth === null) return this.#deny(UNAVAILABLE);
    this.#judge = auth;
    const judgement = auth.judge(field(this.#head!, "authorization")!, this);
    if (judgement !== null) this.judged(judgement);
  }

  #pass(shadowed: Refusal | null): void {
    const { link } = this;
    this.#admitted = true;
    link.counters.allowed++;
    link.counters.open++;
    link.state.streams++;
    link.streams.add(this);
    if (shadowed !== null) this.shadowed(shadowed.code);
    this.#follow(shadowed);
    if (link.uses === null || this.#serving.means.straight) this.#send();
    else link.uses.take(this);
  }

  /** To the target. */
  #send(): void {
    const { link, stream } = this;
    const head = this.#head!;
    const { spec } = link.policy;
    const proto = stream.open.https ? "https" : "http";
    const upgrade = this.#upgrade(head);
    const text = requestToTarget(head, {
      host: link.host,
      provenance: this.#serving.provenance({
        address: this.#address,
        proto,
        publicHost: head.host,
        loop: link.digest,
      }),
      dropOverrides: spec.methods !== null || spec.paths !== null,
      dropAuthorization: this.#facts.credential === "right",
      upgrade,
      edits: link.edits.request,
    });
    const mapFrom = link.entry.host === "target" ? link.host : null;
    const forward = new Forward(this, {
      text,
      head,
      maxBody: this.#serving.means.straight ? null : spec.maxBody,
      upgrade,
      mapFrom,
      publicOrigin: `${proto}://${head.host}`,
      requestEdits: link.edits.request,
      edits: link.edits.response,
    });
    this.#forward = forward;
    const held = this.#held;
    this.#held = null;
    if (held !== null && !forward.take(held.bytes)) return this.#breach();
    if (this.#ended && !this.#over && !forward.finish(this.#heldTrailers)) this.#breach();
  }

  /** What the target may upgrade to: what the policy admits, or a shadow link's WebSocket. A body rules it out. */
  #upgrade(head: RequestHead): string | null {
    const { policy } = this.link;
    if (head.upgrade === null || head.framing.kind !== "none" || this.#ended) return null;
    const recorded = policy.spec.shadow && this.#facts.websocket;
    return recorded || policy.upgradesTo(head.upgrade) ? head.upgrade : null;
  }

  #deny(why: Refusal): void {
    this.link.deny(why.code);
    this.#serving.means.troubles.refused(this.link, this.stream.open.requestId, why.code);
    this.#follow(why);
    this.#refuse(why);
  }

  #refuse(why: Refusal): void {
    this.#refused = why;
    this.#held = null;
    const { requestId } = this.stream.open;
    const { head, body } = renderRefusal(why, this.#head, REQUEST_ID.test(requestId) ? requestId : "unknown");
    const date = httpDate(this.#serving.means.clock.now());
    const bodiless = this.#head?.method === "HEAD";
    this.stream.sendHead(`${head.slice(0, -2)}Date: ${date}\r\n\r\n`, bodiless);
    if (bodiless) return this.over();
    this.#rest = body;
    this.writable();
  }

  /** No final head was sent, neither the target's nor our own. */
  get #unanswered(): boolean {
    return this.#refused === null && (this.#forward === null || this.#forward.status === 0);
  }

  /** The hub broke the rules: nothing that it sends on this stream is of use. */
  #breach(): void {
    this.#forward?.abort();
    if (this.#refused === null && (this.#forward === null || this.#forward.status === 0)) {
      this.#refuse(BAD_REQUEST);
    } else this.sever("bad_request");
  }

  #follow(verdict: Refusal | null): void {
    const { hub, means } = this.#serving;
    if (means.observer === null) return;
    this.follower = means.observer.follow({
      link: this.link,
      hub,
      requestId: this.stream.open.requestId,
      address: this.#address,
      secure: this.stream.open.https,
      head: this.#head!,
      since: this.#since,
      verdict: verdict?.code ?? null,
    });
  }

  #done(): void {
    this.#over = true;
    this.#held = null;
    if (this.#admitted) {
      const { link } = this;
      link.counters.open--;
      link.state.streams--;
      link.streams.delete(this);
    }
    this.follower?.done({
      status: this.#refused?.status ?? this.#forward?.status ?? 0,
      code: this.#refused?.code ?? this.#cut,
      bytesIn: this.#forward?.bytesIn ?? 0,
      bytesOut: this.#forward?.bytesOut ?? 0,
    });
  }
}
