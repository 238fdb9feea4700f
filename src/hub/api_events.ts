/** What happens at the hub, in its API. */
import { EVENTS_DOC, eventStream } from "../api/event_stream.ts";
import { type Operation, READERS } from "./api_operation.ts";
import type { HubState } from "./state.ts";

/** A token hears of its workspace; over the hub's own socket all is heard. */
export function eventRoutes(state: HubState): Operation[] {
  return [{
    ...EVENTS_DOC,
    scopes: READERS,
    run(context) {
      const { caller } = context.var, { events, tokens, clock } = state;
      return eventStream(context, {
        journal: events.of(caller.workspace),
        clock,
        watchRequests: () => events.watchRequests(),
        allowed: () => tokens.isLive(caller),
      });
    },
  }];
}
