/** Sessions that have something to send and send nothing: a tunnel that is up and stuck. */
import type { Session } from "./session.ts";

/** What is seen of a session's octets. */
type Watched = Pick<Session, "progress">;

/** Looks at sessions every now and then; costs their streams nothing. */
export class Progress {
  readonly #seen = new WeakMap<Watched, { sent: number; since: number }>();

  /**
   * For how long nothing has left `session` though octets wait, in ms up to `now` of a clock that goes forward; 0:
   * nothing waits, or something left since the last look. So it is short by at most the time between two looks.
   */
  stuckMs(session: Watched, now: number): number {
    const { queued, sent } = session.progress;
    const seen = this.#seen.get(session);
    if (queued === 0) {
      if (seen !== undefined) this.#seen.delete(session);
      return 0;
    }
    // What the wire adds of its own accord is among what waits: `sent` may seem to fall.
    if (seen !== undefined && seen.sent >= sent) return now - seen.since;
    this.#seen.set(session, { sent, since: now });
    return 0;
  }
}
