/** `GET /v1/events` of the daemon. */
import type { CallEnv, Operation } from "../../api/app.ts";
import { EVENTS_DOC, eventStream } from "../../api/event_stream.ts";
import type { ControlState } from "./state.ts";

/** The operation that tells of what happens. */
export function eventOperations({ events, witnesses, clock }: ControlState): Operation<CallEnv>[] {
  const watchRequests = () => {
    witnesses.live.watchers++;
    return () => void witnesses.live.watchers--;
  };
  return [{
    ...EVENTS_DOC,
    run: (context) => eventStream(context, { journal: events, clock, watchRequests }),
  }];
}
