/** One request as it is kept: both heads just as they came, the beginnings of the bodies, how it ended. In memory only. */
import type { ResponseHead } from "../../core/http1/types.ts";
import type { Followed } from "../follow.ts";
import { KeptBody } from "./kept_body.ts";
import type { Seen, Tape } from "./recorder.ts";

/** What a capture costs besides its heads and bodies: some objects, measured at 1.0 KiB. */
const OVERHEAD = 1024;
/** Where a field stands in a head is four numbers. */
const LINE = 8;

/** Who keeps captures. */
export interface Keeper {
  /** Whether so many octets more may be held; counts them where they may. */
  room(octets: number): boolean;
  /** So many octets are held no more. */
  free(octets: number): void;
  /** It is over, and holds `octets` besides those of its bodies. */
  keep(capture: Capture): void;
}

/** A capture whose request is over. */
export type Kept = Capture & { readonly seen: Seen };

export class Capture implements Tape {
  /** Its place among all; 0: it is not over. */
  number = 0;
  /** The target's final head, or its 101; null: there was none. */
  answer: ResponseHead | null = null;
  /** Null: bodies were not kept. */
  asked: KeptBody | null = null;
  answered: KeptBody | null = null;
  /** The whole request came. */
  whole: boolean;
  /** Of the request: raw field lines. */
  trailers = "";
  seen: Seen | null = null;

  constructor(readonly request: Followed, private readonly keeper: Keeper) {
    this.whole = request.head.framing.kind === "none";
    if (request.link.entry.inspect !== "bodies") return;
    const room = (octets: number) => keeper.room(octets);
    this.asked = new KeptBody(room);
    this.answered = new KeptBody(room);
  }

  /** Octets of its heads and all that belongs to them. */
  get weight(): number {
    const { head } = this.request, { answer } = this;
    const weight = OVERHEAD + head.raw.length + LINE * head.lines.length;
    return answer === null ? weight : weight + answer.raw.length + LINE * answer.lines.length;
  }

  /** Octets of its bodies. */
  get held(): number {
    return (this.asked?.held ?? 0) + (this.answered?.held ?? 0);
  }

  // While it goes by.

  requestBody(bytes: Uint8Array): void {
    this.asked?.add(bytes);
  }

  requestEnd(trailers: string): void {
    this.whole = true;
    this.trailers = trailers;
  }

  response(head: ResponseHead): void {
    this.answer = head;
    if (head.status !== 101) return;
    // What follows is no body, and may go on for days. Nothing came before it: no request with a body is upgraded.
    this.asked = this.answered = null;
  }

  responseBody(bytes: Uint8Array): void {
    this.answered?.add(bytes);
  }

  over(seen: Seen): void {
    this.seen = seen;
    if (this.asked !== null) this.keeper.free(this.asked.trim() + this.answered!.trim());
    this.keeper.keep(this);
  }
}
