/** Everybody who sees requests go by, put together. */
import type { Clock } from "../../clock.ts";
import type { Events } from "../events.ts";
import type { Observer } from "../follow.ts";
import { LiveRequests } from "./live.ts";
import { Recorder } from "./recorder.ts";

export class Witnesses {
  readonly live: LiveRequests;
  readonly observer: Observer;

  constructor(events: Events, clock: Clock) {
    this.live = new LiveRequests(events);
    this.observer = new Recorder(clock, [this.live], null);
  }
}
