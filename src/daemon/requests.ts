/** Requests as events, for whoever watches them live; while nobody does they cost a comparison each. */
import type { Clock } from "../clock.ts";
import type { Events } from "./events.ts";
import type { Followed, Follower, Observer, Outcome } from "./follow.ts";

export class RequestEvents implements Observer {
  /** How many watch. */
  watchers = 0;

  constructor(private readonly events: Events, private readonly clock: Clock) {}

  follow(request: Followed): Follower | null {
    return this.watchers === 0 ? null : new Watched(request, this.events, this.clock);
  }
}

class Watched implements Follower {
  readonly #begun: number;

  constructor(
    private readonly request: Followed,
    private readonly events: Events,
    private readonly clock: Clock,
  ) {
    this.#begun = clock.mono();
  }

  requestBody(): void {}
  response(): void {}
  responseBody(): void {}

  done({ status, code, bytesIn, bytesOut }: Outcome): void {
    const { link, requestId, address, head, verdict } = this.request;
    const query = head.target.indexOf("?");
    this.events.emit("request", {
      id: requestId,
      link: link.name,
      address,
      method: head.method,
      // A query may hold what only the target should know.
      path: query < 0 ? head.target : head.target.slice(0, query),
      status,
      code,
      verdict,
      bytesIn,
      bytesOut,
      ms: Math.round(this.clock.mono() - this.#begun),
    });
  }
}
