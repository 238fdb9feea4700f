/** Everybody who sees requests go by, put together. */
import type { Clock } from "../../clock.ts";
import { isCode } from "../../core/errors.ts";
import type { Log } from "../../log.ts";
import type { Access } from "../../store/access_line.ts";
import type { Events } from "../events.ts";
import type { Observer } from "../follow.ts";
import { Replays } from "../replays.ts";
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

  constructor(events: Events, clock: Clock, log: Log) {
    this.live = new LiveRequests(events);
    this.captures = new Captures(events);
    this.access = new RequestLog(clock, log);
    this.observer = new Recorder(clock, [this.live, this.figures, this.access], this.captures);
    this.replays = new Replays(clock, log, this.observer);
  }

  /** The hub inside the process refused a request, which nobody else sees. */
  refused(request: Access): void {
    const { code } = request;
    const seen = { ...request, verdict: code !== null && isCode(code) ? code : null };
    this.access.add(seen);
    this.live.tell(seen);
  }
}
