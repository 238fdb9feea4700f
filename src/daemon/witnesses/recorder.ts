/** One look at each request as it goes by, for everybody who wants to know of it: logs, metrics, lists, captures. */
import type { Clock } from "../../clock.ts";
import type { ResponseHead } from "../../core/http1/types.ts";
import type { Followed, Follower, Observer, Outcome } from "../follow.ts";

/** Keeps heads and bodies of one request while they go by. */
export interface Tape extends Omit<Follower, "connected" | "done"> {
  /** Called once, before any witness is told, who may look it up. */
  over(seen: Seen): void;
}

/** Asked once for every request that names a link; null: nothing of this one is kept. */
export interface Tapes {
  follow(request: Followed): Tape | null;
}

/** Where the time went, in ms from the moment at which the request's head came. */
export interface Times {
  /** It was judged: before that a credential was. */
  readonly judged: number;
  /** A new connection to the target stood; null: one was there, or there was none. */
  readonly connected: number | null;
  /** The head of the target's final answer came; null: none did. */
  readonly answered: number | null;
  /** It was over. */
  readonly over: number;
}

/** A request that is over. */
export interface Seen {
  readonly request: Followed;
  /** When its head came, ms since 1970. */
  readonly at: number;
  readonly times: Times;
  readonly outcome: Outcome;
}

/** Is told of every request that named a link, once, when it is over. */
export interface Witness {
  saw(seen: Seen): void;
}

export class Recorder implements Observer {
  constructor(
    private readonly clock: Clock,
    private readonly witnesses: readonly Witness[],
    private readonly tapes: Tapes | null,
  ) {}

  follow(request: Followed): Follower {
    return new Recording(request, this.clock, this.witnesses, this.tapes?.follow(request) ?? null);
  }
}

class Recording implements Follower {
  readonly #at: number;
  readonly #judged: number;
  #connected: number | null = null;
  #answered: number | null = null;

  constructor(
    private readonly request: Followed,
    private readonly clock: Clock,
    private readonly witnesses: readonly Witness[],
    private readonly tape: Tape | null,
  ) {
    this.#judged = this.#elapsed();
    this.#at = clock.now() - this.#judged;
  }

  connected(): void {
    this.#connected = this.#elapsed();
  }

  requestBody(bytes: Uint8Array): void {
    this.tape?.requestBody(bytes);
  }

  requestEnd(trailers: string): void {
    this.tape?.requestEnd(trailers);
  }

  response(head: ResponseHead): void {
    this.#answered = this.#elapsed();
    this.tape?.response(head);
  }

  responseBody(bytes: Uint8Array): void {
    this.tape?.responseBody(bytes);
  }

  done(outcome: Outcome): void {
    const seen: Seen = {
      request: this.request,
      at: this.#at,
      times: {
        judged: this.#judged,
        connected: this.#connected,
        answered: this.#answered,
        over: this.#elapsed(),
      },
      outcome,
    };
    this.tape?.over(seen);
    for (const witness of this.witnesses) witness.saw(seen);
  }

  #elapsed(): number {
    return this.clock.mono() - this.request.since;
  }
}
