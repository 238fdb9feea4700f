/** One session with a hub, as the dialler sees it. */
import type { Clock } from "../clock.ts";
import type { Control } from "../wire/hello.ts";
import { type CloseReason, Session, type SessionHandler } from "../wire/session.ts";
import type { Stream, StreamSink } from "../wire/stream.ts";
import { closeReason, type Wire } from "../wire/wire.ts";
import type { Serving } from "./serve.ts";

/** What the dialler wants to hear of a session. */
export interface LineEvents {
  welcome(message: Control): void;
  heard(message: Control): void;
  /** The hub wants no more streams to come of this session's life. */
  draining(): void;
  /** It is over, for the reason that the hub gave before, where it gave one. */
  closed(reason: CloseReason): void;
}

/** The daemon opens no streams; what a hub may have open at a time stands in its welcome. */
const STREAMS = 65_536;

/** How often a session that ends is looked at, in ms. */
const LOOK_MS = 100;

export class Line implements SessionHandler {
  readonly session: Session;
  readonly #serving: Serving;
  readonly #clock: Clock;
  readonly #events: LineEvents;
  #bye: CloseReason | null = null;
  #over = false;

  constructor(wire: Wire, serving: Serving, clock: Clock, events: LineEvents) {
    this.#serving = serving;
    this.#clock = clock;
    this.#events = events;
    this.session = new Session(wire, "dialler", this, clock, { streams: STREAMS });
  }

  /** Takes no more streams; resolves when those that are open have ended, after `ms`, or with the session. */
  drain(ms: number): Promise<void> {
    if (this.#over) return Promise.resolve();
    this.session.drain();
    const { promise, resolve } = Promise.withResolvers<void>();
    const until = this.#clock.mono() + ms;
    const timer = this.#clock.timer(() => {
      if (!this.#over && this.session.streams > 0 && this.#clock.mono() < until) return timer.set(LOOK_MS);
      timer.drop();
      resolve();
    });
    timer.set(0);
    return promise;
  }

  open(stream: Stream): StreamSink {
    return this.#serving.open(stream);
  }

  control(message: Control): void {
    if (message.type === "welcome") this.#events.welcome(message);
    else if (message.type !== "bye") this.#events.heard(message);
    else if (message.reason === "draining") this.#events.draining();
    else this.#bye = closeReason(message.reason, message.message);
  }

  draining(): void {
    this.#events.draining();
  }

  closed(reason: CloseReason): void {
    this.#over = true;
    this.#events.closed(this.#bye ?? reason);
  }
}
