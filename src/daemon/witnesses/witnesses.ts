/** Everybody who sees requests go by, put together. */
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { Events } from "../events.ts";
import type { Observer } from "../follow.ts";
import { Replays } from "../replays.ts";
import { Captures } from "./captures.ts";
import { Figures } from "./figures.ts";
import { LiveRequests } from "./live.ts";
import { Recorder } from "./recorder.ts";

export class Witnesses {
  readonly live: LiveRequests;
  readonly figures = new Figures();
  readonly captures: Captures;
  readonly observer: Observer;
  /** Sends what was captured again, before the same eyes. */
  readonly replays: Replays;

  constructor(events: Events, clock: Clock, log: Log) {
    this.live = new LiveRequests(events);
    this.captures = new Captures(events);
    this.observer = new Recorder(clock, [this.live, this.figures], this.captures);
    this.replays = new Replays(clock, log, this.observer);
  }
}
