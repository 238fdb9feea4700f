/** A member's way to a hub: one session, kept up, by which streams to private services are opened. */
import type { Clock } from "../../clock.ts";
import { attemptMs, redialDelay } from "../../core/backoff.ts";
import type { HubAddress } from "../../core/entry.ts";
import { Failure } from "../../core/errors.ts";
import { connectHub } from "../../daemon/connect.ts";
import { type CloseReason, Session, type SessionHandler } from "../../wire/session.ts";
import type { Stream, StreamSink } from "../../wire/stream.ts";
import type { Wire } from "../../wire/wire.ts";

export interface WayOptions {
  readonly hub: HubAddress;
  readonly tokenFile: string;
  /** The id of the share whose services are to be reached; null: whatever the workspace has. */
  readonly share: string | null;
  readonly clock: Clock;
  /** The hub is lost (why), or there again (null): for people. */
  told(why: string | null): void;
}

/** A connection that comes while there is no session waits so long for one. */
const PATIENCE_MS = 5_000;

/** A session that ended sooner was no success. */
const STEADY_MS = 5_000;

/** Reads a stream until whoever wants it does. */
const NOBODY: StreamSink = { head() {}, data() {}, end() {}, reset() {}, writable() {} };

export class Way {
  /** Settles with why there will be no session any more: the token, or the share, has ended. Never, once it was closed. */
  readonly over: Promise<Failure>;
  readonly #over = Promise.withResolvers<Failure>();
  readonly #o: WayOptions;
  /** The one that takes new streams. */
  #session: Session | null = null;
  /** All of them: one that a hub drains goes on until its streams are done. */
  readonly #sessions = new Set<Session>();
  #waiting: ((session: Session | null) => void)[] = [];
  #closed = false;
  /** Ends a pause between two attempts. */
  #wake: () => void = () => {};

  private constructor(options: WayOptions) {
    this.#o = options;
    this.over = this.#over.promise;
  }

  /** Dials. Resolves with the first session; throws Failure where there will be none. */
  static async open(options: WayOptions): Promise<Way> {
    const way = new Way(options);
    void way.#keepUp();
    const failed = await Promise.race([way.over, way.#next().then(() => null)]);
    if (failed === null) return way;
    throw failed;
  }

  /** A stream to `service`, as soon as there is a session; null: there is none in time. */
  async connect(service: string): Promise<Stream | null> {
    const session = this.#session ?? await this.#soon();
    if (session === null) return null;
    // The hub knows by itself who and where we are.
    const fields = {
      kind: "tcp" as const,
      https: false,
      link: service,
      address: "",
      requestId: "",
      host: "",
    };
    return session.open(fields, NOBODY);
  }

  /** Cuts what is open, and dials no more. */
  close(): void {
    this.#closed = true;
    this.#wake();
    for (const session of this.#sessions) session.close("closed", "the member leaves");
    this.#give(null);
  }

  /** The next session; null: the way was closed, or is at its end. */
  #next(): Promise<Session | null> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #soon(): Promise<Session | null> {
    if (this.#closed) return null;
    const late = Promise.withResolvers<null>();
    const timer = this.#o.clock.timer(() => late.resolve(null));
    timer.set(PATIENCE_MS);
    const session = await Promise.race([this.#next(), late.promise]);
    timer.drop();
    return session;
  }

  #give(session: Session | null): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(session);
  }

  /** Session after session. Before the first one, whatever goes wrong is the end: somebody waits to hear of it. */
  async #keepUp(): Promise<void> {
    const { hub, tokenFile, share, clock, told } = this.#o;
    const door = { path: `/v1/reach${share === null ? "" : `?share=${share}`}`, scope: "member" as const };
    let attempts = 0, downSince = clock.mono(), rttMs: number | null = null, begun = false, away = false;
    while (!this.#closed) {
      const dialledAt = clock.mono();
      let why: string | null;
      try {
        const wire = await connectHub(hub, tokenFile, clock, attemptMs(dialledAt - downSince, rttMs), door);
        const line = new Line(wire, clock);
        if (away) told(null);
        [begun, away] = [true, false];
        const reason = await this.#hold(line);
        if (reason !== null && isFinal(reason)) return this.#end(ended(reason, hub.url));
        rttMs = line.session.rttMs;
        downSince = clock.mono();
        attempts = downSince - dialledAt < STEADY_MS ? attempts + 1 : 0;
        why = reason && (reason.message || reason.code);
      } catch (error) {
        const failure = error instanceof Failure ? error : new Failure(String(error), { cause: error });
        if (failure.permanent || !begun) return this.#end(failure);
        attempts++;
        why = failure.message;
      }
      if (why !== null && !away && !this.#closed) {
        told(why);
        away = true;
      }
      const down = Math.max(0, dialledAt - downSince);
      await this.#pause(redialDelay(attempts, down, Math.random()) - (clock.mono() - dialledAt));
    }
  }

  /** Opens streams by the session of `line` until it ends, or (null) its hub wants no more of them. */
  async #hold(line: Line): Promise<CloseReason | null> {
    const { session } = line;
    this.#sessions.add(session);
    void line.closedFor.then(() => this.#sessions.delete(session));
    if (this.#closed) session.close("closed", "the member leaves");
    this.#session = session;
    this.#give(session);
    const reason = await Promise.race([line.closedFor, line.drained]);
    this.#session = null;
    return reason;
  }

  #end(failure: Failure): void {
    this.#closed = true;
    this.#over.resolve(failure);
    this.#give(null);
  }

  async #pause(ms: number): Promise<void> {
    if (ms <= 0 || this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = this.#o.clock.timer(resolve);
      timer.set(ms);
      this.#wake = () => {
        timer.drop();
        resolve();
      };
    });
    this.#wake();
  }
}

/** One session, which opens streams and takes none. */
class Line implements SessionHandler {
  readonly session: Session;
  readonly #closed = Promise.withResolvers<CloseReason>();
  readonly #drained = Promise.withResolvers<null>();

  constructor(wire: Wire, clock: Clock) {
    this.session = new Session(wire, "dialler", this, clock, { streams: 0 });
  }

  get closedFor(): Promise<CloseReason> {
    return this.#closed.promise;
  }

  get drained(): Promise<null> {
    return this.#drained.promise;
  }

  open(): StreamSink {
    return NOBODY;
  }

  control(): void {}

  draining(): void {
    this.#drained.resolve(null);
  }

  closed(reason: CloseReason): void {
    this.#closed.resolve(reason);
  }
}

/** Dialling again can't help: the token is not good any more, or the share has ended. */
function isFinal({ code, permanent }: CloseReason): boolean {
  return permanent || code === "share_ended";
}

function ended({ code, message }: CloseReason, hub: string): Failure {
  return new Failure(
    message || code,
    code === "revoked_token" ? { hint: `get another: connectd login ${hub}` } : {},
  );
}
