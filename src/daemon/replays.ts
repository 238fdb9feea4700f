/** Requests that their owner sends again: by the way that visitors' take, with a session inside the process for a hub. */
import type { Clock, Timer } from "../clock.ts";
import { latin1 } from "../core/latin1.ts";
import type { RequestHead } from "../core/http1/types.ts";
import type { Log } from "../log.ts";
import { nextRequestId } from "../net/request_id.ts";
import { memoryPair } from "../wire/memory.ts";
import { Session, type SessionHandler } from "../wire/session.ts";
import type { Stream, StreamSink } from "../wire/stream.ts";
import type { Observer } from "./follow.ts";
import { Serving } from "./serve.ts";
import type { ServedLink } from "./served.ts";
import { Troubles } from "./troubles.ts";

/** What is sent. */
export interface Replay {
  readonly link: ServedLink;
  /** The request that it sends again. */
  readonly of: string;
  readonly head: RequestHead;
  /** Empty where the head says that there is none. */
  readonly body: Uint8Array;
  /** Raw field lines. */
  readonly trailers: string;
  readonly address: string;
  readonly secure: boolean;
  /** To the target whatever the policy says, and not counted by it. */
  readonly straight: boolean;
}

/** An answer that has begun need not end: an event stream is looked at for so long. */
const ANSWER_MS = 30_000;

/** Why it was cut there. */
const OVER = "replay_over";

export class Replays {
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #log: Log;

  /** `observer`: sees them go by as it sees visitors' requests. */
  constructor(clock: Clock, log: Log, observer: Observer) {
    this.#clock = clock;
    this.#log = log;
    this.#observer = observer;
  }

  /**
   * Sends `replay` and resolves with the id of the new request when its answer is whole or was cut: by the other side, by
   * the link's end, 30 s after it began, or right after a 101.
   */
  async send(replay: Replay): Promise<string> {
    const { link, of, straight } = replay;
    const troubles = new Troubles(this.#log, this.#clock);
    const serving = new Serving("", {
      links: { byId: () => link },
      clock: this.#clock,
      troubles,
      observer: { follow: (request) => this.#observer.follow({ ...request, replayOf: of }) },
      ...(straight ? { straight } : {}),
    });
    const [hubEnd, daemonEnd] = memoryPair();
    const sender = new Sender(replay, this.#clock);
    const daemon = new Session(
      daemonEnd,
      "dialler",
      handler((stream) => sender.served = serving.open(stream)),
      this.#clock,
      { streams: 1 },
    );
    const hub = new Session(hubEnd, "acceptor", handler(refuse), this.#clock, { streams: 0 });
    const requestId = nextRequestId();
    sender.begin(hub, requestId);
    await sender.over;
    hub.close("closed", "the replay is over");
    daemon.close("closed", "the replay is over");
    troubles.close();
    return requestId;
  }
}

function handler(open: (stream: Stream) => StreamSink): SessionHandler {
  return { open, control() {}, draining() {}, closed() {} };
}

function refuse(stream: Stream): StreamSink {
  stream.reset("not_allowed");
  return { head() {}, data() {}, end() {}, reset() {}, writable() {} };
}

/** The hub's side of it. */
class Sender implements StreamSink {
  /** The daemon's side. */
  served: StreamSink | null = null;
  readonly #replay: Replay;
  readonly #limit: Timer;
  readonly #over = Promise.withResolvers<void>();
  #stream!: Stream;
  /** Octets of the body that were sent; all of them and the end: Infinity. */
  #sent = 0;

  constructor(replay: Replay, clock: Clock) {
    this.#replay = replay;
    this.#limit = clock.timer(() => this.#cut());
  }

  get over(): Promise<void> {
    return this.#over.promise;
  }

  begin(session: Session, requestId: string): void {
    const { link, address, secure, head, body } = this.#replay;
    this.#stream = session.open(
      { kind: "http", https: secure, link: link.name, address, requestId, host: link.name },
      this,
    );
    const { kind } = head.framing;
    // What wants to be upgraded has not ended with its head.
    const last = head.upgrade === null && kind !== "chunked" && body.length === 0;
    this.#stream.sendHead(head.raw, last);
    if (last || kind === "none") this.#sent = Infinity;
    else this.writable();
  }

  head(bytes: Uint8Array, last: boolean): void {
    const status = Number(latin1(bytes, 9, 12));
    if (status === 101) return this.#cut();
    if (status < 200) return;
    this.#limit.set(ANSWER_MS);
    if (last) this.#end();
  }

  data(bytes: Uint8Array): void {
    this.#stream.consumed(bytes.length);
  }

  end(): void {
    this.#end();
  }

  reset(): void {
    this.#end();
  }

  writable(): void {
    const { body, trailers } = this.#replay;
    if (this.#sent > body.length) return;
    this.#sent += this.#stream.send(body, this.#sent, body.length);
    if (this.#sent < body.length) return;
    this.#sent = Infinity;
    this.#stream.end(trailers);
  }

  /** At once on the daemon's side, so that it is recorded when this returns. */
  #cut(): void {
    this.served?.reset(OVER);
    this.#end();
  }

  #end(): void {
    this.#limit.drop();
    this.#over.resolve();
  }
}
