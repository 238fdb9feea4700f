/** Everybody who sees requests go by, put together. */
import type { Clock } from "../../clock.ts";
import { isCode } from "../../core/errors.ts";
import type { RequestHead } from "../../core/http1/types.ts";
import type { Log } from "../../log.ts";
import type { Access } from "../../store/access_line.ts";
import type { Events } from "../events.ts";
import type { Observer } from "../follow.ts";
import { EMBEDDED } from "../hubs.ts";
import { Replays } from "../replays.ts";
import type { ServedLink } from "../served.ts";
import { RequestLog } from "./access_log.ts";
import { Captures } from "./captures.ts";
import { Figures } from "./figures.ts";
import { LiveRequests } from "./live.ts";
import { Recorder } from "./recorder.ts";

export class Witnesses {
  readonly live: LiveRequests;
  readonly figures = new Figures();
  readonly captures: Captures;
  /** The access log. */
  readonly access: RequestLog;
  readonly observer: Observer;
  /** Sends what was captured again, before the same eyes. */
  readonly replays: Replays;

  readonly #clock: Clock;

  constructor(events: Events, clock: Clock, log: Log) {
    this.#clock = clock;
    this.live = new LiveRequests(events);
    this.captures = new Captures(events);
    this.access = new RequestLog(clock, log);
    this.observer = new Recorder(clock, [this.live, this.figures, this.access], this.captures);
    this.replays = new Replays(clock, log, this.observer);
  }

  /** The hub inside the process refused a request, which nobody else sees. `link`: undefined where it is gone. */
  refused(request: Access, head: RequestHead, secure: boolean, link: ServedLink | undefined): void {
    const { id: requestId, address, at, status, code, bytesIn, bytesOut, ms } = request;
    const verdict = code !== null && isCode(code) ? code : null;
    const seen = { ...request, verdict };
    this.access.add(seen);
    if (link !== undefined) {
      const since = this.#clock.mono() - ms;
      const asked = { link, hub: EMBEDDED, requestId, address, secure, head, since, verdict };
      const times = { judged: ms, connected: null, answered: null, over: ms };
      const outcome = { status, code, bytesIn, bytesOut };
      this.captures.follow(asked)?.over({ request: asked, at, times, outcome });
    }
    this.live.tell(seen);
  }
}
